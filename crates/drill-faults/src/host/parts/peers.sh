# shellcheck shell=dash
# Peers: whose traffic a network fault is about, and whose it must never touch.
#
# A peer is a network. What is spared is written PROTOCOL:PORT:NETWORK, such as udp:53:10.0.0.2/32; all:0: is any of both.

# choose_peers NAME: sets $peers_4 and $peers_6, blank separated, from To and from the addresses that NAME has now.
choose_peers() {
  peers_4='' peers_6=''
  if [ "$1" != - ]; then
    for address in $(resolve ahosts "$1"); do
      add_peer "$address"
    done
    [ -n "$peers_4$peers_6" ] || refuse no-address "$1 has no address here"
  elif [ "$SSM_To" = any ]; then
    peers_4=0.0.0.0/0 peers_6=::/0
  fi
  [ "$SSM_To" != any ] || return 0
  for network in $(printf '%s' "$SSM_To" | tr ',' ' '); do
    add_peer "$network"
  done
}

add_peer() {
  case $1 in
    *:*/*) peers_6="$peers_6${peers_6:+ }$1" ;;
    *:*) peers_6="$peers_6${peers_6:+ }$1/128" ;;
    */*) peers_4="$peers_4${peers_4:+ }$1" ;;
    *) peers_4="$peers_4${peers_4:+ }$1/32" ;;
  esac
}

# everybody LIST: it names nobody in particular.
everybody() {
  case " $1 " in
    *' 0.0.0.0/0 '* | *' ::/0 '*) return 0 ;;
  esac
  return 1
}

# too_wide LIST: it takes in whoever would put the fault back.
too_wide() {
  [ "$1" != any ] || return 0
  for network in $(printf '%s' "$1" | tr ',' ' '); do
    case $network in
      *:*) [ "${network#*/}" -ge 16 ] || return 0 ;;
      *) [ "${network#*/}" -ge 8 ] || return 0 ;;
    esac
  done
  return 1
}

# freeze, thaw: what the check found out travels to the holder in one word.
freeze() {
  frozen="$peers_4|$peers_6|$spared|$ways"
}

thaw() {
  peers_4=${frozen%%|*} rest=${frozen#*|}
  peers_6=${rest%%|*} rest=${rest#*|}
  spared=${rest%%|*} ways=${rest#*|}
}

# saved_peers: what the answer says of them.
saved_peers() {
  printf '{"peers":"%s"}\n' "$(clean "$(printf '%s' "$peers_4${peers_6:+ $peers_6}" | tr ' ' ',')" 500)"
}

# --- the control channel ---------------------------------------------------------------------------------------

# choose_spared: sets $spared to what this host needs to stay itself and to be put back.
choose_spared() {
  # Instance metadata and what else AWS serves on links of its own, and the neighbours in IPv6.
  spared='all:0:169.254.0.0/16 all:0:fd00:ec2::/32 all:0:fe80::/10 all:0:ff02::/16'
  # The lease of the address, and the clock.
  spared="$spared udp:67:0.0.0.0/0 udp:547:::/0 udp:123:0.0.0.0/0 udp:123:::/0"
  if [ "$SSM_Spare" != - ]; then
    for network in $(printf '%s' "$SSM_Spare" | tr ',' ' '); do
      spared="$spared all:0:$network"
    done
  fi
  spare_name_servers
  spare_the_agent
}

# spare_host PROTOCOL PORT ADDRESS
spare_host() {
  case $3 in
    *[!0-9a-fA-F:.]*) return 0 ;;
    *:*) word=$1:$2:$3/128 ;;
    *.*.*.*) word=$1:$2:$3/32 ;;
    *) return 0 ;;
  esac
  case " $spared " in
    *" $word "*) ;;
    *) spared="$spared $word" ;;
  esac
}

