"""Network ACLs as EC2 has them: a dry run does nothing, a repeated request makes nothing new, a late one is refused.

Replaces moto's verbs, which do a dry run, forget the client token, and fail with a 500 where EC2 refuses.
What an ACL does to the hosts behind it is in `paths`.
"""

import ipaddress
import threading

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.exceptions import EC2ClientError, InvalidNetworkAclIdError
from moto.ec2.models import EC2Backend
from moto.ec2.models.network_acls import NetworkAcl
from moto.ec2.responses.network_acls import NetworkACLs

from .pages import answer

# The entries that end every list, which nobody can write or delete: for IPv4, and for IPv6 where the VPC has it.
LAST, LAST_IPV6 = 32767, 32768
ANYWHERE, ANYWHERE_IPV6 = "0.0.0.0/0", "::/0"
# Entries for each direction, without the last ones.
MOST_ENTRIES = 20
PROTOCOLS = {"all": "-1", "icmp": "1", "tcp": "6", "udp": "17"}
_lock = threading.RLock()


def install():
    """From now on the verbs are these."""
    for verb in (
        create_network_acl,
        delete_network_acl,
        create_network_acl_entry,
        replace_network_acl_entry,
        delete_network_acl_entry,
        replace_network_acl_association,
        describe_network_acls,
    ):
        setattr(NetworkACLs, verb.__name__, verb)
    _last_entries()
    _filters()
    _subnets_go()


def create_network_acl(self):
    backend, token = self.ec2_backend, self._get_param("ClientToken")
    vpc = backend.get_vpc(self._get_param("VpcId"))
    tags = self._parse_tag_specification("network-acl").get("network-acl", {})
    self.error_on_dryrun()
    with _lock:
        made = backend.__dict__.setdefault("made_acls", {})
        asked = (vpc.id, tags)
        if token in made:
            before, acl = made[token]
            if before != asked:
                raise EC2ClientError(
                    "IdempotentParameterMismatch", f"The client token {token} was used with other parameters"
                )
        else:
            acl = backend.create_network_acl(vpc.id, tags=[{"Key": key, "Value": value} for key, value in tags.items()])
            if token:
                made[token] = (asked, acl)
    return ActionResult({"NetworkAcl": acl, "ClientToken": token})


def delete_network_acl(self):
    acl = self.ec2_backend.get_network_acl(self._get_param("NetworkAclId"))
    if acl.default:
        raise EC2ClientError("InvalidParameterValue", f"cannot delete default network ACL {acl.id}")
    self.error_on_dryrun()
    with _lock:
        self.ec2_backend.delete_network_acl(acl.id)
    return EmptyResult()


def create_network_acl_entry(self):
    acl, entry = _asked_entry(self)
    self.error_on_dryrun()
    with _lock:
        present = [one for one in acl.network_acl_entries if one.egress == entry["egress"] and one.rule_number < LAST]
        taken = any(one.rule_number == entry["rule_number"] for one in present)
        if len(present) >= MOST_ENTRIES and not taken:
            raise EC2ClientError("NetworkAclEntryLimitExceeded", f"{acl.id} has {MOST_ENTRIES} entries already")
        self.ec2_backend.create_network_acl_entry(**entry)
    return EmptyResult()


def replace_network_acl_entry(self):
    acl, entry = _asked_entry(self)
    self.error_on_dryrun()
    with _lock:
        _take(acl, entry["rule_number"], entry["egress"])
        self.ec2_backend.create_network_acl_entry(**entry)
    return EmptyResult()


def delete_network_acl_entry(self):
    acl = self.ec2_backend.get_network_acl(self._get_param("NetworkAclId"))
    number = _number(self)
    self.error_on_dryrun()
    with _lock:
        _take(acl, number, self._get_param("Egress"))
    return EmptyResult()


def replace_network_acl_association(self):
    backend, association = self.ec2_backend, self._get_param("AssociationId")
    with _lock:
        before = next((acl for acl in backend.network_acls.values() if association in acl._associations), None)
        if before is None:
            raise EC2ClientError("InvalidAssociationID.NotFound", f"The association ID '{association}' does not exist")
        after = backend.get_network_acl(self._get_param("NetworkAclId"))
        if before.vpc_id != after.vpc_id:
            raise EC2ClientError("InvalidParameterValue", f"{after.id} and the subnet are of different VPCs")
        self.error_on_dryrun()
        made = backend.replace_network_acl_association(association, after.id)
    return ActionResult({"NewAssociationId": made.new_association_id})


