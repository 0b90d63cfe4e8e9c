# shellcheck shell=dash
# Peers: whose traffic a network fault is about, and whose it must never touch.

# What a host needs to stay itself: instance metadata, the name server, the clock and, in IPv6, its neighbours.
SPARED_4=169.254.0.0/16
SPARED_6=fd00:ec2::/32,fe80::/10,ff02::/16

# too_wide LIST: it takes in whoever would put the fault back.
too_wide() {
  [ "$1" != any ] || return 0
  for network in $(printf '%s' "$1" | tr ',' ' '); do
    [ "${network#*/}" -ge 8 ] || return 0
  done
  return 1
}

# spared_4: the networks to leave alone: the fixed ones, those of the order, and what the agent talks to.
spared_4() {
  printf '%s' "$SPARED_4"
  [ "$SSM_Spare" = - ] || printf ',%s' "$SSM_Spare"
  region=${AWS_SSM_REGION_NAME-}
  case $region in
    '' | *[!a-z0-9-]*) ;;
    *)
      domain=amazonaws.com
      case $region in
        cn-*) domain=amazonaws.com.cn ;;
      esac
      for service in ssm ssmmessages ec2messages; do
        for address in $(resolve ahostsv4 "$service.$region.$domain"); do
          printf ',%s/32' "$address"
        done
      done
      ;;
  esac
  printf '\n'
}

# resolve DATABASE NAME: its addresses, one a line, each once. A name server that is silent costs 5 s, not more.
resolve() {
  timeout 5 getent "$1" "$2" 2>/dev/null | sed 's/[[:blank:]].*//' | sort -u
}