# spare_name_servers: those in resolv.conf, and those that a resolver on this host asks in turn.
spare_name_servers() {
  remote=no
  for server in $(name_servers); do
    for service in udp:53 tcp:53 tcp:853; do
      spare_host "${service%:*}" "${service#*:}" "$server"
    done
    case $server in
      127.* | ::1) ;;
      *) remote=yes ;;
    esac
  done
  # systemd's own resolver says whom it asks. Another one on this host asks whom it likes, and the root by itself.
  for server in $(servers_in /etc/resolv.conf); do
    case $server in
      127.0.0.53 | 127.0.0.54) ;;
      127.* | ::1) remote=no ;;
    esac
  done
  [ "$remote" = yes ] || for word in udp:53:0.0.0.0/0 tcp:53:0.0.0.0/0 udp:53:::/0 tcp:53:::/0; do
    case " $spared " in
      *" $word "*) ;;
      *) spared="$spared $word" ;;
    esac
  done
}

name_servers() {
  remote=no
  for server in $(name_servers); do
    for service in udp:53 tcp:53 tcp:853; do
      spare_host "${service%:*}" "${service#*:}" "$server"
    done
    case $server in
      127.* | ::1) ;;
      *) remote=yes ;;
    esac
  done
  # A resolver on this host that goes to the root by itself asks anybody.
  [ "$remote" = yes ] || spared="$spared udp:53:0.0.0.0/0 tcp:53:0.0.0.0/0 udp:53:::/0 tcp:53:::/0"
}

name_servers() {
  servers_in /etc/resolv.conf /run/systemd/resolve/resolv.conf /run/NetworkManager/no-stub-resolv.conf \
    /run/NetworkManager/resolv.conf /run/dnsmasq/resolv.conf /etc/dnsmasq.conf /etc/dnsmasq.d/*.conf
}

# servers_in FILE...: the name servers that they name, each once.
servers_in() {
  sed -n -e 's/^[[:blank:]]*nameserver[[:blank:]]\{1,\}\([0-9A-Fa-f:.]\{1,\}\).*/\1/p' \
    -e 's/^[[:blank:]]*server=\(\/.*\/\)\{0,1\}\([0-9A-Fa-f:.]\{1,\}\).*/\2/p' "$@" 2>/dev/null | sort -u
}

# spare_the_agent: the connections that it holds, and the addresses that it would dial next.
spare_the_agent() {
  holders=''
  look $$ || parent=0
  while [ "$parent" -gt 1 ]; do
    holders="$holders $parent"
    look "$parent" || break
  done
  for entry in /proc/[0-9]*; do
    short=''
    { IFS= read -r short <"$entry/comm"; } 2>/dev/null || continue
    case $short in
      amazon-ssm-agen | ssm-agent-worke | ssm-session-wor) holders="$holders ${entry#/proc/}" ;;
    esac
  done
  for far in $(connections) $(endpoints); do
    rest=${far#*:}
    spare_host "${far%%:*}" "${rest%%:*}" "${rest#*:}"
  done
}

# connections: PROTOCOL:PORT:ADDRESS of the far end of what the processes in $holders are connected to.
connections() {
  inodes=$(for holder in $holders; do ls -l "/proc/$holder/fd" 2>/dev/null || :; done |
    sed -n 's/.*socket:\[\([0-9]*\)\]$/\1/p' | tr '\n' ' ')
  [ -n "$inodes" ] || return 0
  # The kernel writes an address as 32-bit words whose bytes are the other way round.
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v inodes=" $inodes" '
    function number(text, value, at) {
      for (at = 1; at <= length(text); at++) value = value * 16 + index("0123456789ABCDEF", substr(text, at, 1)) - 1
      return value
    }
    function four(word) {
      return number(substr(word, 7, 2)) "." number(substr(word, 5, 2)) "." number(substr(word, 3, 2)) "." number(substr(word, 1, 2))
    }
    function two(word) {
      return tolower(substr(word, 7, 2) substr(word, 5, 2) ":" substr(word, 3, 2) substr(word, 1, 2))
    }
    $4 == "01" && index(inodes, " " $10 " ") {
      split($3, far, ":")
      words = far[1]
      if (length(words) == 8) address = four(words)
      else if (substr(words, 1, 24) == "0000000000000000FFFF0000") address = four(substr(words, 25))
      else address = two(substr(words, 1, 8)) ":" two(substr(words, 9, 8)) ":" two(substr(words, 17, 8)) ":" two(substr(words, 25, 8))
      print "tcp:" number(far[2]) ":" address
    }'
}

