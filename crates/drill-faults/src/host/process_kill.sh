#: description: Stormdrill. Sends a signal to processes, once.
#: timeout_seconds: 60
#: parts: [deadman, processes]
#: parameters:
#:   - name: Process
#:     description: The exact name of the process, by the kernel, its program file, the first word of its command line or its script; or -.
#:     pattern: '^(-|[A-Za-z0-9._][A-Za-z0-9._-]{0,63})$'
#:     length: 64
#:     default: '-'
#:   - name: CommandLine
#:     description: Text that is somewhere in the command line, whose words have one blank between them; compared as it is. Or -.
#:     pattern: '^(-|[A-Za-z0-9/_][A-Za-z0-9 /._:=@,-]{0,254}[A-Za-z0-9/._:=@,-])$'
#:     length: 256
#:     default: '-'
#:   - name: User
#:     description: The user whose processes they are, by name or number, or -.
#:     pattern: '^(-|[A-Za-z0-9_][A-Za-z0-9._-]{0,31})$'
#:     length: 32
#:     default: '-'
#:   - name: SystemdUnit
#:     description: The systemd unit that they belong to, or -.
#:     pattern: '^(-|[A-Za-z0-9._@][A-Za-z0-9:@._-]{0,200}\.(service|scope|slice))$'
#:     length: 210
#:     default: '-'
#:   - name: Container
#:     description: The id of the container that they belong to, at least its first 12 digits, or -.
#:     pattern: '^(-|[0-9a-f]{12,64}(-[0-9]{1,20})?)$'
#:     length: 85
#:     default: '-'
#:   - name: AtMost
#:     description: When more processes than this are meant, none is touched; 1 to 2000.
#:     pattern: '^([1-9][0-9]{0,2}|1[0-9]{3}|2000)$'
#:     length: 4
#:     default: '2000'
#:   - name: Signal
#:     description: The signal.
#:     values: [TERM, KILL, INT, HUP, QUIT]
#:     length: 4
#:     default: TERM
# shellcheck shell=dash
# process-kill: a signal to processes, once.
# A signal cannot be called back: whoever got it got it, and when it ends is its own affair. So this never says that
# nothing was done; it waits, says what it has seen by then, and goes on looking for as long as the fault lasts.
# Bringing them back is their supervisor's business: there is nothing to put back here but our own records.

# How long the answer waits for them to be gone. Who asked waits for half a minute.
LOOKS=20
IRREVOCABLE=yes

fault_check() {
  check_matched
}

fault_save() {
  saved=$(saved_processes)
  save "$unit_dir/told" "$frozen" || return 1
  all_gone || :
  promise "$detail"
}

fault_apply() {
  for one in $frozen; do
    ! lives "$one" || kill -s "$SSM_Signal" "${one%:*}" 2>/dev/null || :
  done
}

# fault_landed: always, since the signal was sent; $doubt says that its effect has not been seen yet.
fault_landed() {
  await "$LOOKS" all_gone || doubt=unseen
}

# all_gone: looks, and says what it saw in $detail and $evidence.
all_gone() {
  remaining=0
  for one in $frozen; do
    ! lives "$one" || remaining=$((remaining + 1))
  done
  count=$(count_words "$frozen")
  evidence="{\"matched\":$count,\"gone\":$((count - remaining)),\"remaining\":$remaining}"
  detail="$(some_processes "$count") $(whom) gone"
  [ "$remaining" != 0 ] || return 0
  detail="$SSM_Signal was sent to $(some_processes "$count") $(whom): $remaining not ended yet"
  return 1
}

# fault_holds: the record is put right when the last one goes.
fault_holds() {
  [ "$doubt" = unseen ] || return 0
  all_gone || return 0
  doubt=''
  # What was said before stays true where there is no room for more.
  settle landed "" "$detail" || :
}

# fault_counters: whom the signal reached, as a JSON object.
fault_counters() {
  frozen=$(cat "$unit_dir/told" 2>/dev/null) || frozen=''
  all_gone || :
  printf '%s\n' "$evidence"
}

fault_undo() {
  :
}

fault_gone() {
  :
}
