#!/bin/bash
# What the host ring does in the microVM: every document under real systemd. Runs as the agent would, in a service of its
# own. Each trial is one line of JSON on the second serial line; the boot after the reset looks at what was left.
set -u
ring=/opt/ring
exec 8>/dev/ttyS1
# The serial line takes bytes as they are.
stty -F /dev/ttyS1 raw -echo 2>/dev/null

say() { # NAME true|false DETAIL
  local detail
  # shellcheck disable=SC1003
  detail=$(printf '%s' "${3:-}" | tr '\n\t' '  ' | tr -d '"\\' | cut -c 1-1500)
  printf '{"trial":"%s","held":%s,"detail":"%s"}\n' "$1" "$2" "$detail" >&8
}

# --- the agent -------------------------------------------------------------------------------------------------

number=0
next_unit() {
  number=$((number + 1))
  unit=$(printf '%016x' $((0xabc0000000000000 + number * 0x0001000100010001)))
}

# start DOCUMENT SECONDS NAME=VALUE...: becomes the command, in a group of its own.
start() {
  local document=$1 seconds=$2 at
  shift 2
  at=$(date +%s)
  exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "SSM_Unit=$unit" SSM_Run=ring-1 "SSM_NotAfter=$((at + 60))" \
    "SSM_Deadline=$((at + seconds))" "SSM_MaxSeconds=$seconds" SSM_Spare=- SSM_Name=- SSM_Interface=default SSM_JitterMs=0 \
    SSM_Process=- SSM_CommandLine=- SSM_User=- SSM_SystemdUnit=- SSM_Container=- SSM_AtMost=2000 SSM_Volume=- \
    "$@" setsid --wait /bin/sh "$ring/$document.sh"
}

# order DOCUMENT SECONDS NAME=VALUE...: sets $answer and $status.
order() {
  answer=$(start "$@" 2>"$ring/stderr")
  status=$?
}

revert() {
  order revert 60
}

said() {
  case $answer in
    *"\"outcome\":\"$1\""*) return 0 ;;
  esac
  return 1
}

until_holds() { # SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}

# --- what is seen from outside of the documents ------------------------------------------------------------------

state() {
  iptables-save | grep -v '^#' | sed 's/ \[[0-9:]*\]//'
  ip6tables-save | grep -v '^#' | sed 's/ \[[0-9:]*\]//'
  tc qdisc show
  tc filter show dev eth0
  ip rule
  find /var/lib/stormdrill -mindepth 2 ! -path '*/tombstones/*' | sort
  find /etc -printf '%p %s %m %T@\n' | grep -Ev '^/etc(/tmpfiles.d)? ' | sort | sha256sum
  systemctl list-units --all --plain --no-legend 'stormdrill-*'
  systemctl --failed --plain --no-legend
  systemctl is-active orders
  cat /proc/[0-9]*/comm 2>/dev/null | grep -E 'stress|victim' | sort
}

is_as_before() {
  [ "$(state)" = "$before" ]
}

letters() {
  sed -n 's/^[0-9]* (victim-api) \(.\).*/\1/p' /proc/[0-9]*/stat 2>/dev/null | tr -d '\nZ'
}

victims() {
  cp -n /usr/bin/sleep "$ring/victim-api"
  while [ "$(letters | wc -c)" -lt 2 ]; do
    systemd-run --quiet --collect "$ring/victim-api" infinity
    sleep 0.2
  done
}

used_percent() {
  df -Pk /var/lib/stormdrill | sed -n '2s/.* \([0-9]*\)%.*/\1/p'
}

dark() { # PORT
  timeout 1 bash -c "</dev/tcp/10.77.0.2/$1" 2>/dev/null
  [ $? = 124 ]
}

# slow ADDRESS: an answer takes at least 80 ms. The clock of an emulated machine is coarse, and 100 ms are asked for.
slow() {
  local time
  time=$(ping -c 1 -W 2 "$1" | sed -n 's/.*time=\([0-9]*\).*/\1/p')
  [ "${time:-0}" -ge 80 ]
}

harmed() {
  case $1 in
    process-kill) [ -z "$(letters)" ] ;;
    process-pause) [ "$(letters)" = TT ] ;;
    service-stop) ! systemctl is-active --quiet orders ;;
    cpu-stress) grep -qsx stress-ng-cpu /proc/[0-9]*/comm ;;
    memory-stress) awk '/MemAvailable/ { available = $2 } /MemTotal/ { total = $2 } END { exit available > total * 0.55 }' /proc/meminfo ;;
    io-stress) grep -qsx stress-ng-iomix /proc/[0-9]*/comm ;;
    disk-fill) [ "$(used_percent)" -ge 75 ] ;;
    network-latency) slow 10.77.0.2 ;;
    network-loss) ! ping -c 1 -W 1 10.77.0.2 >/dev/null ;;
    network-blackhole) dark 5432 ;;
  esac
}

