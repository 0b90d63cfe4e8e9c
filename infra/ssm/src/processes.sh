# shellcheck shell=dash
# Processes: which running processes bear a name, and never the wrong ones.

# candidates NAME: sets $matched to PID:STARTED of every process of that exact name, blank separated.
# Never process 1, a kernel thread, the agent, the command itself, anything it descends from, or what holds another
# unit: a fault that kills every `sh` must not kill the dead man of its neighbour.
candidates() {
  matched=''
  kin=" $$ "
  look $$
  while [ "$parent" -gt 0 ]; do
    kin="$kin$parent "
    look "$parent" || break
  done
  keepers=' '
  for keeper in "$STATE"/units/*/holder "$STATE"/units/*/watchdog; do
    ! { read -r keeper <"$keeper"; } 2>/dev/null || keepers="$keepers${keeper%:*} "
  done
  for entry in /proc/[0-9]*; do
    pid=${entry#/proc/}
    look "$pid" || continue
    # A session of its own is what every keeper has; that of our ancestors may be everybody's.
    case $kin$keepers in
      *" $pid "*) continue ;;
    esac
    case $keepers in
      *" $session "*) continue ;;
    esac
    # 0x00200000 is PF_KTHREAD.
    if [ "$pid" = 1 ] || [ "$parent" = $$ ] || [ $((flags & 0x200000)) -ne 0 ]; then
      continue
    fi
    case $state in
      Z | X | x) continue ;;
    esac
    found="$pid:$started"
    called "$pid" "$1" || continue
    matched="$matched${matched:+ }$found"
  done
}

# called PID NAME: by the kernel's name for it, its program file or the first word of its command line.
called() {
  { IFS= read -r short <"/proc/$1/comm"; } 2>/dev/null || return 1
  case $short in
    amazon-ssm-agen | ssm-agent-worke | ssm-document-wo | ssm-session-wor) return 1 ;;
  esac
  # The kernel keeps 15 characters: a name of 15 may be the start of a longer one, so the program decides.
  if [ "${#2}" -lt 15 ] && [ "$short" = "$2" ]; then
    return 0
  fi
  program=$(readlink "/proc/$1/exe" 2>/dev/null) || program=''
  program=${program% (deleted)}
  [ "${program##*/}" != "$2" ] || return 0
  word=$({ tr '\0' '\n' <"/proc/$1/cmdline"; } 2>/dev/null | sed -n 1p)
  [ "${word##*/}" = "$2" ]
}

# check_matched: refuses unless there is a process of that name, and freezes which.
check_matched() {
  candidates "$SSM_Process"
  [ -n "$matched" ] || refuse no-match "no process is called $SSM_Process"
  count=$(count_words "$matched")
  [ "$count" -le 2000 ] || refuse too-many "$count processes are called $SSM_Process"
  frozen=$matched
}

count_words() {
  # shellcheck disable=SC2086
  set -- $1
  printf '%s\n' "$#"
}

# some_pids LIST: the first ten, as a JSON list.
some_pids() {
  shown=''
  for one in $1; do
    shown="$shown${shown:+,}${one%:*}"
    [ "$(count_words "$(printf '%s' "$shown" | tr ',' ' ')")" -lt 10 ] || break
  done
  printf '[%s]\n' "$shown"
}
