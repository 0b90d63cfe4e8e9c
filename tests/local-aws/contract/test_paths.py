"""The lab's hosts lie in subnets, and a subnet's network ACL decides whether their agents are reached."""

import contextlib

import pytest
from test_acls import acl, association
from test_hosts import document, ended, lab_host, offline, send
from testing import eventually

ALLOW = {"Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0"}
DENY = ALLOW | {"RuleAction": "deny"}


def place(aws, instance):
    """The instance, its subnet and its zone, as EC2 describes them."""
    found = aws.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return found["SubnetId"], found["Placement"]["AvailabilityZone"]


@contextlib.contextmanager
def behind(aws, instance, *entries):
    """The instance's subnet has an ACL of ours with these entries, until the end."""
    ec2, (subnet, _) = aws.client("ec2"), place(aws, instance)
    [vpc] = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    ours, (before, by) = acl(ec2, vpc), association(ec2, subnet)
    for number, entry in enumerate(entries, start=1):
        ec2.create_network_acl_entry(NetworkAclId=ours, RuleNumber=number, **entry)
    ec2.replace_network_acl_association(AssociationId=by, NetworkAclId=ours)
    try:
        yield
    finally:
        ec2.replace_network_acl_association(AssociationId=association(ec2, subnet)[1], NetworkAclId=before)
        ec2.delete_network_acl(NetworkAclId=ours)


def test_a_groups_hosts_are_spread_over_two_zones(aws, hosts):
    ec2 = aws.client("ec2")
    places = dict(place(aws, host) for host in hosts)
    group = aws.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=["order-hosts"])
    [group] = group["AutoScalingGroups"]

    assert sorted(places.values()) == group["AvailabilityZones"] == ["us-east-1a", "us-east-1b"]
    assert set(group["VPCZoneIdentifier"].split(",")) == set(places)
    ready = [{"Name": "tag:StormdrillReady", "Values": ["lab"]}, {"Name": "subnet-id", "Values": list(places)}]
    assert len(ec2.describe_subnets(Filters=ready)["Subnets"]) == 2


def test_what_measures_and_serves_lies_elsewhere(aws, hosts):
    names = [{"Name": "tag:Name", "Values": ["orders-db", "order-lb", "order-client", "risk-engine"]}]
    found = aws.client("ec2").describe_instances(Filters=names)["Reservations"]

    [subnet] = {one["SubnetId"] for each in found for one in each["Instances"]}

    [shared] = aws.client("ec2").describe_subnets(SubnetIds=[subnet])["Subnets"]
    assert shared["AvailabilityZone"] == "us-east-1c"
    assert [tag["Value"] for tag in shared["Tags"]] == ["lab-shared"]
    assert subnet not in {place(aws, host)[0] for host in hosts}


def test_a_host_is_found_by_its_interface(aws, hosts):
    subnet, _ = place(aws, hosts[0])
    wanted = [{"Name": "subnet-id", "Values": [subnet]}]

    [found] = aws.client("ec2").describe_network_interfaces(Filters=wanted)["NetworkInterfaces"]

    assert found["Attachment"]["InstanceId"] == hosts[0]
    assert [one["PrivateIpAddress"] for one in found["PrivateIpAddresses"]] == [found["PrivateIpAddress"]]
    assert found["PrivateIpAddress"].startswith("10.83.0.")


def test_a_host_behind_a_closed_acl_answers_when_it_is_open_again(aws, hosts):
    cut, other = hosts
    name = document(aws, "answers", "printf here")

    with behind(aws, cut):
        command = send(aws, name, [cut])
        [beside] = ended(aws, send(aws, name, [other]))
        [waiting] = aws.client("ssm").list_command_invocations(CommandId=command)["CommandInvocations"]
        seen = offline(aws, cut), offline(aws, other)

    assert (waiting["Status"], beside["Status"], seen) == ("Pending", "Success", (True, False))
    assert ended(aws, command)[0]["Status"] == "Success"
    assert not offline(aws, cut)


def test_what_runs_goes_on_unheard_and_its_cancellation_is_not_heard(aws, hosts):
    script = "mkfifo /tmp/goes-on && cat /tmp/goes-on && touch /tmp/over"
    command = send(aws, document(aws, "goes-on", script), hosts[:1])
    eventually(lambda: "goes-on" in lab_host(aws, "exec", hosts[0], "--", "ls", "/tmp"))

    with behind(aws, hosts[0]):
        aws.client("ssm").cancel_command(CommandId=command)
        lab_host(aws, "exec", hosts[0], "--", "timeout", "5", "sh", "-c", "printf all >/tmp/goes-on")
        eventually(lambda: "over" in lab_host(aws, "exec", hosts[0], "--", "ls", "/tmp"))
        [during] = aws.client("ssm").list_command_invocations(CommandId=command)["CommandInvocations"]

    [after] = ended(aws, command)
    assert (during["Status"], after["Status"]) == ("InProgress", "Success")
    assert after["CommandPlugins"][0]["Output"] == "all"


@pytest.mark.parametrize(
    ("entries", "heard"),
    [
        ([ALLOW | {"Egress": True}, ALLOW | {"Egress": False}], True),
        ([ALLOW | {"Egress": True}], False),
        ([ALLOW | {"Egress": False}], False),
        # A database's port, and the other zones: the agent needs neither.
        (
            [
                DENY | {"Egress": False, "Protocol": "6", "PortRange": {"From": 5432, "To": 5432}},
                DENY | {"Egress": True, "CidrBlock": "10.83.0.0/16"},
                ALLOW | {"Egress": True},
                ALLOW | {"Egress": False},
            ],
            True,
        ),
        # What it needs, denied first; and allowed first, which is what counts.
        (
            [
                DENY | {"Egress": True, "Protocol": "6", "PortRange": {"From": 443, "To": 443}},
                ALLOW | {"Egress": True},
                ALLOW | {"Egress": False},
            ],
            False,
        ),
        ([ALLOW | {"Egress": True}, DENY | {"Egress": True}, ALLOW | {"Egress": False}], True),
        # Answers come to a high port.
        (
            [
                ALLOW | {"Egress": True, "Protocol": "6", "PortRange": {"From": 443, "To": 443}},
                ALLOW | {"Egress": False, "Protocol": "6", "PortRange": {"From": 1024, "To": 65535}},
            ],
            True,
        ),
        (
            [
                ALLOW | {"Egress": True},
                ALLOW | {"Egress": False, "Protocol": "17", "PortRange": {"From": 1, "To": 65535}},
            ],
            False,
        ),
    ],
)
def test_the_entries_decide_whether_an_agent_is_heard(aws, hosts, entries, heard):
    with behind(aws, hosts[0], *entries):
        assert offline(aws, hosts[0]) is not heard