values() {
  case $1 in
    process-kill) set -- SSM_Process=victim-api SSM_Signal=TERM ;;
    process-pause) set -- SSM_Process=victim-api ;;
    service-stop) set -- SSM_Service=orders ;;
    cpu-stress) set -- SSM_Percent=20 SSM_Workers=1 ;;
    memory-stress) set -- SSM_Percent=60 SSM_Workers=1 ;;
    io-stress) set -- SSM_Workers=1 SSM_Megabytes=8 ;;
    disk-fill) set -- SSM_Percent=75 ;;
    network-latency) set -- SSM_DelayMs=100 SSM_To=any ;;
    network-loss) set -- SSM_Percent=100 SSM_Direction=egress SSM_To=10.77.0.2/32 ;;
    network-blackhole) set -- SSM_Direction=egress SSM_Protocol=tcp SSM_Port=5432 SSM_To=any ;;
  esac
  mapfile -t chosen < <(printf '%s\n' "$@")
}

# land FAULT SECONDS: a new unit of it is there and is felt; $why says what is not so.
land() {
  next_unit
  values "$1"
  [ "$1" != process-kill ] || victims
  order "$1" "$2" "${chosen[@]}"
  why="$answer $(tail -n 2 "$ring/stderr")"
  said landed && [ "$status" = 0 ] && until_holds 5 harmed "$1"
}

whole() { # FAULT SECONDS: the harm is gone, and so is every trace of it.
  [ "$1" != process-kill ] || victims
  until_holds "$2" is_as_before || { why="left: $(diff <(printf '%s\n' "$before") <(state))" && return 1; }
  why="the harm is still seen"
  ! harmed "$1"
}

verdict() { # NAME, with the status of the last command
  if [ $? = 0 ]; then
    say "$1" true
  else
    say "$1" false "$why"
    # One failure must not be the next one's.
    revert
  fi
}

# --- the rounds --------------------------------------------------------------------------------------------------

taken_back() {
  land "$1" 600 || return 1
  order "$1" 600 "${chosen[@]}"
  why="a repeated order: $answer"
  said already || return 1
  revert
  why="the revert: $answer"
  said reverted && whole "$1" 3 || return 1
  revert
  why="the second revert: $answer"
  said absent || return 1
  order "$1" 600 "${chosen[@]}"
  why="a start after the revert: $answer $status"
  [ "$status" = 3 ] && said refused
}

# The command's whole process group dies as soon as the unit is there; RuntimeMaxSec ends the fault.
ends_alone() {
  next_unit
  values "$1"
  [ "$1" != process-kill ] || victims
  # A job of a shell without job control leads no group, so `setsid` does not fork: its number is the group's.
  # Only what it answers counts: where SIGPIPE is ignored, a shell complains of a pipe whose reader has seen enough.
  start "$1" 6 "${chosen[@]}" >"$ring/stdout" 2>"$ring/stderr" &
  local command=$!
  why="the unit did not come"
  until_holds 10 test -d "/var/lib/stormdrill/units/$unit" || return 1
  kill -KILL -- "-$command"
  wait "$command" 2>/dev/null
  local ended=$?
  why="the command ended with $ended before it was killed: $(cat "$ring/stdout")"
  [ "$ended" = 137 ] && [ ! -s "$ring/stdout" ] || return 1
  why="it was not felt"
  until_holds 5 harmed "$1" || return 1
  whole "$1" 25
}

main_killed() {
  land "$1" 600 || return 1
  kill -KILL "$(systemctl show --property=MainPID --value "stormdrill-$unit")"
  whole "$1" 20
}

all_killed() {
  land "$1" 600 || return 1
  systemctl kill --kill-who=all --signal=KILL "stormdrill-$unit"
  whole "$1" 20
}

stopped_by_hand() {
  land "$1" 600 || return 1
  systemctl stop "stormdrill-$unit"
  whole "$1" 3
}

latency_spares() {
  ip -n peer addr add 169.254.169.254/32 dev eth0 && ip route add 169.254.169.254/32 dev eth0
  ip -n peer addr add 10.77.0.3/32 dev eth0
  next_unit
  order network-latency 600 SSM_DelayMs=100 SSM_To=any SSM_Spare=10.77.0.3/32
  why=$answer
  said landed && slow 10.77.0.2 || return 1
  why="a spared network is slow"
  ! slow 169.254.169.254 && ! slow 10.77.0.3 || return 1
  local first=$unit
  next_unit
  order network-latency 600 SSM_DelayMs=100 SSM_To=any
  why="a second queue: $answer"
  said refused && slow 10.77.0.2 || return 1
  revert
  why="the revert of the refused one disarmed the first: $answer"
  slow 10.77.0.2 || return 1
  unit=$first
  revert
  whole network-latency 3
}