def describe_network_acls(self):
    return answer(self, "NetworkAclIds", "NetworkAcls", dict(self.ec2_backend.network_acls), InvalidNetworkAclIdError)


def _asked_entry(response):
    """The ACL and the entry that a request names, as EC2 keeps it."""
    get = response._get_param
    acl = response.ec2_backend.get_network_acl(get("NetworkAclId"))
    protocol = PROTOCOLS.get(str(get("Protocol")).lower(), str(get("Protocol")))
    if protocol in ("6", "17") and get("PortRange.From") is None:
        raise EC2ClientError("MissingParameter", "The request must contain the parameter PortRange")
    blocks = {"cidr_block": get("CidrBlock"), "ipv6_cidr_block": get("Ipv6CidrBlock")}
    if len([one for one in blocks.values() if one]) != 1:
        raise EC2ClientError("MissingParameter", "The request must contain one of CidrBlock and Ipv6CidrBlock")
    try:
        # 10.0.0.5/8 becomes 10.0.0.0/8.
        blocks = {name: one and str(ipaddress.ip_network(one, strict=False)) for name, one in blocks.items()}
    except ValueError as error:
        raise EC2ClientError("InvalidParameterValue", str(error)) from None
    return acl, {
        "network_acl_id": acl.id,
        "rule_number": _number(response),
        "protocol": protocol,
        "rule_action": get("RuleAction"),
        "egress": get("Egress"),
        "icmp_code": get("IcmpTypeCode.Code"),
        "icmp_type": get("IcmpTypeCode.Type"),
        "port_range_from": get("PortRange.From"),
        "port_range_to": get("PortRange.To"),
    } | blocks


def _number(response):
    number = int(response._get_param("RuleNumber"))
    if not 1 <= number < LAST:
        raise EC2ClientError("InvalidParameterValue", f"Value ({number}) for parameter ruleNumber is invalid")
    return number


def _take(acl, number, egress):
    """Takes an entry away; it must be there."""
    found = [one for one in acl.network_acl_entries if (one.rule_number, one.egress) == (number, egress)]
    if not found:
        direction = "egress" if egress else "ingress"
        raise EC2ClientError(
            "InvalidNetworkAclEntry.NotFound",
            f"The {direction} entry with rule number {number} does not exist in network ACL {acl.id}",
        )
    acl.network_acl_entries.remove(found[0])


def _last_entries():
    """A new ACL denies everything; in a VPC with IPv6 it says so for IPv6 too, and a default one allows both."""
    create = EC2Backend.create_network_acl

    def create_network_acl(backend, vpc_id, tags=None, default=False):
        acl = create(backend, vpc_id, tags=tags, default=default)
        entries = [] if default else [(LAST, "deny", ANYWHERE, None)]
        if backend.get_vpc(vpc_id).get_cidr_block_association_set(ipv6=True):
            entries += [(101, "allow", None, ANYWHERE_IPV6)] if default else []
            entries += [(LAST_IPV6, "deny", None, ANYWHERE_IPV6)]
        for number, action, block, ipv6_block in entries:
            for egress in (True, False):
                backend.create_network_acl_entry(
                    network_acl_id=acl.id,
                    rule_number=number,
                    protocol="-1",
                    rule_action=action,
                    egress=egress,
                    cidr_block=block,
                    ipv6_cidr_block=ipv6_block,
                    icmp_code=None,
                    icmp_type=None,
                    port_range_from=None,
                    port_range_to=None,
                )
        return acl

    EC2Backend.create_network_acl = create_network_acl


def _filters():
    """The one filter that moto lacks, and one that is about associations and not about the ACL."""
    theirs = NetworkAcl.get_filter_value

    def get_filter_value(acl, name, method_name=None):
        if name == "network-acl-id":
            return acl.id
        if name == "association.network-acl-id":
            return [each.network_acl_id for each in acl.associations]
        return theirs(acl, name, method_name)

    NetworkAcl.get_filter_value = get_filter_value


def _subnets_go():
    """A deleted subnet takes its association along, or its ACL could never be deleted."""
    delete = EC2Backend.delete_subnet

    def delete_subnet(backend, subnet_id):
        gone = delete(backend, subnet_id)
        with _lock:
            for acl in backend.network_acls.values():
                kept = {name: each for name, each in acl._associations.items() if each.subnet_id != subnet_id}
                acl._associations = kept
        return gone

    EC2Backend.delete_subnet = delete_subnet
