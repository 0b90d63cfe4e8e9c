#: description: Stormdrill. Keeps the disk busy.
#: timeout_seconds: 60
#: parts: [deadman, stress]
#: parameters:
#:   - name: Workers
#:     description: How many workers write and read, 0 to 512. 0 is one for each processor.
#:     pattern: '^(0|[1-9][0-9]?|[1-4][0-9]{2}|50[0-9]|51[0-2])$'
#:     length: 3
#:     default: '1'
#:   - name: Megabytes
#:     description: How many megabytes each worker uses, 1 to 65535.
#:     pattern: '^([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$'
#:     length: 5
# shellcheck shell=dash
# io-stress: workers write, read and synchronise files in the unit's own folder.

fault_check() {
  check_stress
  # shellcheck disable=SC2046
  set -- $(df -Pk "$(existing "$STATE")" | sed -n '2p')
  need=$((workers * SSM_Megabytes * 1024 + 16384))
  [ "$4" -ge "$need" ] || refuse no-space "$need KiB are needed and $4 KiB are free"
}

fault_apply() {
  saved='{"files":0}'
  workers=$SSM_Workers
  [ "$workers" -gt 0 ] || workers=$(processors)
  stress --iomix "$workers" --iomix-bytes "$((workers * SSM_Megabytes))m"
}

fault_landed() {
  busy=0 written=0
  for pid in $(stressors stress-ng-iomix); do
    busy=$((busy + 1))
    bytes=$(sed -n 's/^wchar: //p' "/proc/$pid/io" 2>/dev/null) || bytes=0
    written=$((written + ${bytes:-0}))
  done
  problem=not-seen detail="$busy processes of $workers workers have written $written bytes"
  [ "$busy" -gt "$workers" ] && [ "$written" -gt 65536 ] || return 1
  detail="$workers workers are writing"
  evidence="{\"workers\":$workers,\"processes\":$busy,\"written_bytes\":$written}"
}
