#: description: Stormdrill. Lets the packets of some peers, or of a port, vanish.
#: timeout_seconds: 60
#: parts: [deadman, peers, firewall]
#: parameters:
#:   - name: Direction
#:     description: Packets that arrive (ingress) or that leave (egress).
#:     values: [ingress, egress]
#:     length: 7
#:   - name: Protocol
#:     description: The protocol.
#:     values: [tcp, udp, all]
#:     length: 3
#:   - name: Port
#:     description: The port, 0 to 65535. 0 is every port.
#:     pattern: '^(0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$'
#:     length: 5
#:   - name: To
#:     description: Whose traffic. IPv4 and IPv6 networks with commas between, or any.
#:     pattern: '^(any|((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}/(3[0-2]|[12]?[0-9])|([0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))(,((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}/(3[0-2]|[12]?[0-9])|([0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))){0,19})$'
#:     length: 900
#:   - name: Name
#:     description: A DNS name whose addresses of now are the peers, or -.
#:     pattern: '^(-|[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)$'
#:     length: 253
#:     default: '-'
#:   - name: Spare
#:     description: Whose traffic is never touched, besides what the host needs to stay itself and to be put back. IPv4 and IPv6 networks, or -.
#:     pattern: '^(-|((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}/(3[0-2]|[12]?[0-9])|([0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))(,((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}/(3[0-2]|[12]?[0-9])|([0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))){0,19})$'
#:     length: 900
#:     default: '-'
# shellcheck shell=dash
# network-blackhole: packets to or from some peers, or a port, vanish.

which_packets() {
  protocol=$SSM_Protocol port=$SSM_Port chance=''
}

fault_check() {
  which_packets
  [ "$SSM_Port" -ne 0 ] || [ "$SSM_Name" != - ] || ! too_wide "$SSM_To" ||
    refuse too-wide "every port of everybody cuts the host off: name a port or whose traffic"
  check_packets "$SSM_Name"
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
