# shellcheck shell=dash
# Queue: our own tree of queues at the root of an interface, known by its handle, which comes from the unit.

# queue_of UNIT: sets $root_handle and $delay_handle, such as 7abc: and 6def:. The kernel itself hands out 8000: and up.
queue_of() {
  root_handle=7$(printf '%s' "$1" | cut -c 1-3):
  delay_handle=6$(printf '%s' "$1" | cut -c 4-6):
}

# choose_interface WISH: sets $interface: the wish, or that of the default route, or the only one there is.
choose_interface() {
  interface=$1
  if [ "$1" = default ]; then
    interface=$(ip -o -4 route show default 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p' | sed -n 1p)
    if [ -z "$interface" ]; then
      interface=$(ip -o link show 2>/dev/null | sed -n 's/^[0-9]*: \([^:@]*\)[:@].*/\1/p' | grep -vx lo) || interface=''
      case $interface in
        *"$newline"*) interface='' ;;
      esac
    fi
  fi
  [ -n "$interface" ] && is_interface
}

# is_interface: there is an interface $interface. /sys may be that of another network.
is_interface() {
  ip link show dev "$interface" >/dev/null 2>&1
}

# root_queue: whose the root queue of $interface is: default, foreign or ours.
root_queue() {
  queues=$(tc qdisc show dev "$interface" 2>/dev/null) || queues=''
  # A queue that the kernel put there by itself has the handle 0:. Those for arriving packets are no concern of ours.
  others=$(printf '%s\n' "$queues" | grep -Ev '^qdisc [a-z_]+ 0: |^qdisc (ingress|clsact) |^$') || others=''
  if [ -z "$others" ]; then
    printf 'default\n'
  elif printf '%s\n' "$others" | grep -Eqv '^qdisc (prio 7|netem 6)[0-9a-f]{3}: '; then
    printf 'foreign\n'
  else
    printf 'ours\n'
  fi
}

# can_delay: netem, prio and u32 work in this kernel: tried on the loopback of a network made for it, and thrown away.
can_delay() {
  have tc || return 1
  have ip || return 1
  # shellcheck disable=SC2016
  unshare -n /bin/sh -c 'set -e
    tc qdisc add dev lo root handle 7001: prio bands 4
    tc qdisc add dev lo parent 7001:4 handle 6001: netem delay 1ms
    tc filter add dev lo parent 7001: protocol ip prio 1 u32 match ip dst 192.0.2.0/24 flowid 7001:4
  ' >/dev/null 2>&1 && return 0
  # A host that may make no network of its own can still have the modules.
  [ -d /sys/module/sch_netem ] && [ -d /sys/module/sch_prio ] && [ -d /sys/module/cls_u32 ]
}

# held_delay: the delay and the jitter that the kernel holds for $interface, in milliseconds. What tc prints for people is
# rounded to three digits, so it is asked for what it prints for programs, where it can.
held_delay() {
  held=$(tc -j qdisc show dev "$interface" 2>/dev/null | tr -d ' \n' | tr '{' '\n' | grep -A 2 "\"handle\":\"$delay_handle\"" |
    sed -n 's/^"delay":\([0-9.e+-]*\),"jitter":\([0-9.e+-]*\).*/\1 \2/p')
  if [ -n "$held" ]; then
    printf '%s\n' "$held" | awk '{ printf "%.3f %.3f\n", $1 * 1000, $2 * 1000 }'
    return
  fi
  tc qdisc show dev "$interface" 2>/dev/null | sed -n "s/^qdisc netem $delay_handle parent ${root_handle}4 .*delay \([0-9.]*[mu]*s\)\( *\([0-9.]*[mu]*s\)\)\{0,1\}.*/\1 \3/p" | awk '
    function millis(text) {
      if (text ~ /us$/) return text / 1000
      if (text ~ /ms$/) return text + 0
      return text * 1000
    }
    { printf "%.3f %.3f\n", millis($1), millis($2) }'
}

# close_to HELD WANTED: as close as what a tool rounds to three digits can be.
close_to() {
  awk -v held="$1" -v wanted="$2" 'BEGIN { off = held - wanted; if (off < 0) off = -off; exit !(off <= 0.5 || off <= wanted / 190) }'
}

# queue_counters: how many packets and bytes this unit's delays have met, as a JSON object.
queue_counters() {
  tc -s qdisc show 2>/dev/null | awk -v handle="$delay_handle" '
    $1 == "qdisc" { ours = $2 == "netem" && $3 == handle }
    ours && $1 == "Sent" { bytes += $2; packets += $4 }
    END { printf "{\"packets\":%.0f,\"bytes\":%.0f}\n", packets, bytes }'
}

# remove_queue: removes the root queue of $interface if it is this unit's, and only then.
remove_queue() {
  ! own_queue || problem=$(tc qdisc del dev "$interface" root handle "$root_handle" 2>&1) || return 1
}

own_queue() {
  tc qdisc show dev "$interface" 2>/dev/null | grep -q "^qdisc prio $root_handle root "
}

# queues_by_name: the interfaces that carry this unit's queue, by both of its handles, without its folder to say so.
queues_by_name() {
  tc qdisc show 2>/dev/null |
    sed -n "s/^qdisc netem $delay_handle dev \([^ ]*\) parent ${root_handle}4 .*/\1/p"
}
