# shellcheck shell=dash
# Firewall: two chains of our own, named after the unit. The first chooses packets, the second drops them; built first,
# hooked last, into every way that packets take through this host: its own, and those of the containers behind it.
#
# A fault's own source sets $protocol (tcp, udp or all), $port (0 is every one) and $chance (of a packet to be dropped;
# always, when it is empty).

# How often the holder looks for new addresses, in seconds.
FOLLOW=5
follow_at=0 own_rules='' landed_rules=''

# chain_of UNIT: sets $chain; a chain has at most 28 characters.
chain_of() {
  chain=SD-$1
}

# tables: the commands that work here, for IPv4 and, where the host speaks it, IPv6.
tables() {
  ! iptables -w 5 -S OUTPUT >/dev/null 2>&1 || printf 'iptables\n'
  [ ! -e /proc/net/if_inet6 ] || ! ip6tables -w 5 -S OUTPUT >/dev/null 2>&1 || printf 'ip6tables\n'
}

# check_packets: refuses what would not meet the packets it names, or would cut off whoever puts it back.
check_packets() {
  working=$(tables)
  case $working in
    iptables*) ;;
    *) refuse no-iptables "iptables does not work on this host" ;;
  esac
  have iptables-restore || refuse no-iptables "this host has no iptables-restore"
  for tool in awk cksum; do
    have "$tool" || refuse no-tool "this host has no $tool"
  done
  choose_peers "$1"
  case $working in
    *ip6tables) have ip6tables-restore || refuse no-ip6tables "this host has no ip6tables-restore" ;;
    *) check_without_6 ;;
  esac
  choose_spared
  refuse_protected "$protocol" "$port"
  refuse_bypass
  ways=''
  if forwards iptables || forwards ip6tables; then
    choose_ways "$peers_4 $peers_6"
    for interface in $far; do
      add_way "$interface"
    done
  fi
  freeze
}

# check_without_6: the table of IPv6 does not work: fine for as long as nobody is reached by it.
check_without_6() {
  for network in $peers_6; do
    if [ ! -e /proc/net/if_inet6 ]; then
      [ "$SSM_To" = any ] || refuse no-ip6tables "this host does not speak IPv6, so nothing goes to or comes from $network"
    elif everybody "$network"; then
      ! global_6 || refuse no-ip6tables "this host has a global IPv6 address, and ip6tables does not work: half of the packets would pass"
    elif [ "$SSM_To" != any ] || ! have ip || reachable_6 "${network%/*}"; then
      refuse no-ip6tables "$network is reached by IPv6, and ip6tables does not work on this host"
    fi
  done
  peers_6=''
  [ -n "$peers_4" ] || refuse no-address "none of the peers has an address that this host can reach"
}

global_6() {
  grep -v ' lo$' /proc/net/if_inet6 | grep -q '^[0-9a-f]* [0-9a-f]* [0-9a-f]* 00 '
}

reachable_6() {
  case $(ip -6 route get "$1" 2>/dev/null) in
    '' | unreachable* | prohibit* | blackhole*) return 1 ;;
  esac
}

# rewrites TABLE: addresses and ports may be rewritten on this host. Where no connection is tracked, none is: then our
# rules must not be what starts it.
rewrites() {
  tracked=0
  { read -r tracked </proc/sys/net/netfilter/nf_conntrack_count; } 2>/dev/null || :
  [ "$tracked" = 0 ] || return 0
  # The old command would load the table by listing it.
  case $("$1" -V 2>/dev/null) in
    *nf_tables*) "$1" -w 5 -t nat -S 2>/dev/null | grep -q '^-A' ;;
    *) return 1 ;;
  esac
}

# forwards TABLE: this host passes on packets of others, such as containers.
forwards() {
  case $1 in
    iptables) grep -qsx 1 /proc/sys/net/ipv4/conf/*/forwarding ;;
    *) grep -qsx 1 /proc/sys/net/ipv6/conf/*/forwarding ;;
  esac
}

# read_packets: how the rules of $table read a packet.
read_packets() {
  if [ "$SSM_Direction" = egress ]; then
    peer=-d there=--dport loopback=-o
  else
    peer=-s there=--sport loopback=-i
  fi
  tracking=no
  ! rewrites "$table" || tracking=yes
}

