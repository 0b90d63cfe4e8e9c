#: description: Stormdrill. Makes packets leave late.
#: timeout_seconds: 60
#: parts: [deadman, peers, queue]
#: parameters:
#:   - name: DelayMs
#:     description: How late each packet leaves, 1 to 60000 milliseconds.
#:     pattern: '^([1-9][0-9]{0,3}|[1-5][0-9]{4}|60000)$'
#:     length: 5
#:   - name: JitterMs
#:     description: How much that varies, 0 to 60000 milliseconds.
#:     pattern: '^(0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|60000)$'
#:     length: 5
#:     default: '0'
#:   - name: Interface
#:     description: The interface, or default for every one that leads to the peers.
#:     pattern: '^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}$'
#:     length: 15
#:     default: default
#:   - name: To
#:     description: Whose traffic. IPv4 and IPv6 networks with commas between, or any.
#:     pattern: '^(any|((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}/(3[0-2]|[12]?[0-9])|([0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))(,((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}/(3[0-2]|[12]?[0-9])|([0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))){0,19})$'
#:     length: 900
#:   - name: Spare
#:     description: Whose traffic is never touched, besides what the host needs to stay itself and to be put back. IPv4 and IPv6 networks, or -.
#:     pattern: '^(-|((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}/(3[0-2]|[12]?[0-9])|([0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))(,((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}/(3[0-2]|[12]?[0-9])|([0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))){0,19})$'
#:     length: 900
#:     default: '-'
# shellcheck shell=dash
# network-latency: packets leave late.
# A prio queue of our own at the root of every interface that leads to the peers, with the kernel's own map of bands, and
# netem on a fourth band; filters send the peers' packets there, after those that send the spared ones past it. Only a
# default root queue is covered. What containers send leaves by the same queue.

fault_check() {
  have tc || refuse no-tc "this host has no tc"
  have ip || refuse no-tc "this host has no ip"
  choose_peers -
  refuse_bypass
  choose_interfaces
  can_delay || refuse no-netem "this kernel cannot delay packets: sch_netem, sch_prio or cls_u32 is missing"
  for interface in $ways; do
    [ "$(root_queue)" = default ] || refuse foreign-qdisc "the root queue of $interface is somebody's"
  done
  choose_spared
  refuse_protected all 0
  freeze
}

# choose_interfaces: sets $ways: the interface that is asked for, which must be where the peers are; or all that lead to
# them.
choose_interfaces() {
  for network in $peers_4 $peers_6; do
    case $network in
      *:*) [ -e /proc/net/if_inet6 ] || [ "$SSM_To" = any ] || refuse no-route "this host does not speak IPv6: nothing leaves for $network" ;;
    esac
    everybody "$network" || [ -n "$(ways_to "$network")" ] || refuse no-route "this host has no route to $network"
  done
  if [ "$SSM_To" = any ] && choose_interface "$SSM_Interface"; then
    # By every default route, when there are several.
    ways=$interface
    [ "$SSM_Interface" != default ] || for interface in $(default_ways); do
      add_way "$interface"
    done
    return 0
  fi
  choose_ways "$peers_4 $peers_6"
  [ -n "$ways" ] || refuse no-interface "there is no interface $SSM_Interface, or no single one"
  [ "$SSM_Interface" != default ] || return 0
  [ "$SSM_To" != any ] || refuse no-interface "there is no interface $SSM_Interface"
  [ "$ways" = "$SSM_Interface" ] || refuse other-interface "packets to $SSM_To leave by $ways, and not by $SSM_Interface alone"
}

fault_save() {
  thaw
  # shellcheck disable=SC2086
  save "$unit_dir/interface" $ways && save "$unit_dir/queues" "$(tc qdisc show)"
}

