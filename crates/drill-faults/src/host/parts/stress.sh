# shellcheck shell=dash
# Stress: stress-ng below the holder, in its session: ending that session ends the fault.

check_stress() {
  have stress-ng || refuse no-stress-ng "this host has no stress-ng"
  workers=$SSM_Workers
  [ "$workers" -gt 0 ] || workers=$(processors)
}

processors() {
  nproc 2>/dev/null || getconf _NPROCESSORS_ONLN
}

# stress ARGUMENTS...: starts it a shade less urgent than everybody else: the fault is felt, and the agent wins a tie.
stress() {
  nice -n 1 stress-ng --quiet --timeout "${seconds}s" --temp-path "$unit_dir/scratch" --oomable "$@" \
    </dev/null >"$unit_dir/stress.log" 2>&1 9<&- 3>&- &
  note_process "$unit_dir/stress" "$!" || { problem=no-start detail="stress-ng did not start" && return 1; }
}

# stressors NAME: the running workers of that name, one a line. The holder leads their session.
stressors() {
  leader=$(noted "$unit_dir/holder")
  for pid in $(members "${leader%:*}"); do
    { IFS= read -r short <"/proc/$pid/comm"; } 2>/dev/null || continue
    [ "$short" != "$1" ] || printf '%s\n' "$pid"
  done
}

# fault_holds: stress-ng itself, and as many of its workers as were asked for. It starts no other one for a worker that the
# kernel killed for its memory.
fault_holds() {
  lives "$(noted "$unit_dir/stress")" && fault_landed
}

# The session has been ended before this is asked, and seen to be gone; what is left are files.
fault_undo() {
  rm -rf "$unit_dir/scratch"
}

fault_gone() {
  [ ! -e "$unit_dir/scratch" ] || return 1
  leader=$(noted "$unit_dir/holder")
  if look "${leader%:*}" && [ "$started" != "${leader#*:}" ]; then
    return 0
  fi
  no_stress_in "${leader%:*}"
}

no_stress_in() {
  for pid in $(members "$1"); do
    { IFS= read -r short <"/proc/$pid/comm"; } 2>/dev/null || continue
    case $short in
      stress-ng*) return 1 ;;
    esac
  done
}