# chain_rules TABLE PEERS: what the two chains say, for the restore command of TABLE.
chain_rules() {
  table=$1 peers=$2
  printf '*filter\n'
  printf '%s\n' "-A $chain-D ${chance:+-m statistic --mode random --probability $chance }-j DROP"
  # Everybody does not mean oneself: who wants the loopback names it.
  ! everybody "$peers" || printf '%s\n' "-A $chain $loopback lo -j RETURN"
  for word in $spared; do
    spare_rules "$word"
  done
  # An IPv6 host that does not hear its neighbours' questions is no longer there.
  if [ "$table" = ip6tables ]; then
    for type in 133 134 135 136; do
      printf '%s\n' "-A $chain -p ipv6-icmp --icmpv6-type $type -j RETURN"
    done
  fi
  for network in $peers; do
    peer_rules "$network"
  done
  printf 'COMMIT\n'
}

# peer_rules NETWORK: the packets of one peer.
peer_rules() {
  case $protocol-$port in
    all-0) choose_rules "$1" '' ;;
    all-*) choose_rules "$1" tcp && choose_rules "$1" udp ;;
    *) choose_rules "$1" "$protocol" ;;
  esac
}

# spare_rules PROTOCOL:PORT:NETWORK: packets to, or answers from, what must stay reachable; by the address on the packet,
# and by the address that was dialled when another stands in for it.
spare_rules() {
  rest=${1#*:}
  network=${rest#*:} number=${rest%%:*} kind=${1%%:*}
  case $network in
    *:*) [ "$table" = ip6tables ] || return 0 ;;
    *) [ "$table" = iptables ] || return 0 ;;
  esac
  case $kind in
    all) kind='' ;;
    *) kind="-p $kind " ;;
  esac
  on=''
  [ "$number" = 0 ] || on="$there $number "
  printf '%s\n' "-A $chain $peer $network $kind$on-j RETURN"
  [ "$tracking" = yes ] || return 0
  ! everybody "$network" || return 0
  [ "$number" = 0 ] || on="--ctorigdstport $number "
  printf '%s\n' "-A $chain ${kind}-m conntrack --ctorigdst $network $on-j RETURN"
}

# choose_rules NETWORK PROTOCOL: packets of this peer. A port is the one that is dialled, here or there: as the packet
# says it now, and as it said before this host rewrote it.
choose_rules() {
  kind=${2:+-p $2 } on=''
  [ "$port" = 0 ] || on="--dport $port "
  printf '%s\n' "-A $chain $peer $1 $kind$on-g $chain-D"
  [ "$tracking" = yes ] || return 0
  if [ "$port" != 0 ]; then
    dialled="--ctorigdst $1 --ctorigdstport $port"
    [ "$SSM_Direction" = egress ] || dialled="--ctorigsrc $1 --ctorigdstport $port"
    printf '%s\n' "-A $chain ${kind}-m conntrack --ctdir ORIGINAL $dialled -g $chain-D"
  elif ! everybody "$1"; then
    way=ORIGINAL
    [ "$SSM_Direction" = egress ] || way=REPLY
    printf '%s\n' "-A $chain ${kind}-m conntrack --ctdir $way --ctorigdst $1 -g $chain-D"
  fi
}

