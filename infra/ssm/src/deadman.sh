# shellcheck shell=dash
# Dead man: a fault ends by itself, whatever becomes of the command that started it.
#
# The command writes nothing and changes nothing. It checks, then arms a supervisor outside its own process group; the
# supervisor saves the state, applies the fault, holds it, and reverts it. So the fault cannot be there without its end.
#
# A fault's own source gives: fault_check (may refuse, may set $frozen), fault_apply, fault_landed, fault_undo and
# fault_gone, and may set $doubt (why it has not been seen yet), replace fault_holds, PATIENCE (seconds until it must have landed) and LASTING (survives a boot).

PATIENCE=20
LASTING=no
frozen='' doubt=''

fault_holds() {
  :
}

# start: what the agent runs.
start() {
  trap 'unexpected' EXIT
  armed=no
  name_unit ''
  check_parameters
  name_unit "$SSM_Unit"
  at=$(now)
  [ "$at" -le "$SSM_NotAfter" ] || refuse too-late "it is $((at - SSM_NotAfter)) s after the last moment to start"
  seconds=$((SSM_Deadline - at))
  [ "$seconds" -le "$SSM_MaxSeconds" ] || seconds=$SSM_MaxSeconds
  [ "$seconds" -ge 1 ] || refuse deadline-passed "the deadline has passed"
  [ ! -e "$tombstone" ] || refuse tombstone "this unit has been put back before, and does not start again"
  [ "$(id -u)" = 0 ] || refuse not-root "a document runs as root"
  if present "$unit"; then
    repeated
  fi
  [ ! -e "$unit_dir" ] || refuse leftover "an earlier start of this unit left its state here: revert it first"
  for tool in flock setsid sed grep tr cut date; do
    have "$tool" || refuse no-tool "this host has no $tool"
  done
  script=$0
  case $script in
    /*) ;;
    *) script=$PWD/$script ;;
  esac
  grep -q "^DOCUMENT='$DOCUMENT'\$" "$script" 2>/dev/null || refuse no-script "the document cannot read itself at $script"
  fault_check
  arm || refuse no-dead-man "could not arm the dead man: ${problem:-no reason given}"
  report
}

# unexpected: the command itself broke. Whatever it started is put back at once.
unexpected() {
  status=$?
  [ "$concluded" = no ] || exit "$status"
  trap - EXIT
  [ "$armed" = yes ] || conclude failed unexpected "the document stopped with status $status before it changed anything"
  withdraw failed || conclude residue unexpected "the document stopped with status $status, and the fault is still there"
  conclude failed unexpected "the document stopped with status $status, and the fault has been put back"
}

# repeated: the same unit is alive. The same order again is answered from its record; another order is refused.
repeated() {
  if await "$PATIENCE" test -f "$unit_dir/result"; then
    different "$unit_dir/parameters" && refuse other-order "unit $unit is alive with other parameters"
    read_result "$unit_dir/result"
    [ "$outcome" != landed ] || conclude already "$reason" "$detail"
  fi
  refuse busy "unit $unit is alive and has not landed"
}

different() {
  for name in $PARAMETERS; do
    case $name in
      NotAfter | Deadline | MaxSeconds) continue ;;
    esac
    eval "value=\${SSM_$name}"
    grep -Fqx -e "$name=$value" "$1" || return 0
  done
  return 1
}

# arm: starts the supervisor outside of this process group.
arm() {
  until=$(($(uptime) + seconds))
  export STORMDRILL_SECONDS="$seconds" STORMDRILL_UNTIL="$until" STORMDRILL_FROZEN="$frozen"
  armed=yes
  if [ "$(supervision)" = systemd ]; then
    set -- --quiet --collect "--unit=stormdrill-$unit" "--description=Stormdrill $DOCUMENT, run $SSM_Run" \
      "--property=RuntimeMaxSec=$seconds" --property=KillSignal=SIGKILL \
      --property=TimeoutStopSec=300 --property=OOMScoreAdjust=900 \
      "--property=ExecStopPost=/bin/sh -c 'if test -f $unit_dir/document.sh; then exec /bin/sh $unit_dir/document.sh undo $unit dead-man; fi; rm -rf $unit_dir $STATE/units/.$unit.new'" \
      "--setenv=STORMDRILL_SECONDS=$seconds" "--setenv=STORMDRILL_UNTIL=$until" "--setenv=STORMDRILL_FROZEN=$frozen"
    for name in $PARAMETERS; do
      eval "value=\${SSM_$name}"
      set -- "$@" "--setenv=SSM_$name=$value"
    done
    problem=$(systemd-run "$@" /bin/sh "$script" unit 2>&1) || { armed=no && return 1; }
    return 0
  fi
  setsid /bin/sh "$script" watch </dev/null >/dev/null 2>&1 3>&- &
}

# report: waits for the supervisor's word and prints it.
report() {
  if await "$((PATIENCE + 10))" settled && [ -f "$unit_dir/result" ]; then
    read_result "$unit_dir/result"
    [ "$outcome" != landed ] || conclude landed "$reason" "$detail"
    withdraw failed || conclude residue "$reason" "$detail; it could not be put back"
    conclude failed "$reason" "$detail"
  fi
  withdraw failed || conclude residue no-answer "the supervisor did not answer, and the fault is still there"
  conclude failed no-answer "the supervisor did not answer, and the fault has been put back"
}

settled() {
  [ -f "$unit_dir/result" ] || [ -e "$tombstone" ]
}

read_result() {
  {
    IFS= read -r outcome
    IFS= read -r reason
    IFS= read -r detail
    IFS= read -r saved
    IFS= read -r evidence
  } <"$1"
}

# settle OUTCOME REASON DETAIL: the supervisor's word, whole or not at all.
settle() {
  printf '%s\n' "$1" "$2" "$(clean "$3")" "$saved" "$evidence" >"$unit_dir/result.new"
  mv "$unit_dir/result.new" "$unit_dir/result"
}

# --- the supervisor --------------------------------------------------------------------------------------------

# settle_in: makes the unit's folder, whole or not at all. Fails when somebody else has.
settle_in() {
  mkdir -p "$STATE/units" "$STATE/tombstones"
  fresh=$STATE/units/.$unit.new
  mkdir "$fresh" 2>/dev/null || return 1
  cp "$0" "$fresh/document.sh"
  store_parameters "$fresh/parameters"
  mkdir "$fresh/scratch"
  identity $$ >"$fresh/$1"
  if [ -e "$unit_dir" ] || [ -e "$tombstone" ]; then
    rm -rf "$fresh"
    return 1
  fi
  mv "$fresh" "$unit_dir"
}

# watch: the supervisor where there is no systemd: a session of its own, with the holder in another.
watch() {
  name_unit "$SSM_Unit"
  settle_in watchdog || exit 0
  [ ! -w /proc/$$/oom_score_adj ] || echo -900 >/proc/$$/oom_score_adj 2>/dev/null || :
  setsid /bin/sh "$unit_dir/document.sh" hold </dev/null >/dev/null 2>&1 &
  holder=$(identity "$!") || holder=gone:0
  while [ -d "$unit_dir" ] && lives "$holder" && [ "$(uptime)" -lt "$STORMDRILL_UNTIL" ]; do
    sleep 1 || nap || :
  done
  # For an hour: whoever looks after that long is a person.
  tries=0
  while [ -d "$unit_dir" ] && [ "$tries" -lt 720 ]; do
    undo dead-man && break
    tries=$((tries + 1))
    sleep 5 || nap || :
  done
  rm -rf "$STATE/units/.$unit.new" "$STATE/units/.$unit.gone"
}

# unit: the supervisor's main process under systemd, which runs the way back when this ends, however it ends.
unit() {
  name_unit "$SSM_Unit"
  settle_in unit || exit 0
  hold
}

# hold: applies the fault, says how that went, and stays for as long as the fault shall.
hold() {
  name_unit "$SSM_Unit"
  [ ! -w /proc/$$/oom_score_adj ] || echo 900 >/proc/$$/oom_score_adj 2>/dev/null || :
  exec 9<"$unit_dir"
  flock 9
  [ -d "$unit_dir" ] && [ ! -e "$tombstone" ] || exit 0
  identity $$ >"$unit_dir/holder"
  until=$STORMDRILL_UNTIL seconds=$STORMDRILL_SECONDS frozen=$STORMDRILL_FROZEN
  if promise_boot && fault_apply && await "$PATIENCE" fault_landed; then
    settle landed "$doubt" "$detail"
  else
    fault_undo || :
    evidence=''
    settle failed "${problem:-not-seen}" "${detail:-the fault was applied and was not seen to land}"
    until=$(($(uptime) + 10))
  fi
  exec 9<&-
  while [ -d "$unit_dir" ] && [ "$(uptime)" -lt "$until" ] && fault_holds; do
    sleep 1 || nap || :
  done
}

# promise_boot: under systemd, what the unit left behind does not outlive a boot.
promise_boot() {
  [ -f "$unit_dir/unit" ] || return 0
  if ! printf '%s\n' "# Stormdrill, unit $unit: nothing of it outlives a boot." "R! $unit_dir" "r! $(boot_entry)" >"$(boot_entry)"; then
    problem=no-boot-entry detail="could not write $(boot_entry)"
    [ "$LASTING" = no ]
  fi
}

# boot_entry: the file that makes systemd clear this unit's folder when the host boots.
boot_entry() {
  printf '/etc/tmpfiles.d/stormdrill-%s.conf\n' "$unit"
}

# --- the way back ----------------------------------------------------------------------------------------------

# bury CAUSE: the tombstone. It comes before anything is undone, and on a full disk again after.
bury() {
  [ -s "$tombstone" ] || { mkdir -p "$STATE/tombstones" && printf '%s %s\n' "$(now)" "$1" >"$tombstone"; } 2>/dev/null || :
}

# undo CAUSE: puts everything back, once at a time. Succeeds when it has seen that nothing is left.
undo() {
  bury "$1"
  end_session
  ( flock -w 120 9 && undo_alone ) 9<"$unit_dir" || [ ! -d "$unit_dir" ] || return 1
  bury "$1"
}

undo_alone() {
  [ -d "$unit_dir" ] || return 0
  end_session
  fault_undo || printf 'stormdrill: %s\n' "$problem" >&2
  await 10 fault_gone || return 1
  rm -f "$(boot_entry)"
  mv "$unit_dir" "$STATE/units/.$unit.gone"
  rm -rf "$STATE/units/.$unit.gone"
}

# end_session: ends the holder and all that it started. The session of a leader that is gone cannot be anybody else's
# while a process of ours is in it, because the kernel does not give its number away.
end_session() {
  { read -r leader <"$unit_dir/holder"; } 2>/dev/null || return 0
  if look "${leader%:*}" && [ "$started" != "${leader#*:}" ]; then
    return 0
  fi
  for pid in $(members "${leader%:*}"); do
    [ "$pid" = $$ ] || kill -KILL "$pid" 2>/dev/null || :
  done
  await 10 no_members "${leader%:*}" || :
}

no_members() {
  for pid in $(members "$1"); do
    [ "$pid" = $$ ] || return 1
  done
}

# undo_role UNIT CAUSE: what ExecStopPost and the revert run, from the copy in the unit's folder.
undo_role() {
  name_unit "$1"
  load_parameters "$unit_dir/parameters"
  [ ! -w /proc/$$/oom_score_adj ] || echo 0 >/proc/$$/oom_score_adj 2>/dev/null || :
  undo "$2" || { printf 'stormdrill: unit %s is not put back\n' "$unit" >&2 && exit 5; }
}

# withdraw CAUSE: stops the unit and puts it back. Safe at any time, and as often as one likes.
withdraw() {
  bury "$1"
  { read -r watchdog <"$unit_dir/watchdog"; } 2>/dev/null || watchdog=gone:0
  if [ "$(supervision)" = systemd ]; then
    systemctl stop "stormdrill-$unit.service" 2>/dev/null || :
  fi
  if [ -f "$unit_dir/document.sh" ]; then
    /bin/sh "$unit_dir/document.sh" undo "$unit" "$1" 3>&- || [ ! -d "$unit_dir" ] || return 1
  fi
  rm -rf "$unit_dir" "$STATE/units/.$unit.new" "$STATE/units/.$unit.gone"
  rm -f "$(boot_entry)"
  # Nothing is left for the watchdog to do; it would see that by itself within a second.
  ! lives "$watchdog" || kill -TERM "${watchdog%:*}" 2>/dev/null || :
  await 5 dead "$watchdog" || :
  bury "$1"
}

dead() {
  ! lives "$1"
}

main() {
  case ${1:-start} in
    start) start ;;
    watch) watch ;;
    unit) unit ;;
    hold) hold ;;
    undo) undo_role "$2" "$3" ;;
    *) exit 4 ;;
  esac
}
