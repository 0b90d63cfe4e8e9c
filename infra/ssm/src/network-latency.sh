# shellcheck shell=dash
# network-latency: packets leave late.
# A prio queue of our own at the root, with the kernel's own map of bands, and netem on a fourth band; filters send
# the peers' packets there, after those that send the spared ones past it. Only a default root queue is covered.

fault_check() {
  have tc || refuse no-tc "this host has no tc"
  have ip || refuse no-tc "this host has no ip"
  choose_interface "$SSM_Interface" || refuse no-interface "there is no interface $SSM_Interface, or no single one"
  can_delay || refuse no-netem "this kernel cannot delay packets: sch_netem, sch_prio or cls_u32 is missing"
  [ "$(root_queue)" = default ] || refuse foreign-qdisc "the root queue of $interface is somebody's"
  frozen=$interface
}

fault_apply() {
  interface=$frozen
  queue_of "$unit"
  printf '%s\n' "$interface" >"$unit_dir/interface"
  tc qdisc show dev "$interface" >"$unit_dir/queues" || return 1
  kind=$(sed -n '1s/^qdisc \([a-z_]*\) .*/\1/p' "$unit_dir/queues")
  spared=$(spared_4)
  saved="{\"interface\":\"$interface\",\"root_qdisc\":\"$(clean "$kind" 20)\"}"
  jitter=''
  [ "$SSM_JitterMs" -eq 0 ] || jitter=${SSM_JitterMs}ms
  # shellcheck disable=SC2086
  quiet tc qdisc add dev "$interface" root handle "$root_handle" prio bands 4 &&
    quiet tc qdisc add dev "$interface" parent "${root_handle}4" handle "$delay_handle" netem delay "${SSM_DelayMs}ms" $jitter limit 100000 &&
    spare_packets && delay_packets
}

# quiet COMMAND...: keeps what it says in $detail.
quiet() {
  detail=$("$@" 2>&1) || { problem=no-queue && return 1; }
}

filter() {
  quiet tc filter add dev "$interface" parent "$root_handle" "$@"
}

spare_packets() {
  for network in $(printf '%s' "$spared" | tr ',' ' '); do
    filter protocol ip prio 1 u32 match ip dst "$network" flowid "${root_handle}2" || return 1
  done
  [ "$SSM_To" = any ] || return 0
  for network in $(printf '%s' "$SPARED_6" | tr ',' ' '); do
    filter protocol ipv6 prio 2 u32 match ip6 dst "$network" flowid "${root_handle}2" || return 1
  done
}

delay_packets() {
  if [ "$SSM_To" = any ]; then
    filter protocol ip prio 3 u32 match u32 0 0 flowid "${root_handle}4" &&
      filter protocol ipv6 prio 4 u32 match u32 0 0 flowid "${root_handle}4"
    return
  fi
  for network in $(printf '%s' "$SSM_To" | tr ',' ' '); do
    filter protocol ip prio 3 u32 match ip dst "$network" flowid "${root_handle}4" || return 1
  done
}

fault_landed() {
  own_queue || { problem=not-seen detail="$interface has no queue $root_handle" && return 1; }
  shown=$(tc qdisc show dev "$interface" | sed -n "s/^qdisc netem $delay_handle parent ${root_handle}4 .*delay \([0-9.]*\)\(us\|ms\|s\).*/\1 \2/p")
  delay=$(printf '%s\n' "$shown" | awk '$2 == "us" { $1 /= 1000 } $2 == "s" { $1 *= 1000 } { printf "%d", $1 + 0.5 }')
  problem=not-seen detail="$interface shows a delay of ${shown:-nothing}"
  [ "${delay:-0}" -eq "$SSM_DelayMs" ] || return 1
  filters=$(tc filter show dev "$interface" parent "$root_handle" | grep -c "flowid ${root_handle}4") || return 1
  detail="packets leave $interface $delay ms late"
  evidence="{\"interface\":\"$interface\",\"handle\":\"$root_handle\",\"delay_ms\":$delay,\"filters\":$filters}"
}

fault_undo() {
  { read -r interface <"$unit_dir/interface"; } 2>/dev/null || return 0
  queue_of "$unit"
  remove_queue
}

# An interface that is gone took its queue along.
fault_gone() {
  { read -r interface <"$unit_dir/interface"; } 2>/dev/null || return 0
  [ -d "/sys/class/net/$interface" ] || return 0
  queue_of "$unit"
  ! own_queue
}
