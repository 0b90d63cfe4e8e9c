# shellcheck shell=dash
# revert: ends one unit, whatever is left of it, and says what it saw. For ever repeatable.

revert() {
  trap 'broken' EXIT
  check_parameters
  name_unit "$SSM_Unit"
  [ "$(id -u)" = 0 ] || conclude failed not-root "a document runs as root"
  buried=''
  { read -r buried <"$tombstone"; } 2>/dev/null || :
  was=absent
  ! traces || was=there
  withdraw revert || conclude residue not-gone "unit $unit is still there: its own way back did not succeed"
  forgotten || conclude residue not-gone "something with the name of unit $unit is still there: ${problem:-it runs}"
  if [ "$was" = there ]; then
    conclude reverted "" "the fault is seen to be gone"
  fi
  case $buried in
    '') conclude absent never-started "nothing of this unit was ever here" ;;
    *) conclude absent "${buried#* }" "this unit ended at ${buried%% *}" ;;
  esac
}

broken() {
  status=$?
  [ "$concluded" = no ] || exit "$status"
  trap - EXIT
  conclude residue unexpected "the revert stopped with status $status: nothing is known"
}

# traces: anything that carries the unit's name, whether or not its folder is still there to explain it.
traces() {
  [ -e "$unit_dir" ] || [ -e "$STATE/units/.$unit.new" ] || [ -e "$STATE/units/.$unit.gone" ] || present "$unit" || ! no_names
}

# no_names: no chain and no queue has a name that belongs to this unit.
no_names() {
  chain_of "$unit"
  if have iptables; then
    for table in $(tables); do
      no_chain_in "$table" || return 1
    done
  fi
  queue_of "$unit"
  ! have tc || [ -z "$(queues_by_name)" ]
}

# forgotten: removes by name what no folder accounts for, and succeeds when there is nothing.
forgotten() {
  chain_of "$unit"
  ! have iptables || no_names || remove_chain || return 1
  queue_of "$unit"
  if have tc; then
    for interface in $(queues_by_name); do
      remove_queue || return 1
    done
  fi
  no_names && ! present "$unit"
}

main() {
  revert
}
