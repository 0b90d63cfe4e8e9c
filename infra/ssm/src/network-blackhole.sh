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
  note_tables
  thaw
  # The addresses of now: what the name means later is another matter.
  printf '%s\n' "$frozen" >"$unit_dir/peers"
  saved=$(saved_peers)
  drop_packets
}

fault_landed() {
  see_rules
}
