#: description: Stormdrill. Stops processes where they stand, and continues them afterwards.
#: timeout_seconds: 60
#: parts: [deadman, processes, paused]
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
# shellcheck shell=dash
# process-pause: processes stand still.
# The way back continues exactly those that were stopped here and are still the same processes.

fault_check() {
  check_matched
  running=''
  for one in $frozen; do
    ! lives "$one" || [ "$state" = T ] || running="$running${running:+ }$one"
  done
  [ -n "$running" ] || refuse already-paused "every process $(whom) stands still already"
  frozen=$running
}

fault_save() {
  note_paused "$frozen"
}

fault_apply() {
  saved=$(saved_processes)
  for one in $frozen; do
    ! lives "$one" || kill -s STOP "${one%:*}" 2>/dev/null || :
  done
}

fault_landed() {
  stopped=0
  for one in $frozen; do
    lives "$one" || continue
    if [ "$state" != T ]; then
      problem=not-seen detail="process ${one%:*} still runs"
      return 1
    fi
    stopped=$((stopped + 1))
  done
  problem=not-seen detail="every process $(whom) ended before it could be stopped"
  [ "$stopped" -gt 0 ] || return 1
  detail="$(some_processes "$stopped") $(whom) stopped"
  evidence="{\"matched\":$(count_words "$frozen"),\"stopped\":$stopped}"
}

fault_undo() {
  continue_paused
}

fault_gone() {
  none_paused
}
