# shellcheck shell=dash
# process-kill: a signal to every process of a name, once.
# Bringing them back is their supervisor's business: there is nothing to put back here but our own records.

fault_check() {
  check_matched
}

fault_apply() {
  saved="{\"processes\":$(count_words "$frozen"),\"pids\":$(some_pids "$frozen")}"
  for one in $frozen; do
    ! lives "$one" || kill -s "$SSM_Signal" "${one%:*}" 2>/dev/null || :
  done
}

fault_landed() {
  remaining=0
  for one in $frozen; do
    ! lives "$one" || remaining=$((remaining + 1))
  done
  detail="$remaining of $(count_words "$frozen") processes called $SSM_Process outlived $SSM_Signal"
  [ "$remaining" = 0 ] || return 1
  detail="every process called $SSM_Process is gone"
  evidence="{\"gone\":$(count_words "$frozen")}"
}

fault_undo() {
  :
}

fault_gone() {
  :
}