# jumps TABLE: what leads packets there, for its restore command. What this host passes on is met where it leaves for, or
# comes from, the outside.
jumps() {
  printf '*filter\n'
  for jump in $(jump_words "$1"); do
    base=${jump%%:*} interface=${jump#*:}
    printf '%s\n' "-I $base 1 ${interface:+$side $interface }-m comment --comment stormdrill-$SSM_Run -j $chain"
  done
  printf 'COMMIT\n'
}

# jump_words TABLE: BASE:INTERFACE of each.
jump_words() {
  printf '%s:\n' "$base_chain"
  if forwards "$1"; then
    for interface in $ways; do
      printf 'FORWARD:%s\n' "$interface"
    done
  fi
}

# rule COMMAND...: one call; what it says is kept.
rule() {
  detail=$("$@" 2>&1) || { problem=no-rule && return 1; }
}

# drop_packets: builds the chains in every family that has peers, then hooks what was built.
drop_packets() {
  hooked='' expected=0
  base_chain=OUTPUT side=-o
  [ "$SSM_Direction" = egress ] || base_chain=INPUT side=-i
  for table in $working; do
    case $table in
      iptables) peers=$peers_4 ;;
      *) peers=$peers_6 ;;
    esac
    [ -n "$peers" ] || continue
    read_packets
    { rule "$table" -w 5 -N "$chain-D" && rule "$table" -w 5 -N "$chain"; } || return 1
    lines=$(chain_rules "$table" "$peers")
    detail=$(printf '%s\n' "$lines" | "$table-restore" -w 5 -n 2>&1) || { problem=no-rule && return 1; }
    expected=$((expected + $(printf '%s\n' "$lines" | grep -c -e " -g $chain-D\$")))
    hooked="$hooked$table "
  done
  hooks=''
  for table in $hooked; do
    detail=$(jumps "$table" | "$table-restore" -w 5 -n 2>&1) || { problem=no-rule && return 1; }
    hooks="$hooks$(jump_words "$table" | tr '\n' ' ')"
  done
}

# see_rules: every chain is hooked as it was, with nothing above it that could let packets pass, and drops. Sets $own_rules
# to what the chains say.
see_rules() {
  seen=0 found=0 own_rules=''
  problem=not-seen detail="the chain $chain is not hooked"
  for table in $hooked; do
    listing=$("$table" -w 5 -S 2>/dev/null) || return 1
    printf '%s\n' "$listing" | grep -q -e "^-A $chain-D .*-j DROP\$" || return 1
    seen=$((seen + $(printf '%s\n' "$listing" | grep -c -e " -g $chain-D\$")))
    found=$((found + $(printf '%s\n' "$listing" | grep -c -e " -j $chain\$")))
    printf '%s\n' "$listing" | comes_first || { detail="a rule above the chain $chain lets packets pass" && return 1; }
    own_rules=$own_rules$(printf '%s\n' "$listing" | grep -e "^-A $chain" | cksum)
  done
  # shellcheck disable=SC2086
  set -- $hooks
  [ "$expected" -gt 0 ] && [ "$seen" -eq "$expected" ] && [ "$found" -eq "$#" ] || return 1
  detail="$seen rules of chain $chain drop packets, from $found hooks"
  evidence="{\"chain\":\"$chain\",\"hooks\":\"$(clean "${hooks% }" 200)\",\"rules\":$seen,\"met\":$(fault_counters)}"
}

# comes_first: in the listing of a table, nothing above our hooks accepts, or leads to what does. Others' drops, logs and
# marks, and our own chains, may stand there.
comes_first() {
  awk -v ours="$chain" '
    $1 == "-A" {
      target = ""
      for (at = 3; at < NF; at++) if ($at == "-j" || $at == "-g") { target = $(at + 1); how = $at; break }
      if (target == "") next
      count++
      from[count] = $2; to[count] = target; goes[count] = how
    }
    END {
      passes["ACCEPT"] = passes["QUEUE"] = passes["NFQUEUE"] = 1
      do {
        more = 0
        for (at = 1; at <= count; at++) if (to[at] in passes && !(from[at] in passes)) { passes[from[at]] = 1; more = 1 }
      } while (more)
      for (at = count; at > 0; at--) {
        if (to[at] == ours) below[from[at]] = 1
        else if (from[at] in below && to[at] !~ /^SD-/ && (to[at] in passes || to[at] == "RETURN" || goes[at] == "-g")) exit 1
      }
    }'
}

# fault_holds: the chains say what they said when the fault landed, or what followed since.
fault_holds() {
  follow
  see_rules || return 1
  detail="the rules of chain $chain are not what they were"
  [ "$own_rules" = "$landed_rules" ]
}

# --- what moves while it lasts -----------------------------------------------------------------------------------

# follow: every few seconds, by the holder alone: the agent's endpoints have new addresses, and so has the name that is
# meant. What is new is spared, or dropped, as well.
follow() {
  [ "$holding" = yes ] && [ "$(uptime)" -ge "$follow_at" ] || return 0
  follow_at=$(($(uptime) + FOLLOW))
  chain_of "$unit"
  known=$spared changed=no
  spare_name_servers
  spare_the_agent
  for word in $spared; do
    case " $known " in
      *" $word "*) ;;
      *) follow_word "$word" ;;
    esac
  done
  [ "${SSM_Name:--}" = - ] || follow_name
  [ "$changed" = no ] || ! see_rules || { landed_rules=$own_rules && remember; }
}

