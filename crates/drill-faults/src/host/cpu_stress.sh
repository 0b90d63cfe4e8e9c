#: description: Stormdrill. Keeps the processors busy.
#: timeout_seconds: 60
#: parts: [deadman, stress]
#: parameters:
#:   - name: Percent
#:     description: How busy each worker is, 1 to 100.
#:     pattern: '^([1-9][0-9]?|100)$'
#:     length: 3
#:   - name: Workers
#:     description: How many workers, 0 to 512. 0 is one for each processor.
#:     pattern: '^(0|[1-9][0-9]?|[1-4][0-9]{2}|50[0-9]|51[0-2])$'
#:     length: 3
#:     default: '0'
# shellcheck shell=dash
# cpu-stress: every worker keeps a processor busy for a share of the time.

fault_check() {
  check_stress
}

fault_apply() {
  saved="{\"processors\":$(processors)}"
  workers=$SSM_Workers
  [ "$workers" -gt 0 ] || workers=$(processors)
  stress --cpu "$workers" --cpu-load "$SSM_Percent" --cpu-method matrixprod
}

fault_landed() {
  busy=0 spent=0
  for pid in $(stressors stress-ng-cpu); do
    look "$pid" || continue
    busy=$((busy + 1)) spent=$((spent + ticks))
  done
  problem=not-seen detail="$busy of $workers workers run, and have used $spent ticks"
  # A tick of processor time for each: not only there, but at work.
  [ "$busy" -ge "$workers" ] && [ "$spent" -ge "$workers" ] || return 1
  detail="$busy workers are busy"
  evidence="{\"workers\":$busy,\"ticks\":$spent}"
}
