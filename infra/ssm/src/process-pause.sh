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
