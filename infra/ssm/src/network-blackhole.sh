# shellcheck shell=dash
# network-blackhole: packets to or from some peers, or a port, vanish.

fault_check() {
  check_firewall
  [ "$SSM_Port" -ne 0 ] || [ "$SSM_Name" != - ] || ! too_wide "$SSM_To" ||
    refuse too-wide "every port of everybody cuts the host off: name a port or whose traffic"
  choose_peers "$SSM_Name"
  [ -n "$peers_4$peers_6" ] || refuse no-address "$SSM_Name has no address here"
  frozen="$peers_4 $peers_6"
}

fault_apply() {
  chain_of "$unit"
  note_tables
  peers_4=${frozen%% *} peers_6=${frozen#* }
  # The addresses of now: what the name means later is another matter.
  printf '%s\n' "$frozen" >"$unit_dir/peers"
  saved="{\"peers\":\"$(clean "$peers_4${peers_6:+,$peers_6}" 500)\"}"
  in_each_table
}

drop_rules() {
  if [ "$SSM_Port" -eq 0 ]; then
    case $SSM_Protocol in
      all) build "$1" "$2" "$3" ;;
      *) build "$1" "$2" "$3" -p "$SSM_Protocol" ;;
    esac
    return
  fi
  case $SSM_Protocol in
    all) build "$1" "$2" "$3" -p tcp --dport "$SSM_Port" && build "$1" "$2" '' -p udp --dport "$SSM_Port" ;;
    *) build "$1" "$2" "$3" -p "$SSM_Protocol" --dport "$SSM_Port" ;;
  esac
}

fault_landed() {
  see_rules
}
