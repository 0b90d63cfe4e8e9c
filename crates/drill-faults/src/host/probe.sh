#: description: Stormdrill. Says what this host can do and which units are alive on it. Changes nothing.
#: timeout_seconds: 60
#: parts: [firewall, queue]
#: common: []
#: parameters:
#:   - name: Unit
#:     description: The unit to ask about, or -.
#:     pattern: '^(-|[0-9a-f]{16})$'
#:     length: 16
#:     default: '-'
# shellcheck shell=dash
# probe: what this host can do, and which units are alive on it. Changes nothing.

probe() {
  trap 'broken' EXIT
  check_parameters
  more='' interface=''
  choose_interface default || interface=''
  queue=default
  { [ -n "$interface" ] && have tc && queue=$(root_queue); } || :
  line='{"stormdrill":1'
  if [ "$SSM_Unit" != - ]; then
    line="$line,\"unit\":\"$SSM_Unit\""
    if present "$SSM_Unit"; then
      line="$line,\"present\":true"
    else
      line="$line,\"present\":false"
    fi
    known_of "$SSM_Unit"
  fi
  line="$line,\"outcome\":\"alive\",\"time\":$(now),\"booted\":$(sed -n 's/^btime //p' /proc/stat)"
  line="$line,\"supervision\":\"$(supervision)\",\"capabilities\":[$(quoted "$(capabilities)")],\"units\":[$(quoted "$(units)")]"
  line="$line,\"interface\":\"$interface\",\"root_qdisc\":\"$queue\"$more}"
  concluded=yes
  printf '%s\n' "$line" >&3
  exit 0
}

# known_of UNIT: sets $more: whether the fault holds, since when, until when, and what it met so far; or when it ended.
known_of() {
  name_unit "$1"
  if [ -f "$unit_dir/result" ]; then
    outcome=''
    {
      IFS= read -r outcome
      for _ in reason detail saved evidence; do
        IFS= read -r _
      done
      IFS= read -r since
      IFS= read -r until_at
    } <"$unit_dir/result" || :
    [ "$outcome" = landed ] || return 0
    holds=false
    ! /bin/sh "$unit_dir/document.sh" holds "$unit" 3>&- || holds=true
    counters=$(/bin/sh "$unit_dir/document.sh" counters "$unit" 3>&1) || counters=''
  elif [ -s "$tombstone" ]; then
    cause=''
    { read -r ended_at cause since counters <"$tombstone"; } 2>/dev/null || :
    [ "$since" != - ] || since=''
    more=",\"reason\":\"$cause\""
  fi
  # The time is said already.
  more=$more$(instants | sed 's/^,"time":[0-9]*//')
}

broken() {
  status=$?
  [ "$concluded" = no ] || exit "$status"
  trap - EXIT
  conclude failed unexpected "the probe stopped with status $status: nothing is known"
}

quoted() {
  # shellcheck disable=SC2086
  set -- $1
  list=''
  for word in "$@"; do
    list="$list${list:+,}\"$word\""
  done
  printf '%s\n' "$list"
}

capabilities() {
  ! can_delay || echo netem
  ! tables | grep -qx iptables || echo iptables
  ! tables | grep -qx ip6tables || echo ip6tables
  ! have stress-ng || echo stress-ng
  if have fallocate || have dd; then
    echo fallocate
  fi
  ! have flock || ! have setsid || echo supervision
  ! have service && [ "$(supervision)" != systemd ] || echo service
  ! bounded || echo bounds
}

# bounded: a fault cannot take more than this host's own share of the machine: either the machine is its own, which
# shows by its kernel threads, or memory and processors are bounded by groups.
bounded() {
  kernel=''
  { read -r kernel <"/proc/2/comm"; } 2>/dev/null || :
  [ "$kernel" != kthreadd ] || return 0
  bounded_memory && bounded_processors
}

bounded_memory() {
  for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    bound=''
    [ ! -r "$file" ] || read -r bound <"$file"
    case $bound in
      '' | *[!0-9]*) ;;
      *) [ "${#bound}" -ge 18 ] || return 0 ;;
    esac
  done
  return 1
}

bounded_processors() {
  for file in /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us; do
    bound=''
    [ ! -r "$file" ] || read -r bound _ <"$file"
    case $bound in
      '' | max | *[!0-9]*) ;;
      *) return 0 ;;
    esac
  done
  return 1
}

# units: those that are alive, at most 40: the answer has to fit.
units() {
  listed=0
  for folder in "$STATE"/units/*; do
    [ -d "$folder" ] || continue
    present "${folder##*/}" || continue
    printf '%s\n' "${folder##*/}"
    listed=$((listed + 1))
    [ "$listed" -lt 40 ] || break
  done
}

main() {
  probe
}
