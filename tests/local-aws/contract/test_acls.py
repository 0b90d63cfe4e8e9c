"""Network ACLs, subnets and network interfaces: what EC2 does, repeats, pages and refuses."""

import itertools
import uuid

import pytest
from botocore.exceptions import ClientError

ENTRY = {"Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0"}
blocks = itertools.count(1)


@pytest.fixture
def ec2(aws):
    return aws.client("ec2")


@pytest.fixture
def vpc(ec2):
    return ec2.create_vpc(CidrBlock=f"10.{next(blocks)}.0.0/16")["Vpc"]


def subnet(ec2, vpc, number=0, zone="us-east-1a", **tags):
    block = vpc["CidrBlock"].replace(".0.0/16", f".{number}.0/24")
    made = ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock=block, AvailabilityZone=zone)["Subnet"]["SubnetId"]
    if tags:
        ec2.create_tags(Resources=[made], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    return made


def acl(ec2, vpc, **more):
    return ec2.create_network_acl(VpcId=vpc["VpcId"], **more)["NetworkAcl"]["NetworkAclId"]


def association(ec2, subnet):
    """The subnet's ACL, and the id by which it is associated."""
    wanted = [{"Name": "association.subnet-id", "Values": [subnet]}]
    [found] = ec2.describe_network_acls(Filters=wanted)["NetworkAcls"]
    [by] = [one["NetworkAclAssociationId"] for one in found["Associations"] if one["SubnetId"] == subnet]
    return found["NetworkAclId"], by


def entries(ec2, acl):
    [found] = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"]
    return sorted((one["RuleNumber"], one["Egress"], one["RuleAction"]) for one in found["Entries"])


def refusal(call, **given):
    """The code that EC2 refuses with. It is never the service's mistake, a 500."""
    with pytest.raises(ClientError) as refused:
        call(**given)
    code = refused.value.response["Error"]["Code"]
    status = refused.value.response["ResponseMetadata"]["HTTPStatusCode"]
    assert status == (412 if code == "DryRunOperation" else 400)
    return code


def ids(found, name):
    return {one[name] for one in found}


NOTHING = [(32767, False, "deny"), (32767, True, "deny")]


def test_a_new_acl_denies_everything(ec2, vpc):
    assert entries(ec2, acl(ec2, vpc)) == NOTHING


def test_the_default_acl_allows_everything(ec2, vpc):
    default, _ = association(ec2, subnet(ec2, vpc))

    assert entries(ec2, default) == [
        (100, False, "allow"),
        (100, True, "allow"),
        (32767, False, "deny"),
        (32767, True, "deny"),
    ]


def test_with_ipv6_there_are_two_last_entries(ec2):
    made = ec2.create_vpc(CidrBlock=f"10.{next(blocks)}.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]

    ours = entries(ec2, acl(ec2, made))
    default, _ = association(ec2, subnet(ec2, made))

    assert ours == sorted(NOTHING + [(32768, False, "deny"), (32768, True, "deny")])
    assert (101, False, "allow") in entries(ec2, default)


def test_a_dry_run_does_nothing(ec2, vpc):
    inside = subnet(ec2, vpc)
    ours, before = acl(ec2, vpc), association(ec2, inside)
    ec2.create_network_acl_entry(NetworkAclId=ours, RuleNumber=1, Egress=True, **ENTRY)
    everything = ec2.describe_network_acls()["NetworkAcls"]
    calls = [
        (ec2.create_network_acl, {"VpcId": vpc["VpcId"]}),
        (ec2.create_network_acl_entry, {"NetworkAclId": ours, "RuleNumber": 2, "Egress": True, **ENTRY}),
        (ec2.replace_network_acl_entry, {"NetworkAclId": ours, "RuleNumber": 1, "Egress": True, **ENTRY}),
        (ec2.replace_network_acl_association, {"AssociationId": before[1], "NetworkAclId": ours}),
        (ec2.delete_network_acl, {"NetworkAclId": ours}),
        (ec2.delete_network_acl_entry, {"NetworkAclId": ours, "RuleNumber": 1, "Egress": True}),
        (ec2.create_tags, {"Resources": [ours], "Tags": [{"Key": "a", "Value": "b"}]}),
        (ec2.describe_network_acls, {}),
    ]

    codes = [refusal(call, DryRun=True, **given) for call, given in calls]

    assert codes == ["DryRunOperation"] * len(calls)
    assert ec2.describe_network_acls()["NetworkAcls"] == everything


def test_a_dry_run_on_what_is_not_there_says_so(ec2):
    gone = {"NetworkAclId": "acl-00000000", "RuleNumber": 1, "Egress": True}

    assert refusal(ec2.delete_network_acl_entry, DryRun=True, **gone) == "InvalidNetworkAclID.NotFound"


def test_the_same_client_token_makes_one_acl(ec2, vpc):
    token = uuid.uuid4().hex

    first = acl(ec2, vpc, ClientToken=token)

    assert acl(ec2, vpc, ClientToken=token) == first
    assert acl(ec2, vpc) != first
    other = ec2.create_vpc(CidrBlock="10.200.0.0/16")["Vpc"]["VpcId"]
    assert refusal(ec2.create_network_acl, VpcId=other, ClientToken=token) == "IdempotentParameterMismatch"


def test_an_entry_is_kept_as_ec2_writes_it(ec2, vpc):
    ours = acl(ec2, vpc)
    tcp = {"Protocol": "tcp", "CidrBlock": "10.9.8.7/8", "PortRange": {"From": 5432, "To": 5433}}
    icmp = {"Protocol": "1", "Ipv6CidrBlock": "::/0", "IcmpTypeCode": {"Type": 8, "Code": -1}}

    ec2.create_network_acl_entry(NetworkAclId=ours, RuleNumber=7, Egress=False, RuleAction="deny", **tcp)
    ec2.create_network_acl_entry(NetworkAclId=ours, RuleNumber=8, Egress=False, RuleAction="allow", **icmp)

    [found] = ec2.describe_network_acls(NetworkAclIds=[ours])["NetworkAcls"]
    first, second = sorted(found["Entries"], key=lambda one: one["RuleNumber"])[:2]
    common = {"Egress": False, "RuleNumber": 7, "RuleAction": "deny"}
    assert first == common | tcp | {"Protocol": "6", "CidrBlock": "10.0.0.0/8"}
    assert second == common | icmp | {"RuleNumber": 8, "RuleAction": "allow"}


def test_an_entry_is_written_once_and_deleted_once(ec2, vpc):
    ours = acl(ec2, vpc)
    where = {"NetworkAclId": ours, "RuleNumber": 1, "Egress": True}
    ec2.create_network_acl_entry(**where, **ENTRY)

    again = refusal(ec2.create_network_acl_entry, **where, **ENTRY)
    ec2.delete_network_acl_entry(**where)
    gone = refusal(ec2.delete_network_acl_entry, **where)

    assert (again, gone) == ("NetworkAclEntryAlreadyExists", "InvalidNetworkAclEntry.NotFound")
    assert refusal(ec2.replace_network_acl_entry, **where, **ENTRY) == "InvalidNetworkAclEntry.NotFound"
    assert entries(ec2, ours) == NOTHING


def test_the_last_entry_cannot_be_deleted_and_an_acl_can_be_full(ec2, vpc):
    ours = acl(ec2, vpc)
    for number in range(1, 21):
        ec2.create_network_acl_entry(NetworkAclId=ours, RuleNumber=number, Egress=True, **ENTRY)

    more = {"NetworkAclId": ours, "RuleNumber": 21}
    assert refusal(ec2.create_network_acl_entry, **more, Egress=True, **ENTRY) == "NetworkAclEntryLimitExceeded"
    ec2.create_network_acl_entry(**more, Egress=False, **ENTRY)
    last = {"NetworkAclId": ours, "RuleNumber": 32767, "Egress": True}
    assert refusal(ec2.delete_network_acl_entry, **last) == "InvalidParameterValue"


def test_a_swap_uses_up_its_association(ec2, vpc):
    inside, ours = subnet(ec2, vpc), acl(ec2, vpc)
    default, old = association(ec2, inside)

    new = ec2.replace_network_acl_association(AssociationId=old, NetworkAclId=ours)["NewAssociationId"]

    assert association(ec2, inside) == (ours, new)
    late = refusal(ec2.replace_network_acl_association, AssociationId=old, NetworkAclId=ours)
    unknown = refusal(ec2.replace_network_acl_association, AssociationId="aclassoc-0", NetworkAclId=ours)
    assert (late, unknown) == ("InvalidAssociationID.NotFound",) * 2
    assert association(ec2, inside) == (ours, new)
    ec2.replace_network_acl_association(AssociationId=new, NetworkAclId=default)
    assert association(ec2, inside)[0] == default


def test_a_swap_to_an_acl_that_is_not_the_vpcs_changes_nothing(ec2, vpc):
    inside = subnet(ec2, vpc)
    before = association(ec2, inside)
    other = acl(ec2, ec2.create_vpc(CidrBlock="10.201.0.0/16")["Vpc"])

    codes = [
        refusal(ec2.replace_network_acl_association, AssociationId=before[1], NetworkAclId=wanted)
        for wanted in ("acl-00000000", other)
    ]

    assert codes == ["InvalidNetworkAclID.NotFound", "InvalidParameterValue"]
    assert association(ec2, inside) == before


def test_an_acl_goes_when_nothing_uses_it_and_once(ec2, vpc):
    inside, ours = subnet(ec2, vpc), acl(ec2, vpc)
    default, old = association(ec2, inside)
    new = ec2.replace_network_acl_association(AssociationId=old, NetworkAclId=ours)["NewAssociationId"]

    in_use = refusal(ec2.delete_network_acl, NetworkAclId=ours)
    ec2.replace_network_acl_association(AssociationId=new, NetworkAclId=default)
    ec2.delete_network_acl(NetworkAclId=ours)

    again = refusal(ec2.delete_network_acl, NetworkAclId=ours)
    assert (in_use, again) == ("DependencyViolation", "InvalidNetworkAclID.NotFound")
    assert refusal(ec2.describe_network_acls, NetworkAclIds=[ours]) == "InvalidNetworkAclID.NotFound"
    late = {"NetworkAclId": ours, "RuleNumber": 1, "Egress": True}
    assert refusal(ec2.delete_network_acl_entry, **late) == "InvalidNetworkAclID.NotFound"
    assert refusal(ec2.delete_network_acl, NetworkAclId=default) == "InvalidParameterValue"


def test_a_deleted_subnet_leaves_its_acl(ec2, vpc):
    inside, ours = subnet(ec2, vpc), acl(ec2, vpc)
    ec2.replace_network_acl_association(AssociationId=association(ec2, inside)[1], NetworkAclId=ours)

    ec2.delete_subnet(SubnetId=inside)

    ec2.delete_network_acl(NetworkAclId=ours)


def test_acls_are_found_by_tag_subnet_and_vpc(ec2, vpc):
    run = uuid.uuid4().hex
    tags = [{"ResourceType": "network-acl", "Tags": [{"Key": "StormdrillRun", "Value": run}]}]
    ours, first, second = acl(ec2, vpc, TagSpecifications=tags), subnet(ec2, vpc, 1), subnet(ec2, vpc, 2)
    default, old = association(ec2, first)
    ec2.replace_network_acl_association(AssociationId=old, NetworkAclId=ours)

    def found(name, *values):
        acls = ec2.describe_network_acls(Filters=[{"Name": name, "Values": list(values)}])["NetworkAcls"]
        return ids(acls, "NetworkAclId")

    assert found("tag:StormdrillRun", run) == {ours}
    assert found("tag:StormdrillRun", f"{run[:9]}*", "other") == {ours}
    assert found("network-acl-id", ours) == {ours}
    assert found("vpc-id", vpc["VpcId"]) == {ours, default}
    # One of the values is enough, and an ACL may have other subnets too.
    assert found("association.subnet-id", first, "subnet-0") == {ours}
    assert found("association.subnet-id", first, second) == {ours, default}
    assert (
        refusal(ec2.describe_network_acls, Filters=[{"Name": "colour", "Values": ["red"]}]) == "InvalidParameterValue"
    )


def test_subnets_are_found_by_zone_tag_and_id(ec2, vpc):
    a, b = subnet(ec2, vpc, 1, "us-east-1a", Ready="lab"), subnet(ec2, vpc, 2, "us-east-1b", Ready="lab")
    c = subnet(ec2, vpc, 3, "us-east-1b")

    def found(**asked):
        asked = {name.replace("_", "-"): values for name, values in asked.items()}
        wanted = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
        wanted += [{"Name": name, "Values": values} for name, values in asked.items()]
        return ids(ec2.describe_subnets(Filters=wanted)["Subnets"], "SubnetId")

    assert found(availability_zone=["us-east-1b"]) == {b, c}
    assert found(availability_zone=["us-east-1a", "us-east-1b"], **{"tag:Ready": ["lab"]}) == {a, b}
    assert found(subnet_id=[a, c]) == {a, c}
    assert ids(ec2.describe_subnets(SubnetIds=[c, a])["Subnets"], "SubnetId") == {a, c}
    assert refusal(ec2.describe_subnets, SubnetIds=[a, "subnet-00000000"]) == "InvalidSubnetID.NotFound"


@pytest.mark.parametrize("call", ["describe_subnets", "describe_network_acls", "describe_network_interfaces"])
def test_they_come_in_pages(ec2, vpc, call):
    for number in range(7):
        inside = subnet(ec2, vpc, number)
        ec2.create_network_interface(SubnetId=inside)
        acl(ec2, vpc)
    wanted = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]

    pages = list(ec2.get_paginator(call).paginate(Filters=wanted, PaginationConfig={"PageSize": 5}))

    shown = [next(value for value in page.values() if isinstance(value, list)) for page in pages]
    every = [next(value for name, value in one.items() if name.endswith("Id")) for page in shown for one in page]
    assert [len(page) for page in shown] in ([5, 2], [5, 3])
    assert len({str(one) for page in shown for one in page}) == len(every) >= 7


def test_who_is_in_a_subnet_is_found_by_its_network_interfaces(ec2, vpc):
    inside, outside = subnet(ec2, vpc, 1), subnet(ec2, vpc, 2)
    image = ec2.describe_images()["Images"][0]["ImageId"]
    instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=inside)["Instances"][0]["InstanceId"]
    other = ec2.create_network_interface(SubnetId=outside)["NetworkInterface"]["NetworkInterfaceId"]

    def found(*subnets):
        wanted = [{"Name": "subnet-id", "Values": list(subnets)}]
        return ec2.describe_network_interfaces(Filters=wanted)["NetworkInterfaces"]

    assert [one["Attachment"]["InstanceId"] for one in found(inside)] == [instance]
    assert other in ids(found(inside, outside), "NetworkInterfaceId")
    both = {"NetworkInterfaceIds": [other], "MaxResults": 5}
    assert refusal(ec2.describe_network_interfaces, **both) == "InvalidParameterCombination"