latency_to_some() {
  next_unit
  order network-latency 600 SSM_DelayMs=100 SSM_JitterMs=10 SSM_To=10.77.0.2/32 SSM_Interface=eth0
  why="$answer"
  said landed && slow 10.77.0.2 && ! slow 10.77.0.3 || return 1
  revert
  whole network-latency 3
}

foreign_queue() {
  tc qdisc add dev eth0 root handle 42: prio
  local shown
  shown=$(tc qdisc show dev eth0)
  next_unit
  order network-latency 600 SSM_DelayMs=100 SSM_To=any
  why="$answer"
  [ "$status" = 3 ] && said refused && [ "$(tc qdisc show dev eth0)" = "$shown" ] || return 1
  revert
  why="the revert touched it"
  [ "$(tc qdisc show dev eth0)" = "$shown" ] || return 1
  tc qdisc del dev eth0 root
}

# A revert finds what carries the unit's name even when the folder that explains it is gone.
state_lost() {
  land network-latency 600 || return 1
  local first=$unit
  land network-blackhole 600 || return 1
  # The holders go without their way back: the unit's last act needs the folder. One that lived would notice.
  rm -rf /var/lib/stormdrill/units/*
  systemctl kill --kill-who=all --signal=KILL "stormdrill-$first.service" "stormdrill-$unit.service"
  until_holds 5 no_unit_is_active
  why="it ended without its folder"
  harmed network-latency && harmed network-blackhole || return 1
  revert
  unit=$first
  revert
  whole network-latency 3 && ! harmed network-blackhole
}

no_unit_is_active() {
  [ -z "$(systemctl list-units --plain --no-legend 'stormdrill-*')" ]
}

probed() {
  next_unit
  order probe 60 SSM_Unit=-
  why=$answer
  case $answer in
    *'"supervision":"systemd","capabilities":["netem","iptables"'*'"bounds"]'*'"interface":"eth0","root_qdisc":"default"'*) ;;
    *) return 1 ;;
  esac
}

# --- the two boots -----------------------------------------------------------------------------------------------

network() {
  ip link set lo up
  ip netns add peer
  ip link add eth0 type veth peer name eth0 netns peer
  ip addr add 10.77.0.1/24 dev eth0
  ip link set eth0 up
  ip -n peer addr add 10.77.0.2/24 dev eth0
  ip -n peer link set eth0 up
  iptables -A INPUT -s 192.0.2.1 -j DROP
  ip6tables -A INPUT -s 2001:db8::1 -j DROP
}

first_boot() {
  network
  systemctl start orders
  victims
  mkdir -p /var/lib/stormdrill/units /var/lib/stormdrill/tombstones
  before=$(state)
  probed
  verdict probe_knows_the_host
  local fault
  for fault in process-kill process-pause service-stop cpu-stress memory-stress io-stress disk-fill network-latency network-loss network-blackhole; do
    taken_back "$fault"
    verdict "${fault}_is_felt_and_taken_back"
    ends_alone "$fault"
    verdict "${fault}_ends_alone_when_its_command_is_killed"
    main_killed "$fault"
    verdict "${fault}_ends_when_its_holder_is_killed"
  done
  for fault in process-pause disk-fill network-latency; do
    all_killed "$fault"
    verdict "${fault}_ends_when_its_whole_group_is_killed"
    stopped_by_hand "$fault"
    verdict "${fault}_ends_when_its_unit_is_stopped"
  done
  latency_spares
  verdict latency_spares_what_it_must_and_refuses_a_second
  latency_to_some
  verdict latency_slows_only_whom_it_is_told_to
  foreign_queue
  verdict latency_leaves_a_foreign_queue_alone
  state_lost
  verdict revert_works_without_the_state_folder

  # Leftovers of every kind, and then the power goes.
  used_percent >/ring-used
  for fault in process-pause service-stop disk-fill network-latency network-blackhole; do
    land "$fault" 600 || say "reboot_leaves_nothing" false "$why"
  done
  sync
  echo b >/proc/sysrq-trigger
}

second_boot() {
  network
  why="left: $(ls -A /var/lib/stormdrill/units /etc/tmpfiles.d) $(used_percent) %"
  [ -z "$(ls -A /var/lib/stormdrill/units)" ] && ! ls /etc/tmpfiles.d/stormdrill-* 2>/dev/null &&
    [ "$(used_percent)" -le $(($(cat /ring-used) + 1)) ]
  verdict reboot_leaves_nothing
  victims
  land process-pause 600
  verdict a_host_that_was_reset_takes_a_fault_again
  say end true
  systemctl poweroff --force --force
}

if [ -e /ring-used ]; then
  second_boot
else
  first_boot
fi
