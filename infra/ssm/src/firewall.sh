# shellcheck shell=dash
# Firewall: one chain of our own, named after the unit, hooked by one jump; built first, hooked last.

# chain_of UNIT: sets $chain; a chain has at most 28 characters.
chain_of() {
  chain=SD-$1
}

# tables: the commands that work here, for IPv4 and, where the host speaks it, IPv6.
tables() {
  ! iptables -w 5 -S OUTPUT >/dev/null 2>&1 || printf 'iptables\n'
  [ ! -e /proc/net/if_inet6 ] || ! ip6tables -w 5 -S OUTPUT >/dev/null 2>&1 || printf 'ip6tables\n'
}

check_firewall() {
  tables | grep -qx iptables || refuse no-iptables "iptables does not work on this host"
}

# choose_peers NAME: sets $peers_4 and $peers_6, comma lists, from To and the addresses of NAME.
choose_peers() {
  peers_4='' peers_6=''
  [ "$SSM_To" = any ] || peers_4=$SSM_To
  if [ "$1" != - ]; then
    for address in $(resolve ahosts "$1"); do
      case $address in
        *:*) peers_6="$peers_6${peers_6:+,}$address/128" ;;
        *) peers_4="$peers_4${peers_4:+,}$address/32" ;;
      esac
    done
  elif [ "$SSM_To" = any ]; then
    peers_4=0.0.0.0/0 peers_6=::/0
  fi
}

# build TABLES PEERS SPARED DROP...: the chain with everything in it, which nothing leads to yet.
# DROP is what a packet must match beyond its peer; a rule for each --protocol is the caller's business.
build() {
  command=$1 peers=$2 spare=$3
  shift 3
  peer=-d loopback=-o
  [ "$SSM_Direction" = egress ] || peer=-s loopback=-i
  # Everybody does not mean oneself: who wants the loopback names it.
  case $peers in
    0.0.0.0/0 | ::/0) rule -A "$chain" "$loopback" lo -j RETURN || return 1 ;;
  esac
  for network in $(printf '%s' "$spare" | tr ',' ' '); do
    rule -A "$chain" "$peer" "$network" -j RETURN || return 1
  done
  for network in $(printf '%s' "$peers" | tr ',' ' '); do
    rule -A "$chain" "$peer" "$network" "$@" -j DROP || return 1
    drops=$((drops + 1))
  done
}

# rule ARGUMENTS...: one call, which waits its turn; what it says is kept.
rule() {
  detail=$("$command" -w 5 "$@" 2>&1) || { problem=no-rule && return 1; }
}

# hook TABLES: the one jump. From here on packets are dropped.
hook() {
  command=$1
  rule -I "$base" 1 -m comment --comment "stormdrill-$SSM_Run" -j "$chain"
}

# in_each_table: calls drop_rules COMMAND PEERS SPARED for every family in use, then hooks what was built.
in_each_table() {
  drops=0 hooked=''
  base=OUTPUT
  [ "$SSM_Direction" = egress ] || base=INPUT
  spared=$(spared_4)
  for table in $(tables); do
    case $table in
      iptables) peers=$peers_4 spare=$spared ;;
      *) peers=$peers_6 spare=$SPARED_6 ;;
    esac
    [ -n "$peers" ] || continue
    command=$table
    { rule -N "$chain" && drop_rules "$table" "$peers" "$spare"; } || return 1
    hooked="$hooked$table "
  done
  for table in $hooked; do
    hook "$table" || return 1
  done
}

# hooked_rules COMMAND: how many rules drop; fails when no jump leads there.
hooked_rules() {
  listing=$("$1" -w 5 -S 2>/dev/null) || return 1
  [ "$(printf '%s\n' "$listing" | grep -c -e " -j $chain\$")" = 1 ] || return 1
  printf '%s\n' "$listing" | grep -c -e "^-A $chain .*-j DROP\$"
}

see_rules() {
  seen=0
  problem=not-seen detail="the chain $chain is not hooked"
  for table in $hooked; do
    seen=$((seen + $(hooked_rules "$table" || echo 0)))
  done
  [ "$drops" -gt 0 ] && [ "$seen" -eq "$drops" ] || return 1
  detail="$seen rules of chain $chain drop packets"
  evidence="{\"chain\":\"$chain\",\"hook\":\"$base\",\"rules\":$seen}"
}

# remove_chain: unhooks, empties and removes the unit's chain, wherever it is; does nothing where it is not.
remove_chain() {
  kept=0
  for table in $(tables); do
    "$table" -w 5 -S 2>/dev/null | grep -e " -j $chain\$" | while read -r _ jump; do
      # A jump of ours has no quoted word in it.
      # shellcheck disable=SC2086
      "$table" -w 5 -D $jump 2>/dev/null || :
    done
    { "$table" -w 5 -F "$chain" && "$table" -w 5 -X "$chain"; } 2>/dev/null || :
    no_chain_in "$table" || kept=1
  done
  problem="chain $chain is still there"
  [ "$kept" = 0 ]
}

no_chain_in() {
  listing=$("$1" -w 5 -S 2>/dev/null) || return 1
  ! printf '%s\n' "$listing" | grep -q -e "$chain"
}

# note_tables: which tables work now, whole or not at all: the way back must be able to read the same ones.
note_tables() {
  tables >"$unit_dir/tables.new"
  mv "$unit_dir/tables.new" "$unit_dir/tables"
}

# no_chain: no table has a trace of it. A table that worked before and cannot be read now proves nothing.
no_chain() {
  [ ! -s "$unit_dir/tables" ] || [ "$(tables)" = "$(cat "$unit_dir/tables")" ] || return 1
  for table in $(tables); do
    no_chain_in "$table" || return 1
  done
}

fault_undo() {
  chain_of "$unit"
  remove_chain
}

fault_gone() {
  chain_of "$unit"
  no_chain
}
