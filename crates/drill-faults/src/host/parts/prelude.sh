# shellcheck shell=dash
# Prelude: the words, the guards, the state on disk and the one line of JSON that every document shares.
#
# A document prints exactly one line on its own stdout, and everything else goes to stderr.
# What is written on the host lives below $STATE, and every name there carries the unit.

set -eu
umask 077
LC_ALL=C
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
export LC_ALL PATH
exec 3>&1 1>&2

STATE=/var/lib/stormdrill
newline='
'
unit='' unit_dir='' tombstone=''
saved='' evidence='' problem='' detail=''
since='' until_at='' ended_at='' holds='' counters=''
concluded=no

# --- the answer ------------------------------------------------------------------------------------------------

# clean TEXT [LENGTH]: what may stand between two quotes of JSON.
clean() {
  printf '%s' "$1" | tr '\n\t' '  ' | tr -d '\000-\037"\\\177-\377' | cut -c "1-${2:-300}"
}

# conclude OUTCOME REASON DETAIL: prints the answer and ends. Takes along what is known of the fault: $saved, $evidence,
# $since, $until_at, $ended_at, $holds and $counters. With instants comes the clock that they are read from.
conclude() {
  answer='{"stormdrill":1'
  [ -z "$unit" ] || answer="$answer,\"unit\":\"$unit\""
  answer="$answer,\"outcome\":\"$1\""
  [ -z "$2" ] || answer="$answer,\"reason\":\"$2\""
  [ -z "$3" ] || answer="$answer,\"detail\":\"$(clean "$3")\""
  [ -z "$saved" ] || answer="$answer,\"saved\":$saved"
  [ -z "$evidence" ] || answer="$answer,\"evidence\":$evidence"
  answer="$answer$(instants)"
  concluded=yes
  printf '%s}\n' "$answer" >&3
  case $1 in
    landed | already | reverted | absent | alive) exit 0 ;;
    refused) exit 3 ;;
    failed) exit 4 ;;
    *) exit 5 ;;
  esac
}

# instants: what is known of a fault's time, and what it met, as more fields of an answer.
instants() {
  [ -z "$since$until_at$ended_at" ] || printf ',"time":%s' "$(now)"
  [ -z "$since" ] || printf ',"since":%s' "$since"
  [ -z "$until_at" ] || printf ',"until":%s' "$until_at"
  [ -z "$ended_at" ] || printf ',"ended_at":%s' "$ended_at"
  [ -z "$holds" ] || printf ',"holds":%s' "$holds"
  [ -z "$counters" ] || printf ',"counters":%s' "$counters"
}

refuse() {
  conclude refused "$1" "$2"
}

# --- parameters ------------------------------------------------------------------------------------------------

# parameter NAME LENGTH PATTERN: refuses unless SSM_NAME is set and matches as a whole.
# The agent has checked the same pattern; this is for the agent that has not.
parameter() {
  eval "present=\${SSM_$1+yes} value=\${SSM_$1-}"
  [ "${present:-no}" = yes ] || refuse no-env-var "SSM_$1 is not set: the agent is too old to pass parameters as variables"
  case $value in
    *"$newline"*) refuse bad-parameter "$1 has more than one line" ;;
  esac
  [ "${#value}" -le "$2" ] || refuse bad-parameter "$1 is longer than $2 characters"
  printf '%s\n' "$value" | grep -Eqx -e "$3" || refuse bad-parameter "$1 does not match its pattern"
}

# name_unit UNIT: from here on the answers and the state are about this unit.
name_unit() {
  unit=$1
  unit_dir=$STATE/units/$unit
  tombstone=$STATE/tombstones/$unit
}

# save FILE LINE...: the one way to write state. It is written, read back and compared before it has its name, so that a
# full disk is a failure here and now, with $problem and $detail, and not an empty file later.
save() {
  save_as=$1
  shift
  save_text=$(printf '%s\n' "$@")
  if { printf '%s\n' "$save_text" >"$save_as.$$"; } 2>/dev/null && [ "$(cat "$save_as.$$" 2>/dev/null)" = "$save_text" ] &&
    mv "$save_as.$$" "$save_as" 2>/dev/null; then
    return 0
  fi
  rm -f "$save_as.$$" 2>/dev/null || :
  problem=no-state detail="could not write ${save_as##*/} below $STATE: $(room)"
  return 1
}

# room: what the state's file system has left, for people.
room() {
  # shellcheck disable=SC2046
  set -- $(df -Pk "$(existing "$STATE")" 2>/dev/null | sed -n '2p')
  printf '%s KiB are free' "${4:-unknown}"
}

