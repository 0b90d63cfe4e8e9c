#: description: Stormdrill. Loses a share of the packets.
#: timeout_seconds: 60
#: parts: [deadman, peers, firewall]
#: parameters:
#:   - name: Percent
#:     description: How many of the packets, 0.0001 to 100.
#:     pattern: '^(100|[1-9][0-9]?(\.[0-9]{0,3}[1-9])?|0\.[0-9]{0,3}[1-9])$'
#:     length: 7
#:   - name: Direction
#:     description: Packets that arrive (ingress) or that leave (egress).
#:     values: [ingress, egress]
#:     length: 7
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
# network-loss: a share of the packets is lost, by chance. Works without netem.

which_packets() {
  protocol=all port=0 chance=''
  [ "$SSM_Percent" = 100 ] || chance=$(awk -v percent="$SSM_Percent" 'BEGIN { printf "%.8f", percent / 100 }')
}

fault_check() {
  which_packets
  [ "$SSM_Percent" != 100 ] || ! too_wide "$SSM_To" || refuse too-wide "a loss of 100 % of everybody's packets cuts the host off"
  check_packets -
}

fault_apply() {
  which_packets
  chain_of "$unit"
  thaw
  saved=$(saved_peers)
  drop_packets
}

fault_landed() {
  see_rules && landed_rules=$own_rules
}
