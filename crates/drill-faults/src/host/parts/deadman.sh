# shellcheck shell=dash
# Dead man: a fault ends by itself, whatever becomes of the command that started it.
#
# The command changes nothing. It checks, then arms a supervisor outside its own process group; the supervisor saves the
# state, applies the fault, holds it, and reverts it. So the fault cannot be there without its end.
#
# A fault's own source gives: fault_check (may refuse, may set $frozen), fault_apply, fault_landed, fault_undo and
# fault_gone, and may set $doubt (why it has not been seen yet), replace fault_save (writes what the way back needs; nothing has been touched when it fails),
# fault_holds, fault_counters, PATIENCE (seconds until it must have landed), LASTING (survives a boot) and IRREVOCABLE.

PATIENCE=20
LASTING=no
# What it does cannot be taken back: it is never said not to have been made. Its `fault_save` keeps a promise.
IRREVOCABLE=no
frozen='' doubt='' holding=no
# How far a host's clock may be ahead of the one that the deadline was read from.
SKEW=60
# What a fault's functions may have set when it landed, and need to look at it again from another process.
REMEMBERED='frozen workers want hooked hooks expected landed_rules chain base_chain side ways peers_4 peers_6 spared interface root_handle delay_handle'

fault_save() {
  :
}

# outside: a file that the fault makes outside of the unit's folder.
outside() {
  :
}

# fault_holds: it is still there. Asked every second while it should be.
fault_holds() {
  fault_landed
}

# fault_counters: what met it so far, as a JSON object; nothing where nothing counts.
fault_counters() {
  :
}

