#: description: Stormdrill. Takes memory until a share of what the host may use is in use.
#: timeout_seconds: 60
#: parts: [deadman, stress]
#: parameters:
#:   - name: Percent
#:     description: The share of the memory in use, 1 to 90, what was in use before included.
#:     pattern: '^([1-8][0-9]?|9|90)$'
#:     length: 2
#:   - name: Workers
#:     description: How many workers share it, 0 to 512. 0 is one for each processor.
#:     pattern: '^(0|[1-9][0-9]?|[1-4][0-9]{2}|50[0-9]|51[0-2])$'
#:     length: 3
#:     default: '1'
# shellcheck shell=dash
# memory-stress: memory is taken until a share of what this host may use is in use.
# What was in use before counts; a reserve stays for the agent and the way back; the workers die first.

fault_check() {
  check_stress
  measure_memory
  want=$((limit * SSM_Percent / 100 - used))
  reserve=$((limit / 20))
  [ "$reserve" -ge 16384 ] || reserve=16384
  [ "$want" -ge $((workers * 1024)) ] || refuse already-above "$((used * 100 / limit)) % of the memory is in use already"
  [ $((limit - used - want)) -ge "$reserve" ] || refuse no-reserve "$SSM_Percent % of $limit KiB leaves less than $reserve KiB"
  frozen="$want $used $limit"
}

# measure_memory: sets $limit and $used, in KiB: of the machine, or of the tightest bound around this process.
measure_memory() {
  limit=$(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo)
  used=$((limit - $(sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1/p' /proc/meminfo)))
  # Under systemd the fault runs in a slice of its own, not within the agent's bounds.
  [ "$(supervision)" = watchdog ] || return 0
  own=$(sed -n 's/^0:://p' /proc/self/cgroup)
  bound_by /sys/fs/cgroup "$own" memory.max memory.current inactive_file
  own=$(sed -n 's/^[0-9]*:\([^:]*,\)*memory\(,[^:]*\)*://p' /proc/self/cgroup)
  bound_by /sys/fs/cgroup/memory "$own" memory.limit_in_bytes memory.usage_in_bytes total_inactive_file
}

# bound_by ROOT PATH LIMIT USAGE CACHE: narrows $limit and $used to the tightest group from PATH up to ROOT.
bound_by() {
  group=$1/${2#/}
  while :; do
    bound=''
    [ ! -r "$group/$3" ] || read -r bound <"$group/$3"
    case $bound in
      '' | *[!0-9]*) ;;
      *)
        if [ "${#bound}" -lt 18 ] && [ $((bound / 1024)) -lt "$limit" ]; then
          limit=$((bound / 1024))
          read -r used <"$group/$4"
          cache=$(sed -n "s/^$5 //p" "$group/memory.stat")
          used=$(((used - ${cache:-0}) / 1024))
        fi
        ;;
    esac
    [ "${#group}" -gt "${#1}" ] || break
    group=${group%/*}
  done
}

fault_apply() {
  # shellcheck disable=SC2086
  set -- $frozen
  want=$1
  saved="{\"used_kib\":$2,\"limit_kib\":$3}"
  workers=$SSM_Workers
  [ "$workers" -gt 0 ] || workers=$(processors)
  # Taken once, written to once, and held: this is about memory, not about processors.
  stress --vm "$workers" --vm-bytes "${want}k" --vm-keep --vm-populate --vm-hang 0 --vm-method write64
}

fault_landed() {
  held=0
  for pid in $(stressors stress-ng-vm); do
    resident=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB$/\1/p' "/proc/$pid/status" 2>/dev/null)
    held=$((held + ${resident:-0}))
  done
  problem=not-seen detail="$held of $want KiB are held"
  [ "$held" -ge $((want * 9 / 10)) ] || return 1
  detail="$held KiB are held"
  evidence="{\"wanted_kib\":$want,\"held_kib\":$held}"
}