# endpoints: PROTOCOL:PORT:ADDRESS of what the agent dials: the services, its own configuration, its proxy.
endpoints() {
  {
    service_names
    sed -n 's/.*"Endpoint": *"\(https:\/\/\)\{0,1\}\([A-Za-z0-9.-]\{1,\}\).*/\2 443/p' /etc/amazon/ssm/amazon-ssm-agent.json 2>/dev/null || :
    for holder in $holders; do
      { tr '\0' '\n' <"/proc/$holder/environ"; } 2>/dev/null || :
    done | sed -n 's#^[Hh][Tt][Tt][Pp][Ss]\{0,1\}_[Pp][Rr][Oo][Xx][Yy]=\(https\{0,1\}://\)\{0,1\}\([^@/]*@\)\{0,1\}\([A-Za-z0-9.-]\{1,\}\):\([0-9]\{1,5\}\).*#\3 \4#p'
  } | sort -u | {
    # Side by side: a name server that is silent costs 5 s and not 5 s for each name.
    while read -r name number; do
      for address in $(resolve ahosts "$name"); do
        printf 'tcp:%s:%s\n' "$number" "$address"
      done &
    done
    wait
  }
}

service_names() {
  region=${AWS_SSM_REGION_NAME-}
  case $region in
    '' | *[!a-z0-9-]*) return 0 ;;
    cn-*) domains='amazonaws.com.cn api.amazonwebservices.com.cn' ;;
    us-iso-*) domains=c2s.ic.gov ;;
    us-isob-*) domains=sc2s.sgov.gov ;;
    us-isof-*) domains=csp.hci.ic.gov ;;
    eu-isoe-*) domains=cloud.adc-e.uk ;;
    eusc-*) domains='amazonaws.eu api.amazonwebservices.eu' ;;
    *) domains='amazonaws.com api.aws' ;;
  esac
  for domain in $domains; do
    for service in ssm ssmmessages ec2messages; do
      printf '%s.%s.%s 443\n' "$service" "$region" "$domain"
    done
  done
}

# resolve DATABASE NAME: its addresses, one a line, each once. A name server that is silent costs 5 s, not more.
resolve() {
  timeout 5 getent "$1" "$2" 2>/dev/null | sed 's/[[:blank:]].*//' | sort -u
}

# refuse_protected PROTOCOL PORT: what is spared is never met, so a fault that names only that is refused.
refuse_protected() {
  for word in $spared; do
    rest=${word#*:}
    network=${rest#*:}
    case ${word%%:*} in
      all) ;;
      "$1") [ "$2" = 0 ] || [ "$2" = "${rest%%:*}" ] || continue ;;
      *) { [ "$1" = all ] && { [ "$2" = 0 ] || [ "$2" = "${rest%%:*}" ]; }; } || continue ;;
    esac
    case $network in
      0.0.0.0/0 | ::/0)
        [ "$2" != "${rest%%:*}" ] || refuse protected "port $2 is what this host finds its name servers, its clock or its address by"
        ;;
      *)
        for peer in $peers_4 $peers_6; do
          ! within "$peer" "$network" || refuse protected "$peer is part of how this host is reached and put back ($word): name another, or a port"
        done
        ;;
    esac
  done
}

# within PEER NETWORK: as far as a fault may be refused for it: the same, or in one of the fixed networks.
within() {
  [ "$1" != "$2" ] || return 0
  case "$2 $1" in
    '169.254.0.0/16 169.254.'* | 'fd00:ec2::/32 fd00:ec2:'* | 'fe80::/10 fe80:'* | 'ff02::/16 ff02:'*) return 0 ;;
  esac
  return 1
}

