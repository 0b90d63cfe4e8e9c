# shellcheck shell=dash
# Services: how exactly what was stopped is brought back.

# units_in STATES UNITS: every one of them is in one of these states.
units_in() {
  for one in $2; do
    case " $1 " in
      *" $(systemctl show --property=ActiveState --value -- "$one" 2>/dev/null) "*) ;;
      *)
        problem="$one is not as it was"
        return 1
        ;;
    esac
  done
}

units_back() {
  units_in "active reloading refreshing" "$1"
}

# units_decided UNITS: none of them is on its way, or waits for its turn.
units_decided() {
  for one in $1; do
    case $(systemctl show --property=ActiveState,Job -- "$one" 2>/dev/null) in
      *Job=[1-9]* | *ActiveState=activating* | *ActiveState=deactivating*) return 1 ;;
    esac
  done
}

# --- without systemd -------------------------------------------------------------------------------------------

# main_process SERVICE: sets $main to PID:STARTED of what runs it: as its status says, as its pid file says, by its name.
main_process() {
  main='' number=''
  number=$(service "$1" status 2>/dev/null 9<&- 3>&- | sed -n 's/.*\(pid\|PID\|process\|pids\)[ :=]*\([0-9][0-9]*\).*/\2/p' | sed -n 1p)
  for file in "/run/$1.pid" "/run/$1/$1.pid" "/run/$1/pid" "/var/run/$1.pid"; do
    { [ -z "$number" ] && [ -f "$file" ]; } || continue
    { read -r number <"$file"; } 2>/dev/null || :
  done
  case $number in
    '' | *[!0-9]*)
      for entry in /proc/[0-9]*; do
        { IFS= read -r short <"$entry/comm"; } 2>/dev/null || continue
        [ "$short" != "$1" ] || { number=${entry#/proc/} && break; }
      done
      ;;
  esac
  [ -n "$number" ] && main=$(identity "$number") && lives "$main"
}

# as_run PID: how it runs, a line for each: its umask, its working directory, its limits.
as_run() {
  sed -n 's/^Umask:[^0-9]*/umask /p' "/proc/$1/status" 2>/dev/null
  printf 'folder %s\n' "$(readlink "/proc/$1/cwd")"
  sed -n 's/^Max \([a-z ]*[a-z]\)  *\([0-9a-z]*\)  *\([0-9a-z]*\) .*/limit \2:\3 \1/p' "/proc/$1/limits" 2>/dev/null
}

# limit_options FILE: the limits in it as prlimit takes them.
limit_options() {
  while read -r word value name; do
    [ "$word" = limit ] || continue
    case $name in
      'cpu time') option=cpu ;;
      'file size') option=fsize ;;
      'data size') option=data ;;
      'stack size') option=stack ;;
      'core file size') option=core ;;
      'resident set') option=rss ;;
      processes) option=nproc ;;
      'open files') option=nofile ;;
      'locked memory') option=memlock ;;
      'address space') option=as ;;
      'file locks') option=locks ;;
      'pending signals') option=sigpending ;;
      'msgqueue size') option=msgqueue ;;
      'nice priority') option='nice' ;;
      'realtime priority') option=rtprio ;;
      'realtime timeout') option=rttime ;;
      *) continue ;;
    esac
    printf -- '--%s=%s\n' "$option" "$value"
  done <"$1"
}

# start_as_before: what it runs with is what it ran with, and nothing of ours.
start_as_before() (
  exec 9<&- 3>&-
  { read -r service && read -r adjusted; } <"$unit_dir/service"
  echo "$adjusted" >/proc/self/oom_score_adj 2>/dev/null || :
  cd "$(sed -n 's/^folder //p' "$unit_dir/run")" || exit 1
  umask "$(sed -n 's/^umask //p' "$unit_dir/run")"
  # By its path: the service's own may not lead there.
  # shellcheck disable=SC2016
  set -- xargs -0 sh -c 'program=$1 name=$2 && shift 2 && exec env -i "$@" "$program" "$name" start </dev/null' sh "$(command -v service)" "$service"
  if [ "$(grep '^limit ' "$unit_dir/run")" != "$(as_run self | grep '^limit ')" ]; then
    # shellcheck disable=SC2046
    set -- prlimit $(limit_options "$unit_dir/run") "$@"
  fi
  "$@" <"$unit_dir/environment" >/dev/null 2>&1
)

runs_as_before() {
  main_process "$1" && [ "$(as_run "${main%:*}")" = "$(cat "$unit_dir/run")" ]
}

# --- both ------------------------------------------------------------------------------------------------------

# bring_back: starts what was stopped here, and only that: what is only wanted by it may have been off before.
bring_back() {
  if [ -s "$unit_dir/units" ]; then
    units=$(cat "$unit_dir/units")
    stop_followers || { problem="what the stop started does not end" && return 1; }
    units_back "$units" && return 0
    # shellcheck disable=SC2086
    systemctl start --no-block --job-mode=ignore-requirements -- $units 9<&- ||
      { problem="could not start ${units%% *}" && return 1; }
    await 90 units_decided "$units" && units_back "$units"
  elif [ -s "$unit_dir/service" ]; then
    { read -r service; } <"$unit_dir/service"
    service "$service" status >/dev/null 2>&1 9<&- 3>&- || start_as_before ||
      { problem="could not start service $service" && return 1; }
  fi
}

followers() {
  cat "$unit_dir/followers" 2>/dev/null || :
}

# stop_followers: what the end of those units started, such as a stand-in, and what was off before.
stop_followers() {
  running=''
  for one in $(followers); do
    ! units_back "$one" || running="$running${running:+ }$one"
  done
  [ -n "$running" ] || return 0
  # shellcheck disable=SC2086
  systemctl stop --no-block -- $running 9<&- && await 90 units_in "inactive failed" "$running"
}

# brought_back: the same set is active, and is so a moment later as well.
brought_back() {
  if [ -s "$unit_dir/units" ]; then
    for one in $(followers); do
      problem="$one still runs, which the stop started"
      ! units_back "$one" || return 1
    done
    units_back "$(cat "$unit_dir/units")" && nap && units_back "$(cat "$unit_dir/units")"
  elif [ -s "$unit_dir/service" ]; then
    { read -r service; } <"$unit_dir/service"
    problem="service $service does not run as before"
    service "$service" status >/dev/null 2>&1 9<&- 3>&- && runs_as_before "$service"
  fi
}
