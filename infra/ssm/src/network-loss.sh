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
  note_tables
  thaw
  saved=$(saved_peers)
  drop_packets
}

fault_landed() {
  see_rules
}