# follow_word WORD: what is spared comes first in the chain.
follow_word() {
  for table in $hooked; do
    read_packets
    lines=$(spare_rules "$1" | sed "s/^-A $chain /-I $chain 1 /")
    [ -z "$lines" ] || change_rules
  done
}

# follow_name: an address that it has now and had not before. What it no longer has stays dark until the end.
follow_name() {
  for address in $(resolve ahosts "$SSM_Name"); do
    case " $peers_4 $peers_6 " in
      *" $address/32 "* | *" $address/128 "*) continue ;;
    esac
    add_peer "$address"
    case $address in
      *:*) table=ip6tables network=$address/128 ;;
      *) table=iptables network=$address/32 ;;
    esac
    read_packets
    lines=$(peer_rules "$network")
    change_rules
    expected=$((expected + $(printf '%s\n' "$lines" | grep -c -e " -g $chain-D\$")))
  done
}

# change_rules: adds $lines to $table. Where the family has no chain of
# ours, or the change fails, the count of rules is wrong from here on: the fault has ended.
change_rules() {
  changed=yes
  printf '*filter\n%s\nCOMMIT\n' "$lines" | "$table-restore" -w 5 -n >/dev/null 2>&1 || expected=$((expected + 1))
}

# fault_counters: how many packets and bytes the rules of $unit have met, as a JSON object.
fault_counters() {
  chain_of "$unit"
  for table in iptables ip6tables; do
    "$table" -w 5 -nvxL "$chain" 2>/dev/null || :
  done | awk -v drop="$chain-D" '$3 == drop { packets += $1; bytes += $2 } END { printf "{\"packets\":%.0f,\"bytes\":%.0f}\n", packets, bytes }'
}

# remove_chain: unhooks, empties and removes the unit's chains, wherever they are; does nothing where they are not.
remove_chain() {
  kept=0
  for table in $(tables); do
    "$table" -w 5 -S 2>/dev/null | grep -e " -j $chain\$" | while read -r _ jump; do
      # A jump of ours has no quoted word in it.
      # shellcheck disable=SC2086
      (set -f && "$table" -w 5 -D $jump 2>/dev/null) || :
    done
    for name in "$chain" "$chain-D"; do
      { "$table" -w 5 -F "$name" && "$table" -w 5 -X "$name"; } 2>/dev/null || :
    done
    no_chain_in "$table" || kept=1
  done
  problem="chain $chain is still there"
  [ "$kept" = 0 ]
}

no_chain_in() {
  listing=$("$1" -w 5 -S 2>/dev/null) || return 1
  ! printf '%s\n' "$listing" | grep -q -e "$chain"
}

# fault_save: which tables work now, for the way back must be able to read the same ones; and which of them this fault makes.
fault_save() {
  working=$(tables)
  save "$unit_dir/tables" "$working" && save "$unit_dir/made" "$(absent_tables)"
}

# absent_tables: the tables that the first rule makes and that somebody can look for.
absent_tables() {
  have nft || return 0
  there=$(nft list tables 2>/dev/null) || return 0
  for table in $working; do
    case $("$table" -V 2>/dev/null) in
      *nf_tables*) ;;
      *) continue ;;
    esac
    printf '%s\n' "$there" | grep -qx "table $(family_of "$table") filter" || printf '%s\n' "$table"
  done
}

family_of() {
  case $1 in
    ip6tables) printf 'ip6\n' ;;
    *) printf 'ip\n' ;;
  esac
}

# remove_tables: those that this fault made, when nobody has put anything into them since.
remove_tables() {
  for table in $(cat "$unit_dir/made" 2>/dev/null || :); do
    # Only chains that let everything pass, and not a single rule.
    { "$table" -w 5 -S | grep -qv '^-P [A-Z]* ACCEPT$'; } 2>/dev/null || nft delete table "$(family_of "$table")" filter 2>/dev/null || :
  done
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
  remove_chain && remove_tables
}

fault_gone() {
  chain_of "$unit"
  no_chain
}