# start: what the agent runs.
start() {
  trap 'unexpected' EXIT
  armed=no
  name_unit ''
  check_parameters
  name_unit "$SSM_Unit"
  [ "$(id -u)" = 0 ] || conclude refused not-root "a document runs as root"
  for tool in flock setsid sed grep tr cut date; do
    have "$tool" || conclude refused no-tool "this host has no $tool"
  done
  # A host answers for what is there before it looks at the order's times, or at anything else.
  ! somewhere || repeated
  [ ! -e "$tombstone" ] || buried
  at=$(now)
  [ "$at" -le "$SSM_NotAfter" ] || refuse too-late "it is $((at - SSM_NotAfter)) s after the last moment to start"
  # The length governs; the deadline bounds it from outside, by a clock that may be another's.
  seconds=$((SSM_Deadline + SKEW - at))
  [ "$seconds" -le "$SSM_MaxSeconds" ] || seconds=$SSM_MaxSeconds
  [ "$seconds" -ge 1 ] || refuse deadline-passed "the deadline has passed"
  script=$0
  case $script in
    /*) ;;
    *) script=$PWD/$script ;;
  esac
  grep -q "^DOCUMENT='$DOCUMENT'\$" "$script" 2>/dev/null || refuse no-script "the document cannot read itself at $script"
  fault_check
  arm || ! somewhere || repeated
  [ "$armed" = yes ] || refuse no-dead-man "could not arm the dead man: ${problem:-no reason given}"
  report
}

# refuse REASON DETAIL: nothing of this unit is here, and nothing will be: it is buried, so that no late copy of the order
# starts it. Where a copy was quicker, what that did is the answer.
refuse() {
  [ -z "$unit" ] || bar || repeated
  conclude refused "$1" "$2"
}

# somewhere: something of this unit is on this host. In the order in which a supervisor makes it.
somewhere() {
  [ -e "$STATE/units/.$unit.new" ] || [ -e "$unit_dir" ] || present "$unit"
}

# locked COMMAND...: alone among all that takes or bars a unit's place.
locked() {
  mkdir -p "$STATE/units" "$STATE/tombstones" 2>/dev/null || return 1
  ( flock -w 30 8 && "$@" ) 8<"$STATE/units"
}

# bar: no start of this unit takes its place any more. Fails when one has.
bar() {
  locked bar_alone || ! somewhere
}

bar_alone() {
  [ ! -e "$STATE/units/.$unit.new" ] && [ ! -e "$unit_dir" ] || return 1
  bury refused
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

# repeated: something of this unit is here. What that is, is the answer; never that there is nothing.
repeated() {
  await "$((PATIENCE + 10))" decided || conclude residue busy "unit $unit is alive and has not landed"
  if [ -f "$unit_dir/result" ]; then
    ! different "$unit_dir/parameters" || conclude residue other-order "unit $unit is here with other parameters"
    read_result "$unit_dir/result"
    if [ "$outcome" = landed ]; then
      # A supervisor that stands still is none.
      watchdog=$(noted "$unit_dir/watchdog")
      ! lives "$watchdog" || kill -s CONT "${watchdog%:*}" 2>/dev/null || :
      awaited "$unit" || conclude residue leftover "the fault of an earlier start is here without its dead man: revert it"
      holds=true
      ! /bin/sh "$unit_dir/document.sh" holds "$unit" 3>&- || conclude already "$reason" "$detail"
      holds=''
    fi
    # It does not hold, or never did: it is on its way out.
    await 30 over || conclude residue busy "unit $unit is here, and is being put back"
  fi
  [ ! -e "$tombstone" ] || buried
  bar || conclude residue busy "unit $unit is alive and has not landed"
  conclude refused no-state "an earlier start of this unit could not write its state: $(room)"
}

decided() {
  [ -f "$unit_dir/result" ] || over
}

over() {
  ! somewhere
}

# buried: the unit was here, or was refused, and is not to start again.
buried() {
  read_tombstone
  [ "$buried_cause" != refused ] || conclude refused tombstone "this unit was refused before, and does not start"
  since=$buried_since ended_at=$buried_at counters=$buried_counters
  conclude refused tombstone "this unit ended at $buried_at (${buried_cause:-for an unknown reason}), and does not start again"
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
  supervisor=gone:0
  if [ "$(supervision)" = systemd ]; then
    arm_end || return 1
    armed=yes
    set -- --quiet --collect "--unit=stormdrill-$unit" "--description=Stormdrill $DOCUMENT, run $SSM_Run" \
      "--property=RuntimeMaxSec=$seconds" --property=KillSignal=SIGKILL \
      --property=TimeoutStopSec=300 --property=OOMScoreAdjust=900 \
      "--property=ExecStopPost=/bin/sh -c '$(last_act dead-man)'" \
      "--setenv=STORMDRILL_SECONDS=$seconds" "--setenv=STORMDRILL_UNTIL=$until" "--setenv=STORMDRILL_FROZEN=$frozen"
    for name in $PARAMETERS; do
      eval "value=\${SSM_$name}"
      set -- "$@" "--setenv=SSM_$name=$value"
    done
    [ -z "${AWS_SSM_REGION_NAME-}" ] || set -- "$@" "--setenv=AWS_SSM_REGION_NAME=$AWS_SSM_REGION_NAME"
    problem=$(systemd-run "$@" /bin/sh "$script" unit 2>&1) || { armed=no && return 1; }
    return 0
  fi
  armed=yes
  setsid /bin/sh "$script" watch </dev/null >/dev/null 2>&1 3>&- &
  supervisor=$(identity "$!") || supervisor=gone:0
}

# arm_end: before the unit itself, the timer that goes on until the unit is put back, for as long as that takes: a way back
# that fails once at the deadline is tried again, until its cause has gone away.
arm_end() {
  problem=$(systemd-run --quiet --collect "--unit=stormdrill-$unit-end" "--description=Stormdrill puts unit $unit back" \
    "--on-active=$((seconds + 20))" --timer-property=OnUnitInactiveSec=15 --timer-property=AccuracySec=1 \
    --property=RuntimeMaxSec=300 --property=OOMScoreAdjust=-900 \
    /bin/sh -c "$(last_act again)" 2>&1)
}

# last_act CAUSE: what systemd runs when a unit ends, and again as long as there is something of it.
last_act() {
  printf '%s' "if test -f $unit_dir/document.sh; then exec /bin/sh $unit_dir/document.sh undo $unit $1; fi; " \
    "rm -rf $unit_dir $STATE/units/.$unit.new; systemctl stop --no-block stormdrill-$unit-end.timer"
}

# disarm_end: there is nothing left to put back.
disarm_end() {
  [ "$(supervision)" != systemd ] || systemctl stop --no-block "stormdrill-$unit-end.timer" 2>/dev/null || :
}

# report: waits for the supervisor's word and prints it.
report() {
  await "$((PATIENCE + 10))" settled || :
  if [ -f "$unit_dir/result" ]; then
    read_result "$unit_dir/result"
    [ "$outcome" != landed ] || conclude landed "$reason" "$detail"
    since='' until_at=''
    withdraw "$outcome" || conclude residue "$reason" "$detail; it could not be put back"
    conclude "$outcome" "$reason" "$detail"
  fi
  if [ -e "$tombstone" ]; then
    withdraw failed || conclude residue no-answer "unit $unit was ended before it was seen to land, and something is still there"
    read_tombstone
    case $buried_cause in
      revert | refused) buried ;;
    esac
    if [ "$IRREVOCABLE" = yes ] && [ -n "$buried_since" ]; then
      since=$buried_since ended_at=$buried_at counters=$buried_counters
      conclude landed unseen "it was under way, and ended before it could say what came of it"
    fi
    conclude failed no-answer "the fault was not seen to land, and has been put back"
  fi
  # The supervisor is gone and left nothing: it could not write what it needs, and so it touched nothing.
  if ! somewhere && bar; then
    disarm_end
    conclude refused no-state "could not write the state that the way back needs: $(room)"
  fi
  withdraw failed || conclude residue no-answer "the supervisor did not answer, and the fault is still there"
  conclude failed no-answer "the supervisor did not answer, and the fault has been put back"
}

settled() {
  [ ! -f "$unit_dir/result" ] || return 0
  [ ! -e "$tombstone" ] || return 0
  ! lives "$supervisor" && ! somewhere
}

read_result() {
  {
    IFS= read -r outcome
    IFS= read -r reason
    IFS= read -r detail
    IFS= read -r saved
    IFS= read -r evidence
    IFS= read -r since
    IFS= read -r until_at
    # What has no time has fewer lines.
  } <"$1" || :
}

# settle OUTCOME REASON DETAIL: the supervisor's word, whole or not at all.
settle() {
  save "$unit_dir/result" "$1" "$2" "$(clean "$3")" "$saved" "$evidence" "$since" "$until_at"
}

# promise DETAIL: the word of a fault that cannot be taken back, written before it is done, for a disk that is full after.
promise() {
  since=$(now)
  until_at=$((since + until - $(uptime)))
  save "$unit_dir/promised" landed unseen "$(clean "$1")" "$saved" "$evidence" "$since" "$until_at"
}

# keep_promise: what was promised is the word. To rename needs no room.
keep_promise() {
  mv "$unit_dir/promised" "$unit_dir/result" 2>/dev/null
}

# --- the supervisor --------------------------------------------------------------------------------------------

# settle_in ROLE: makes the unit's folder, whole or not at all, with a way back that has been tried. Fails when somebody
# else has made it, when the unit is barred, and when anything could not be written: then there is nothing.
settle_in() {
  mkdir -p "$STATE/units" "$STATE/tombstones" 2>/dev/null || return 1
  fresh=$STATE/units/.$unit.new
  mkdir "$fresh" 2>/dev/null || return 1
  if copy_document && store_parameters "$fresh/parameters" && mkdir "$fresh/scratch" && note_process "$fresh/$1" $$ &&
    self_test "$fresh" && locked take_place; then
    return 0
  fi
  rm -rf "$fresh"
  return 1
}

copy_document() {
  cat "$0" >"$fresh/document.sh" 2>/dev/null && [ "$(cat "$fresh/document.sh")" = "$(cat "$0")" ]
}

# self_test FOLDER: the copy there can be read to its end, and so can what it has to know.
self_test() {
  [ -s "$1/parameters" ] && [ "$(/bin/sh "$1/document.sh" self-test 2>/dev/null 3>&1)" = whole ]
}

take_place() {
  [ ! -e "$unit_dir" ] && [ ! -e "$tombstone" ] && mv "$fresh" "$unit_dir"
}

# watch: the supervisor where there is no systemd: a session of its own, with the holder in another.
watch() {
  name_unit "$SSM_Unit"
  settle_in watchdog || exit 0
  setsid /bin/sh "$unit_dir/document.sh" hold </dev/null >/dev/null 2>&1 &
  holder=$(identity "$!") || holder=gone:0
  watch_on
}

# relieve: takes the place of a watchdog that is gone.
relieve() {
  name_unit "$SSM_Unit"
  note_process "$unit_dir/watchdog" $$ || exit 0
  holder=$(noted "$unit_dir/holder")
  watch_on
}

watch_on() {
  [ ! -w /proc/$$/oom_score_adj ] || echo -900 >/proc/$$/oom_score_adj 2>/dev/null || :
  while [ -d "$unit_dir" ] && lives "$holder" && [ "$(uptime)" -lt "$STORMDRILL_UNTIL" ]; do
    sleep 1 || nap || :
  done
  # For as long as it takes.
  while [ -d "$unit_dir" ] && ! undo dead-man; do
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

# hold: applies the fault, says how that went, and stays until the fault ends.
hold() {
  name_unit "$SSM_Unit"
  [ ! -w /proc/$$/oom_score_adj ] || echo 900 >/proc/$$/oom_score_adj 2>/dev/null || :
  exec 9<"$unit_dir"
  flock 9
  [ -d "$unit_dir" ] && [ ! -e "$tombstone" ] || exit 0
  until=$STORMDRILL_UNTIL seconds=$STORMDRILL_SECONDS frozen=$STORMDRILL_FROZEN
  landed=no
  if ! { note_process "$unit_dir/holder" $$ && promise_boot && fault_save; }; then
    give_up
  elif fault_apply && await "$PATIENCE" fault_landed; then
    landed=yes since=$(now)
    until_at=$((since + until - $(uptime)))
    { remember && settle landed "$doubt" "$detail"; } || keep_promise
  else
    fault_undo || :
    evidence=''
    settle failed "${problem:-not-seen}" "${detail:-the fault was applied and was not seen to land}" || :
    until=$(($(uptime) + 10))
  fi
  exec 9<&-
  relief=gone:0 missed=0 holding=yes
  while [ -d "$unit_dir" ] && [ "$(uptime)" -lt "$until" ] && still_holds; do
    watch_the_watchdog
    sleep 1 || nap || :
  done
  [ -d "$unit_dir" ] || [ "$landed" = no ] || vanished
}

# give_up: nothing has been touched, and what the way back needs could not be written.
give_up() {
  saved='' evidence=''
  if ! settle refused "${problem:-no-state}" "${detail:-could not write the state that the way back needs}"; then
    rm -f "$(boot_entry)"
    mv "$unit_dir" "$STATE/units/.$unit.gone" && rm -rf "$STATE/units/.$unit.gone"
    exit 0
  fi
  until=$(($(uptime) + 10))
}

# still_holds: one look may err; three in a row are an end, which began with the first of them.
still_holds() {
  [ "$landed" = yes ] || return 0
  if fault_holds; then
    missed=0
    return 0
  fi
  missed=$((missed + 1))
  [ "$missed" -gt 1 ] || missed_at=$(now)
  [ "$missed" -ge 3 ] || return 0
  save "$unit_dir/ended" "$missed_at" || :
  return 1
}

# watch_the_watchdog: one that was stopped goes on, and one that is gone is replaced.
watch_the_watchdog() {
  [ -f "$unit_dir/watchdog" ] || return 0
  watchdog=$(noted "$unit_dir/watchdog")
  if lives "$watchdog"; then
    [ "$state" != T ] || kill -s CONT "${watchdog%:*}" 2>/dev/null || :
  elif ! lives "$relief"; then
    setsid /bin/sh "$unit_dir/document.sh" relieve </dev/null >/dev/null 2>&1 &
    relief=$(identity "$!") || relief=gone:0
  fi
}

# vanished: somebody removed the folder. What is still known here is undone from here.
vanished() {
  for pid in $(members "$$"); do
    [ "$pid" = $$ ] || kill -KILL "$pid" 2>/dev/null || :
  done
  fault_undo || :
  rm -f "$(boot_entry)"
  bury folder-gone
}

# remember, recall: what a look from another process needs.
remember() {
  set --
  for name in $REMEMBERED; do
    eval "value=\${$name-}"
    [ -z "$value" ] || set -- "$@" "$name=$value"
  done
  [ "$#" = 0 ] || save "$unit_dir/remembered" "$@"
}

recall() {
  [ -f "$unit_dir/remembered" ] || return 0
  while IFS='=' read -r name value; do
    case " $REMEMBERED " in
      *" $name "*) eval "$name=\$value" ;;
    esac
  done <"$unit_dir/remembered"
}

# promise_boot: under systemd, what the unit left behind does not outlive a boot.
promise_boot() {
  [ -f "$unit_dir/unit" ] || return 0
  other=$(outside)
  save "$(boot_entry)" "# Stormdrill, unit $unit: nothing of it outlives a boot." "R! $unit_dir" ${other:+"r! $other"} "r! $(boot_entry)" && return 0
  problem=no-boot-entry detail="could not write $(boot_entry)"
  [ "$LASTING" = no ]
}

# boot_entry: the file that makes systemd clear this unit's folder when the host boots.
boot_entry() {
  printf '/etc/tmpfiles.d/stormdrill-%s.conf\n' "$unit"
}

# --- the way back ----------------------------------------------------------------------------------------------

# bury CAUSE: the tombstone. It comes before anything is undone, and on a full disk again after.
bury() {
  [ -s "$tombstone" ] || { mkdir -p "$STATE/tombstones" 2>/dev/null && save "$tombstone" "$(now) $1 - "; } || :
}

# epitaph: the tombstone again, with what is known only now: when it ended, since when it was there, what it met.
epitaph() {
  read_tombstone
  ended_at=$(now)
  if [ -s "$unit_dir/ended" ]; then
    buried_cause=ended-early
    read -r ended_at <"$unit_dir/ended"
  fi
  outcome=''
  [ ! -f "$unit_dir/promised" ] || read_result "$unit_dir/promised"
  [ ! -f "$unit_dir/result" ] || read_result "$unit_dir/result"
  [ "$outcome" = landed ] || since=''
  save "$tombstone" "$ended_at ${buried_cause:-$1} ${since:--} $counters" || :
}

# read_tombstone: sets what it says; nothing where there is none.
read_tombstone() {
  buried_at='' buried_cause='' buried_since='' buried_counters=''
  { read -r buried_at buried_cause buried_since buried_counters <"$tombstone"; } 2>/dev/null || :
  [ "$buried_since" != - ] || buried_since=''
}

# undo CAUSE: puts everything back, once at a time. Succeeds when it has seen that nothing is left.
undo() {
  bury "$1"
  end_session
  ( flock -w 120 9 && undo_alone "$1" ) 9<"$unit_dir" || [ ! -d "$unit_dir" ] || return 1
  bury "$1"
}

undo_alone() {
  [ -d "$unit_dir" ] || return 0
  end_session
  recall
  [ -n "$counters" ] || counters=$(fault_counters) || counters=''
  fault_undo || printf 'stormdrill: %s\n' "$problem" >&2
  await 10 fault_gone || return 1
  rm -f "$(boot_entry)"
  epitaph "$1"
  mv "$unit_dir" "$STATE/units/.$unit.gone"
  rm -rf "$STATE/units/.$unit.gone"
  disarm_end
}

# end_session: ends the holder and all that it started. The session of a leader that is gone cannot be anybody else's
# while a process of ours is in it, because the kernel does not give its number away, in the world that it is of.
end_session() {
  leader=$(noted "$unit_dir/holder")
  [ "$leader" != gone:0 ] || return 0
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

# undo_role UNIT CAUSE: what ExecStopPost, the timer and the revert run, from the copy in the unit's folder.
undo_role() {
  name_unit "$1"
  load_parameters "$unit_dir/parameters"
  [ ! -w /proc/$$/oom_score_adj ] || echo 0 >/proc/$$/oom_score_adj 2>/dev/null || :
  cause=$2
  [ "$2" != again ] || cause=dead-man
  undo "$cause" && return 0
  # A start of the timer's own service that fails sets the timer for the next one.
  [ "$2" != dead-man ] || systemctl start --no-block "stormdrill-$unit-end.service" 2>/dev/null || :
  printf 'stormdrill: unit %s is not put back\n' "$unit" >&2
  exit 5
}

# holds_role UNIT, counters_role UNIT: a look at the fault from outside, by the copy in the unit's folder.
holds_role() {
  name_unit "$1"
  load_parameters "$unit_dir/parameters"
  recall
  read_result "$unit_dir/result"
  # It may be changing just now.
  [ "$outcome" = landed ] && { fault_holds || { nap && recall && fault_holds; }; }
}

counters_role() {
  name_unit "$1"
  load_parameters "$unit_dir/parameters"
  recall
  fault_counters >&3
}

# withdraw CAUSE: stops the unit and puts it back. Safe at any time, and as often as one likes.
withdraw() {
  bury "$1"
  watchdog=$(noted "$unit_dir/watchdog")
  if [ "$(supervision)" = systemd ]; then
    systemctl stop "stormdrill-$unit.service" 2>/dev/null || :
  fi
  if [ -d "$unit_dir" ]; then
    way_back "$1" || [ ! -d "$unit_dir" ] || return 1
  fi
  rm -rf "$unit_dir" "$STATE/units/.$unit.new" "$STATE/units/.$unit.gone"
  rm -f "$(boot_entry)" "$tombstone".[0-9]*
  disarm_end
  # Nothing is left for the watchdog to do; it would see that by itself within a second, unless it stands still.
  ! lives "$watchdog" || kill -s TERM "${watchdog%:*}" 2>/dev/null || :
  ! lives "$watchdog" || kill -s CONT "${watchdog%:*}" 2>/dev/null || :
  await 5 dead "$watchdog" || :
  bury "$1"
}

# way_back CAUSE: the unit's own copy, which knows its fault best; and this document's, where that one is broken.
way_back() {
  if self_test "$unit_dir"; then
    /bin/sh "$unit_dir/document.sh" undo "$unit" "$1" 3>&-
  else
    undo "$1"
  fi
}

dead() {
  ! lives "$1"
}

main() {
  case ${1:-start} in
    start) start ;;
    watch) watch ;;
    relieve) relieve ;;
    unit) unit ;;
    hold) hold ;;
    undo) undo_role "$2" "$3" ;;
    holds) holds_role "$2" ;;
    counters) counters_role "$2" ;;
    self-test) printf 'whole\n' >&3 ;;
    *) exit 4 ;;
  esac
}
