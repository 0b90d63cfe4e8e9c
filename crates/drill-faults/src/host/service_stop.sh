#: description: Stormdrill. Stops a service through its supervisor, and starts it again afterwards.
#: timeout_seconds: 180
#: parts: [deadman, services, startable]
#: parameters:
#:   - name: Service
#:     description: The name of the service, as its supervisor knows it.
#:     pattern: '^[A-Za-z0-9@._][A-Za-z0-9@._-]{0,63}$'
#:     length: 64
# shellcheck shell=dash
# service-stop: a service is stopped through its supervisor, with all that a stop of it takes along, and the very same set
# is started again afterwards. What could not be started again as it is now is refused.

# The longest that a supervisor gives a service to stop is 90 s by default.
PATIENCE=100

fault_check() {
  along=''
  ! protected "$SSM_Service" || refuse protected "without $SSM_Service nobody could put it back"
  if [ "$(supervision)" = systemd ]; then
    case $SSM_Service in
      *@.service | *@) refuse no-instance "$SSM_Service is a template: name one of its instances" ;;
      *.service) service=$SSM_Service ;;
      *.target | *.socket | *.mount | *.automount | *.swap | *.slice | *.scope | *.timer | *.path | *.device)
        refuse no-service "$SSM_Service is no service"
        ;;
      *) service=$SSM_Service.service ;;
    esac
    { ask "$service" && [ "$(told ActiveState)" != activating ] && running_unit; } ||
      refuse not-active "service $SSM_Service is not active"
    # An alias stands for its unit.
    find_units "$(told Id)"
    frozen="$units|$followers"
    return 0
  fi
  have service || refuse no-service "this host has neither systemd nor the service command"
  service_active || refuse not-active "service $SSM_Service is not active"
  for tool in xargs env readlink; do
    have "$tool" || refuse no-tool "this host has no $tool"
  done
  main_process "$SSM_Service" || refuse not-as-before "cannot see how service $SSM_Service runs: no process of it is found"
  how=$(as_run "${main%:*}")
  case $how in
    *umask*folder\ /*limit*) ;;
    *) refuse not-as-before "cannot see the umask, the folder and the limits of service $SSM_Service" ;;
  esac
  [ "$(printf '%s\n' "$how" | grep '^limit ')" = "$(as_run self | grep '^limit ')" ] || have prlimit ||
    refuse not-as-before "service $SSM_Service has limits of its own, and this host has no prlimit to give them back"
  frozen=$main
}

service_active() {
  if [ "$(supervision)" = systemd ]; then
    systemctl is-active --quiet -- "$SSM_Service"
  else
    service "$SSM_Service" status >/dev/null 2>&1 9<&- 3>&-
  fi
}

# which_units, which_followers: the two lists in $frozen.
which_units() {
  printf '%s\n' "${frozen%%|*}"
}

which_followers() {
  printf '%s\n' "${frozen#*|}"
}

fault_save() {
  if [ "$(supervision)" = systemd ]; then
    save "$unit_dir/units" "$(which_units)" && save "$unit_dir/followers" "$(which_followers)"
  else
    lives "$frozen" || { problem=not-as-before detail="service $SSM_Service was started anew meanwhile" && return 1; }
    note_run "${frozen%:*}"
  fi
}

fault_apply() {
  if [ "$(supervision)" = systemd ]; then
    saved="{\"active\":true,\"units\":$(count_units "$(which_units)")}"
    # shellcheck disable=SC2046
    systemctl stop --no-block -- $(which_units) 9<&- >/dev/null 2>&1
  else
    saved='{"active":true}'
    service "$SSM_Service" stop >/dev/null 2>&1 9<&- 3>&-
  fi || { problem=not-stopped detail="could not stop service $SSM_Service" && return 1; }
}

fault_landed() {
  detail="service $SSM_Service is still active"
  if [ "$(supervision)" = systemd ]; then
    units_in "inactive failed" "$(which_units)" || return 1
    detail="service $SSM_Service is inactive, with all that its stop took along ($(count_units "$(which_units)") units)"
  else
    ! service_active || return 1
    detail="service $SSM_Service is inactive"
  fi
  evidence='{"active":false}'
}

# fault_holds: nobody has started it again.
fault_holds() {
  if [ "$(supervision)" = systemd ]; then
    case $SSM_Service in
      *.service) units_in "inactive failed" "$SSM_Service" ;;
      *) units_in "inactive failed" "$SSM_Service.service" ;;
    esac
  else
    service_active && return 1
    return 0
  fi
}

fault_undo() {
  bring_back
}

fault_gone() {
  brought_back
}

# --- what a stop would move ------------------------------------------------------------------------------------

# ask UNIT, told PROPERTY: what systemd says of a unit.
ask() {
  asked=$(systemctl show \
    --property=Id,Names,ActiveState,LoadState,UnitFileState,FragmentPath,Transient,CanStart,CanStop,NeedDaemonReload \
    --property=RequiredBy,RequisiteOf,BoundBy,ConsistsOf,PropagatesStopTo,TriggeredBy,UpheldBy,After \
    --property=Requires,Requisite,BindsTo,Wants,StopWhenUnneeded,OnFailure,OnSuccess,KillMode \
    --property=ExecStartPre,ExecStart,EnvironmentFiles,WorkingDirectory,User,Group,DynamicUser,RootDirectory,RootImage \
    -- "$1" 2>/dev/null) || asked=''
  [ -n "$asked" ]
}

told() {
  printf '%s\n' "$asked" | sed -n "s/^$1=//p"
}

running_unit() {
  case $(told ActiveState) in
    active | reloading | refreshing | activating) return 0 ;;
  esac
  return 1
}

# protected UNIT: without it nobody could put anything back, or it is systemd's own.
protected() {
  case $1 in
    amazon-ssm-agent* | snap.amazon-ssm-agent* | ssh.* | sshd.* | ssh@* | sshd@* | ssh | sshd) return 0 ;;
    systemd-* | dbus* | init.* | user@* | user-runtime-dir@* | stormdrill-*) return 0 ;;
  esac
  return 1
}

# check_unit UNIT: refuses unless what runs there could be started again as it is. $asked is about it.
check_unit() {
  for each in $(told Names); do
    ! protected "$each" || refuse protected "without $each nobody could put it back${along:+, and the stop would take it along}"
  done
  case $1 in
    *.service | *.socket | *.timer | *.path) ;;
    *) refuse takes-along "the stop would take $1 along, which cannot be brought back as it is" ;;
  esac
  case $(told UnitFileState) in
    masked*) refuse not-startable "$1 is masked and could not be started again" ;;
  esac
  [ "$(told LoadState)" = loaded ] || refuse not-startable "$1 is not loaded ($(told LoadState)) and could not be started again"
  [ "$(told Transient)" != yes ] || refuse not-startable "$1 is transient and would be gone"
  { [ "$(told CanStart)" = yes ] && [ "$(told CanStop)" = yes ]; } || refuse not-startable "$1 cannot be started or stopped by hand"
  fragment=$(told FragmentPath)
  [ -z "$fragment" ] || [ -e "$fragment" ] || refuse not-startable "the file of $1 is gone: it could not be started again"
  [ "$(told NeedDaemonReload)" != yes ] || refuse not-as-before "the file of $1 has changed since it was loaded: it would start as another"
  [ "$(told ActiveState)" != activating ] || refuse not-steady "$1 would be stopped along, and is only just starting"
  [ "$(told KillMode)" != none ] || refuse not-stopped "$1 has KillMode=none: its processes would go on"
  check_startable "$1"
}

# find_units SERVICE: sets $units: the service, what a stop of it takes along, and what would start it again, in the
# order in which they are started. Refuses what could not be brought back.
find_units() {
  units='' waiting=$1 along='' upheld='' followers=''
  while [ -n "$waiting" ]; do
    # shellcheck disable=SC2086
    set -- $waiting
    [ "$#" -gt 0 ] || break
    one=$1
    shift
    waiting="$*"
    case " $units " in
      *" $one "*) continue ;;
    esac
    { ask "$one" && running_unit; } || continue
    check_unit "$one"
    along=yes
    units="$units${units:+ }$one"
    [ "$(count_units "$units")" -le 40 ] || refuse takes-along "the stop would take more than 40 units along"
    upheld="$upheld $(told UpheldBy)"
    followers="$followers $(told OnFailure) $(told OnSuccess)"
    for property in RequiredBy RequisiteOf BoundBy ConsistsOf PropagatesStopTo TriggeredBy; do
      waiting="$waiting $(told "$property")"
    done
    for property in Requires Requisite BindsTo Wants; do
      for needed in $(told "$property"); do
        [ "$(systemctl show --property=StopWhenUnneeded --value -- "$needed" 2>/dev/null)" != yes ] || waiting="$waiting $needed"
      done
    done
  done
  for one in $upheld; do
    case " $units " in
      *" $one "*) continue ;;
    esac
    ! ask "$one" || ! running_unit || refuse upheld "$one upholds it, and would start it again at once"
  done
  choose_followers
  order_units
}

# choose_followers: $followers without what runs already: what its end starts is stopped again before it is back.
choose_followers() {
  chosen=''
  for one in $followers; do
    case " $units $chosen " in
      *" $one "*) continue ;;
    esac
    ! ask "$one" || running_unit || chosen="$chosen${chosen:+ }$one"
  done
  followers=$chosen
}

count_units() {
  # shellcheck disable=SC2086
  set -- $1
  printf '%s\n' "$#"
}

# order_units: $units so that each comes after those of them that it starts after.
order_units() {
  left=$units units=''
  while [ -n "$left" ]; do
    later=''
    for one in $left; do
      ask "$one" || :
      after=" $(told After) "
      free=yes
      for other in $left; do
        case $after in
          *" $other "*) [ "$other" = "$one" ] || free=no ;;
        esac
      done
      if [ "$free" = yes ]; then
        units="$units${units:+ }$one"
      else
        later="$later${later:+ }$one"
      fi
    done
    # A circle is broken as systemd breaks it: anywhere.
    if [ "$later" = "$left" ]; then
      units="$units${units:+ }$later"
      break
    fi
    left=$later
  done
}

# note_run PID: keeps how a service runs, with its environment and how soon the kernel takes its memory.
note_run() {
  { cat "/proc/$1/environ" >"$unit_dir/environment" 2>/dev/null &&
    [ "$(tr '\000' '\n' <"$unit_dir/environment")" = "$(tr '\000' '\n' <"/proc/$1/environ")" ]; } ||
    { problem=no-state detail="could not keep the environment of $SSM_Service: $(room)" && return 1; }
  read -r adjusted <"/proc/$1/oom_score_adj" || adjusted=0
  save "$unit_dir/run" "$(as_run "$1")" && save "$unit_dir/service" "$SSM_Service" "$adjusted"
}
