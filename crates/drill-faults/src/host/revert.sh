#: description: Stormdrill. Ends one unit, whatever is left of it, and says what it saw.
#: timeout_seconds: 180
#: parts: [deadman, firewall, queue, paused, services, volumes]
#: common: [Unit, Run]
#: parameters: []
# shellcheck shell=dash
# revert: ends one unit, whatever is left of it, and says what it saw. For ever repeatable.
#
# The unit's own copy of its document knows best how to put it back. Where that is broken or gone, this document does it
# with what is left of the state, and by the names that carry the unit.

revert() {
  trap 'broken' EXIT
  check_parameters
  name_unit "$SSM_Unit"
  [ "$(id -u)" = 0 ] || conclude failed not-root "a document runs as root"
  was=absent
  ! traces || was=there
  [ ! -s "$tombstone" ] || [ "$was" = there ] || was=buried
  withdraw revert || conclude residue not-gone "unit $unit is still there: its own way back did not succeed"
  forgotten || conclude residue not-gone "something with the name of unit $unit is still there: ${problem:-it runs}"
  read_tombstone
  since=$buried_since counters=$buried_counters
  [ "$was-$buried_cause" != buried-refused ] || was=absent
  # It had ended before anybody asked, though something of its way back was still there.
  [ "$was-$buried_cause" != there-ended-early ] || was=buried
  case $was in
    there)
      ended_at=${buried_at:-$(now)}
      conclude reverted "" "the fault is seen to be gone"
      ;;
    buried)
      ended_at=$buried_at
      conclude absent "$buried_cause" "this unit ended at $buried_at"
      ;;
    *) conclude absent never-started "nothing of this unit was ever here" ;;
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

# no_names: no chain, no queue and no file on a volume has a name that belongs to this unit.
no_names() {
  [ -z "$(fillers_by_name)" ] || return 1
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
  remove_names && no_names && ! present "$unit"
}

remove_names() {
  for file in $(fillers_by_name); do
    remove_filler "$file" || return 1
  done
  chain_of "$unit"
  ! have iptables || no_names || remove_chain || return 1
  queue_of "$unit"
  if have tc; then
    for interface in $(queues_by_name); do
      remove_queue || return 1
    done
  fi
}

# fault_undo, fault_gone: of every fault, for a unit whose own copy cannot be used.
fault_undo() {
  continue_paused
  bring_back || return 1
  remove_filler "$unit_dir/fill"
  remove_names
}

fault_gone() {
  none_paused && brought_back && no_names
}

main() {
  revert
}
