# shellcheck shell=dash
# network-loss: a share of the packets is lost, by chance. Works without netem.

fault_check() {
  check_firewall
  [ "$SSM_Percent" -lt 100 ] || ! too_wide "$SSM_To" || refuse too-wide "a loss of 100 % of everybody's packets cuts the host off"
}

fault_apply() {
  chain_of "$unit"
  note_tables
  choose_peers -
  saved="{\"to\":\"$SSM_To\"}"
  in_each_table
}

drop_rules() {
  if [ "$SSM_Percent" -eq 100 ]; then
    build "$1" "$2" "$3"
  else
    build "$1" "$2" "$3" -m statistic --mode random --probability "$(printf '0.%02d' "$SSM_Percent")"
  fi
}

fault_landed() {
  see_rules
}