fault_apply() {
  thaw
  queue_of "$unit"
  saved="{\"interfaces\":\"$(clean "$ways" 200)\",\"root_qdisc\":\"$(kinds)\"}"
  jitter=''
  [ "$SSM_JitterMs" -eq 0 ] || jitter=${SSM_JitterMs}ms
  for interface in $ways; do
    # shellcheck disable=SC2086
    quiet tc qdisc add dev "$interface" root handle "$root_handle" prio bands 4 &&
      quiet tc qdisc add dev "$interface" parent "${root_handle}4" handle "$delay_handle" netem delay "${SSM_DelayMs}ms" $jitter limit 100000 ||
      return 1
    detail=$(filters | tc -batch - 2>&1) || { problem=no-queue && return 1; }
  done
}

# kinds: the root queues that were there, for the record.
kinds() {
  for each in $ways; do
    sed -n "s/^qdisc \([a-z_]*\) [0-9a-f]*: dev $each root .*/\1/p" "$unit_dir/queues"
  done | tr '\n' ' ' | cut -c 1-60 | sed 's/ $//'
}

# quiet COMMAND...: keeps what it says in $detail.
quiet() {
  detail=$("$@" 2>&1) || { problem=no-queue && return 1; }
}

# filters: the spared packets go by, and those of the peers into the fourth band, on $interface.
filters() {
  for word in $spared; do
    rest=${word#*:}
    network=${rest#*:} number=${rest%%:*}
    case $network in
      *:*) head='protocol ipv6 prio 2' name=ip6 ;;
      *) head='protocol ip prio 1' name=ip ;;
    esac
    match=''
    everybody "$network" || match=" match $name dst $network"
    case $word in
      tcp:*) match="$match match $name protocol 6 0xff match $name dport $number 0xffff" ;;
      udp:*) match="$match match $name protocol 17 0xff match $name dport $number 0xffff" ;;
    esac
    filter "$head" "$match" 2
  done
  # What IPv6 neighbours ask each other.
  for type in 133 134 135 136; do
    filter 'protocol ipv6 prio 2' " match ip6 protocol 58 0xff match u8 $type 0xff at 40" 2
  done
  for network in $peers_4 $peers_6; do
    case $network in
      0.0.0.0/0) filter 'protocol ip prio 3' ' match u32 0 0' 4 ;;
      ::/0) filter 'protocol ipv6 prio 4' ' match u32 0 0' 4 ;;
      *:*) filter 'protocol ipv6 prio 4' " match ip6 dst $network" 4 ;;
      *) filter 'protocol ip prio 3' " match ip dst $network" 4 ;;
    esac
  done
}

filter() {
  printf '%s\n' "filter add dev $interface parent $root_handle $1 u32$2 flowid ${root_handle}$3"
}

fault_landed() {
  wanted=$(words_of "$peers_4 $peers_6")
  total=0
  for interface in $ways; do
    own_queue || { problem=not-seen detail="$interface has no queue $root_handle" && return 1; }
    held=$(held_delay)
    problem=not-seen detail="$interface holds a delay of ${held:-nothing}"
    close_to "${held% *}" "$SSM_DelayMs" && close_to "${held#* }" "$SSM_JitterMs" || return 1
    seen=$(tc filter show dev "$interface" parent "$root_handle" | grep -c "flowid ${root_handle}4") || return 1
    detail="$interface has $seen filters of $wanted"
    [ "$seen" -ge "$wanted" ] || return 1
    total=$((total + seen))
  done
  detail="packets leave $ways $SSM_DelayMs ms late"
  evidence="{\"interfaces\":\"$(clean "$ways" 200)\",\"handle\":\"$root_handle\",\"delay_ms\":$SSM_DelayMs,\"filters\":$total,\"met\":$(fault_counters)}"
}

words_of() {
  # shellcheck disable=SC2086
  set -- $1
  printf '%s\n' "$#"
}

fault_counters() {
  queue_of "$unit"
  queue_counters
}

# The interfaces that were covered; none before the first was.
covered() {
  cat "$unit_dir/interface" 2>/dev/null || :
}

fault_undo() {
  queue_of "$unit"
  left=''
  for interface in $(covered); do
    remove_queue || left=$problem
  done
  problem=$left
  [ -z "$left" ]
}

# An interface that is gone took its queue along.
fault_gone() {
  queue_of "$unit"
  for interface in $(covered); do
    ! is_interface || ! own_queue || return 1
  done
}
