# shellcheck shell=dash
# Processes: which running processes are meant, and never the wrong ones.
#
# An order names them by process, command line, user, systemd unit or container; what it names, all of it must be so.
# Every one is compared as it is written: nothing is a pattern.

# candidates: sets $matched to PID:STARTED of every process that is meant, blank separated.
# Never process 1, a kernel thread, the agent, a way into the host, the command itself, anything it descends from, or what
# holds another unit: a fault that kills every `sh` must not kill the dead man of its neighbour.
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
    found="$pid:$started" above=$parent
    if meant "$pid" && ! of_the_agent; then
      matched="$matched${matched:+ }$found"
    fi
  done
}

# meant PID: it is what the order names. The cheap questions come first.
meant() {
  { IFS= read -r short <"/proc/$1/comm"; } 2>/dev/null || return 1
  case $short in
    amazon-ssm-agen | ssm-agent-worke | ssm-document-wo | ssm-session-wor) return 1 ;;
    sshd | sshd-* | systemd | systemd-* | dbus-daemon | dbus-broker*) return 1 ;;
  esac
  [ "$SSM_User" = - ] || runs_as "$1" || return 1
  [ "$SSM_SystemdUnit$SSM_Container" = -- ] || grouped "$1" || return 1
  [ "$SSM_Process" = - ] || called "$1" "$SSM_Process" || return 1
  [ "$SSM_CommandLine" = - ] || says "$1" || return 1
}

# runs_as PID: by its effective user, as `ps` shows it.
runs_as() {
  while read -r key _ effective _; do
    [ "$key" != Uid: ] || break
  done 2>/dev/null <"/proc/$1/status" || return 1
  [ "$key" = Uid: ] && [ "$effective" = "$user_number" ]
}

# grouped PID: by its control group, whose path has the unit or the container's id in it, whoever runs the container.
grouped() {
  in_unit=no in_container=no
  [ "$SSM_SystemdUnit" != - ] || in_unit=yes
  [ "$SSM_Container" != - ] || in_container=yes
  while IFS= read -r group; do
    case $group/ in
      *"/$SSM_SystemdUnit/"*) in_unit=yes ;;
    esac
    case $group/ in
      *"/$SSM_Container"* | *"-$SSM_Container"*) in_container=yes ;;
    esac
  done 2>/dev/null <"/proc/$1/cgroup" || return 1
  [ "$in_unit$in_container" = yesyes ]
}

# called PID NAME: by the kernel's name for it, its program file, the first word of its command line, or the script that
# the kernel started an interpreter for.
called() {
  # The kernel keeps 15 characters: a name of 15 may be the start of a longer one, so something else decides.
  if [ "${#2}" -lt 15 ] && [ "$short" = "$2" ]; then
    return 0
  fi
  program=$(readlink "/proc/$1/exe" 2>/dev/null) || program=''
  program=${program% (deleted)}
  [ "${program##*/}" != "$2" ] || return 0
  words=$({ tr '\n\0' ' \n' <"/proc/$1/cmdline"; } 2>/dev/null) || return 1
  word=${words%%"$newline"*}
  [ "${word##*/}" != "$2" ] || return 0
  runs_script "$2" && return 0
  case $2 in
    "$short"*) [ "${#short}" = 15 ] || return 1 ;;
    *) return 1 ;;
  esac
  case /$words$newline in
    *"/$2$newline"*) return 0 ;;
  esac
  return 1
}

# runs_script NAME: $program is an interpreter, and what it was started for has that name: the first of $words that is
# neither an option nor the value of one.
runs_script() {
  case ${program##*/} in
    python* | pypy* | perl* | ruby* | node | nodejs | php* | lua* | bash | dash | sh | ash | ksh* | zsh* | busybox | java | dotnet | mono*) ;;
    *) return 1 ;;
  esac
  rest=$words$newline
  while
    rest=${rest#*"$newline"}
    [ -n "$rest" ]
  do
    word=${rest%%"$newline"*}
    case $word in
      # A program that stands in the command line itself has no name.
      -c | -e | --eval) return 1 ;;
      -X | -W | -I | -r | -d | -o | -O | -cp | -classpath | --class-path | -p | --module-path) rest=${rest#*"$newline"} ;;
      -*) ;;
      *)
        [ "${word##*/}" = "$1" ]
        return
        ;;
    esac
  done
  return 1
}

# says PID: its command line, with one blank between the words, has the text in it.
says() {
  line=$({ tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null) || return 1
  case $line in
    # An order that is on its way to systemd says what it is about.
    *--unit=stormdrill-*) return 1 ;;
    *"$SSM_CommandLine"*) return 0 ;;
  esac
  return 1
}

# of_the_agent: what descends from the agent is an order of somebody, ours among them. Walks up from $above.
of_the_agent() {
  steps=0
  while [ "$above" -gt 1 ] && [ "$steps" -lt 64 ]; do
    { IFS= read -r short <"/proc/$above/comm"; } 2>/dev/null || return 1
    case $short in
      amazon-ssm-agen | ssm-agent-worke | ssm-document-wo) return 0 ;;
    esac
    look "$above" || return 1
    above=$parent steps=$((steps + 1))
  done
  return 1
}

# whom: the order's words for them.
whom() {
  text=''
  [ "$SSM_Process" = - ] || text="$text called $SSM_Process"
  [ "$SSM_CommandLine" = - ] || text="$text with \`$SSM_CommandLine' in the command line"
  [ "$SSM_User" = - ] || text="$text of user $SSM_User"
  [ "$SSM_SystemdUnit" = - ] || text="$text in unit $SSM_SystemdUnit"
  [ "$SSM_Container" = - ] || text="$text in container $SSM_Container"
  printf '%s\n' "${text# }"
}

# check_matched: refuses unless there are such processes, and not too many; freezes which.
check_matched() {
  case "$SSM_Process$SSM_CommandLine$SSM_User$SSM_SystemdUnit$SSM_Container" in
    -----) refuse nobody-named "the order names no process" ;;
  esac
  user_number=$SSM_User
  case $SSM_User in
    - | *[!0-9]*) [ "$SSM_User" = - ] || user_number=$(id -u "$SSM_User" 2>/dev/null) || refuse no-user "this host has no user $SSM_User" ;;
  esac
  candidates
  [ -n "$matched" ] || refuse no-match "no process $(whom)"
  count=$(count_words "$matched")
  [ "$count" -le "$SSM_AtMost" ] || refuse too-many "$(some_processes "$count") $(whom), and at most $SSM_AtMost may be meant"
  frozen=$matched
}

# some_processes NUMBER: with its noun.
some_processes() {
  [ "$1" = 1 ] && printf '1 process\n' || printf '%s processes\n' "$1"
}

# saved_processes: how many there are, and which.
saved_processes() {
  printf '{"processes":%s,"pids":%s}\n' "$(count_words "$frozen")" "$(some_pids "$frozen")"
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