# store_parameters FILE, load_parameters FILE: what the revert needs to know, long after the command is gone.
store_parameters() {
  set -- "$1" ''
  for name in $PARAMETERS; do
    eval "value=\${SSM_$name}"
    set -- "$1" "$2$name=$value$newline"
  done
  save "$1" "${2%"$newline"}"
}

load_parameters() {
  while IFS='=' read -r name value; do
    export "SSM_$name=$value"
  done <"$1"
}

# --- time ------------------------------------------------------------------------------------------------------

now() {
  date +%s
}

# uptime: whole seconds since boot; nobody sets this clock.
uptime() {
  read -r seconds_up _ </proc/uptime
  printf '%s\n' "${seconds_up%%.*}"
}

nap() {
  sleep 0.2 2>/dev/null || sleep 1
}

# await SECONDS COMMAND...: tries until it succeeds, at least once.
await() {
  await_until=$(($(uptime) + $1))
  shift
  while ! "$@"; do
    [ "$(uptime)" -lt "$await_until" ] || return 1
    nap
  done
}

# --- processes -------------------------------------------------------------------------------------------------

# look PID: reads /proc/PID/stat into $state $parent $session $flags $ticks $started; fails when there is none.
look() {
  { IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  case $stat in
    *') '*) ;;
    *) stat=$(tr '\n' ' ' <"/proc/$1/stat" 2>/dev/null) || return 1 ;;
  esac
  # The name in parentheses may hold anything, so the fields are counted from its end.
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  state=$1 parent=$2 session=$4 flags=$7 ticks=$((${12} + ${13})) started=${20}
}

# lives PID:STARTED: this very process still runs. A zombie does not, and neither does a new process of that number.
lives() {
  look "${1%:*}" || return 1
  [ "$started" = "${1#*:}" ] || return 1
  case $state in
    Z | X | x) return 1 ;;
  esac
}

# identity PID: prints PID:STARTED.
identity() {
  look "$1" && printf '%s:%s\n' "$1" "$started"
}

# world: this boot, and process 1 in it. A process number means nothing in another one, be it a boot or a container.
world() {
  { read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null && look 1 && printf '%s-%s\n' "$boot" "$started"
}

# note_process FILE PID: keeps who that is, and where.
note_process() {
  noted_who=$(identity "$2") && noted_where=$(world) && save "$1" "$noted_who $noted_where"
}

# noted FILE: prints the PID:STARTED that is kept there; somebody who never lives when it is of another world.
noted() {
  noted_who='' noted_where=''
  { read -r noted_who noted_where <"$1"; } 2>/dev/null || :
  if [ -n "$noted_where" ] && [ "$noted_where" = "$(world)" ]; then
    printf '%s\n' "$noted_who"
  else
    printf 'gone:0\n'
  fi
}

# members SESSION: the running processes of a session, one a line.
members() {
  for entry in /proc/[0-9]*; do
    look "${entry#/proc/}" || continue
    [ "$session" = "$1" ] || continue
    case $state in
      Z | X | x) ;;
      *) printf '%s\n' "${entry#/proc/}" ;;
    esac
  done
}

have() {
  command -v "$1" >/dev/null 2>&1
}

# existing FOLDER: the nearest folder on the way up that is there.
existing() {
  folder=$1
  while [ ! -d "$folder" ]; do
    folder=${folder%/*}
    folder=${folder:-/}
  done
  printf '%s\n' "$folder"
}

# supervision: who holds the dead man: systemd where it is PID 1 and young enough to know the properties used.
supervision() {
  if [ -d /run/systemd/system ] && have systemd-run && have systemctl; then
    { read -r first </proc/1/comm; } 2>/dev/null || first=''
    version=$(systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
    if [ "$first" = systemd ] && [ "${version:-0}" -ge 236 ]; then
      printf 'systemd\n'
      return
    fi
  fi
  printf 'watchdog\n'
}

# unit_state NAME: what systemd says of that unit of its own.
unit_state() {
  systemctl show --property=ActiveState --value "$1" 2>/dev/null
}

# present UNIT: its supervisor is at work.
present() {
  if [ "$(supervision)" = systemd ]; then
    for name in "stormdrill-$1.service" "stormdrill-$1-end.service"; do
      case $(unit_state "$name") in
        active | activating | deactivating | reloading) return 0 ;;
      esac
    done
  fi
  lives "$(noted "$STATE/units/$1/watchdog")"
}

# awaited UNIT: its supervisor is at work, or will be: the timer that goes on until the unit is put back is set.
awaited() {
  present "$1" || { [ "$(supervision)" = systemd ] && [ "$(unit_state "stormdrill-$1-end.timer")" = active ]; }
}
