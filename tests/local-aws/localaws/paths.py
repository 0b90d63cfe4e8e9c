"""Who can be reached through the network ACLs: whether an instance's SSM agent and Systems Manager hear each other.

The agent asks from inside, over HTTPS to an address outside every VPC; the answers come back to a high port. Both ways
must be open in the ACL of the instance's subnet, entry by entry as EC2 reads them. An instance that EC2 does not know has
no subnet, and is always reached.
"""

import ipaddress

from moto.ec2 import models as ec2

from . import ACCOUNT, REGION

# Stands for Systems Manager: an address that is in no VPC, and the ports at the two ends of a connection to it.
OUTSIDE = ipaddress.ip_address("198.51.100.1")
HTTPS, HIGH_PORT = 443, 40_000
TCP, EVERY_PROTOCOL = "6", "-1"


def agent_is_heard(instance_id):
    """Whether Systems Manager and the agent of this instance hear each other, now."""
    acl = _acl(instance_id)
    return acl is None or (_lets(acl, True, HTTPS) and _lets(acl, False, HIGH_PORT))


def _acl(instance_id):
    backend = ec2.ec2_backends[ACCOUNT][REGION]
    found = next((one for one in backend.all_instances() if one.id == instance_id), None)
    if found is None:
        return None
    for acl in list(backend.network_acls.values()):
        if any(each.subnet_id == found.subnet_id for each in acl.associations):
            return acl
    return None


def _lets(acl, egress, port):
    """The first entry that matches decides, by number; the last one denies."""
    for entry in sorted(acl.network_acl_entries, key=lambda one: one.rule_number):
        if entry.egress == egress and _is_for(entry, port):
            return entry.rule_action == "allow"
    return False


def _is_for(entry, port):
    if not entry.cidr_block or OUTSIDE not in ipaddress.ip_network(entry.cidr_block):
        return False
    if entry.protocol == EVERY_PROTOCOL:
        return True
    return entry.protocol == TCP and int(entry.port_range_from) <= port <= int(entry.port_range_to)
