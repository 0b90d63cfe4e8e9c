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
concluded=no

# --- the answer ------------------------------------------------------------------------------------------------

# clean TEXT [LENGTH]: what may stand between two quotes of JSON.
clean() {
  printf '%s' "$1" | tr '\n\t' '  ' | tr -d '\000-\037"\\\177-\377' | cut -c "1-${2:-300}"
}

# conclude OUTCOME REASON DETAIL: prints the answer and ends. Takes $saved and $evidence along.
conclude() {
  answer='{"stormdrill":1'
  [ -z "$unit" ] || answer="$answer,\"unit\":\"$unit\""
  answer="$answer,\"outcome\":\"$1\""
  [ -z "$2" ] || answer="$answer,\"reason\":\"$2\""
  [ -z "$3" ] || answer="$answer,\"detail\":\"$(clean "$3")\""
  [ -z "$saved" ] || answer="$answer,\"saved\":$saved"
  [ -z "$evidence" ] || answer="$answer,\"evidence\":$evidence"
  concluded=yes
  printf '%s}\n' "$answer" >&3
  case $1 in
    landed | already | reverted | absent | alive) exit 0 ;;
    refused) exit 3 ;;
    failed) exit 4 ;;
    *) exit 5 ;;
  esac
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

# store_parameters FILE, load_parameters FILE: what the revert needs to know, long after the command is gone.
store_parameters() {
  for name in $PARAMETERS; do
    eval "value=\${SSM_$name}"
    printf '%s=%s\n' "$name" "$value"
  done >"$1"
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

# present UNIT: its supervisor is at work.
present() {
  if [ "$(supervision)" = systemd ]; then
    case $(systemctl show --property=ActiveState --value "stormdrill-$1.service" 2>/dev/null) in
      active | activating | deactivating | reloading) return 0 ;;
    esac
  fi
  [ -f "$STATE/units/$1/watchdog" ] && { read -r watchdog <"$STATE/units/$1/watchdog"; } 2>/dev/null && lives "$watchdog"
}