# refuse_bypass: refuses where something on this host, such as a container, has a way out of its own. Its packets never pass
# this host's rules and queues, so a fault here would not meet them.
refuse_bypass() {
  have nsenter || return 0
  own=$(readlink /proc/self/ns/net) || return 0
  # shellcheck disable=SC2012
  for number in $(ls -l /proc/[0-9]*/ns/net 2>/dev/null | awk -v own="$own" '
    $NF != own && $NF ~ /^net:/ && !seen[$NF]++ { split($(NF - 2), path, "/"); print path[3] }'); do
    way=$(nsenter -t "$number" -n ip -o -d link show up 2>/dev/null | awk '
      / (macvlan|ipvlan|macvtap|ipvtap|vlan) / { print $2; exit }
      / link\/ether / && !/ (veth|bridge|dummy|ifb|bond|team|tun|vxlan|geneve|gretap|ip6gretap|vrf|netdevsim|nlmon) / { print $2; exit }')
    [ -z "$way" ] || refuse bypassed "process $number speaks by ${way%%[@:]*}, past this host: a fault here would not meet it"
  done
}

# refuse_bridged BRIDGE: refuses where what speaks by it does not pass this host's rules.
refuse_bridged() {
  [ "$(ip -o link show master "$1" 2>/dev/null | grep -c .)" -gt 1 ] || return 0
  filtered=0
  { read -r filtered </proc/sys/net/bridge/bridge-nf-call-iptables; } 2>/dev/null || :
  [ "$filtered" = 1 ] || refuse bypassed "what speaks by $1 passes this host's rules by: bridge-nf-call-iptables is not 1"
}

# --- ways ------------------------------------------------------------------------------------------------------

# devices: the interfaces that what `ip` printed names, each once.
devices() {
  tr -s ' \\\t' '\n' | sed -n '/^dev$/{n;s/@.*//;p;}' | sort -u
}

default_ways() {
  { ip -o -4 route show table all default && ip -o -6 route show table all default; } 2>/dev/null | devices
}

# outside: the interfaces through which others are reached, not those that lead to what runs on this very host: a bridge
# that no default route uses, or an end of a pair that has no address.
outside() {
  led=$(default_ways | tr '\n' ' ')
  bridges=$(ip -o link show type bridge 2>/dev/null | sed -n 's/^[0-9]*: *\([^ :@]*\).*/\1/p' | tr '\n' ' ')
  for interface in $led $(ip -o addr show up scope global 2>/dev/null | sed -n 's/^[0-9]*: *\([^ @]*\).*/\1/p' | sort -u); do
    case " $led " in
      *" $interface "*) ;;
      *)
        case " lo $bridges " in
          *" $interface "*) continue ;;
        esac
        ;;
    esac
    printf '%s\n' "$interface"
  done | sort -u
}

# ways_to NETWORK: the interfaces that lead there: by the route to its first address, and by every route into it.
ways_to() {
  case $1 in
    *:*) family=-6 ;;
    *) family=-4 ;;
  esac
  {
    ip -o "$family" route get "${1%/*}"
    ip -o "$family" route show table all root "$1" | grep -Ev '^(broadcast|local|multicast|anycast|unreachable|blackhole|prohibit|throw) '
  } 2>/dev/null | devices
}

# choose_ways LIST: sets $ways, blank separated: every interface to the outside for everybody; for some, those that lead
# to them, where what leads to this host's own containers counts only when nothing else does.
choose_ways() {
  far=$(outside | tr '\n' ' ')
  ways=''
  for network in $1; do
    near=''
    met=no
    if everybody "$network"; then
      found=$far
    else
      found=$(ways_to "$network")
    fi
    for interface in $found; do
      case " $far " in
        *" $interface "*) met=yes && add_way "$interface" ;;
        *) near="$near $interface" ;;
      esac
    done
    [ "$met" = no ] || continue
    for interface in $near; do
      refuse_bridged "$interface"
      add_way "$interface"
    done
  done
}

add_way() {
  case " $ways " in
    *" $1 "*) ;;
    *) ways="$ways${ways:+ }$1" ;;
  esac
}
