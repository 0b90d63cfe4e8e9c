# shellcheck shell=dash
# Paused: which processes a unit stopped, kept before the first one was; and how exactly those go on.

# note_paused LIST: keeps PID:STARTED of each, one a line, and the world in which those numbers mean something.
note_paused() {
  # shellcheck disable=SC2086
  set -- $1
  noted_where=$(world) && save "$unit_dir/paused" "$noted_where" "$@"
}

# paused_here: those that were kept and are of this world; those of $frozen when the list is gone with its folder.
paused_here() {
  if [ -d "$unit_dir" ]; then
    { IFS= read -r noted_where <"$unit_dir/paused"; } 2>/dev/null && [ "$noted_where" = "$(world)" ] &&
      sed 1d "$unit_dir/paused"
    return
  fi
  # shellcheck disable=SC2086
  printf '%s\n' $frozen
}

continue_paused() {
  for one in $(paused_here); do
    ! lives "$one" || kill -s CONT "${one%:*}" 2>/dev/null || :
  done
}

none_paused() {
  problem="a process that was stopped here still stands still"
  for one in $(paused_here); do
    ! lives "$one" || [ "$state" != T ] || return 1
  done
}
