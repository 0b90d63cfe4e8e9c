"""AWS resources as a test looks at them: not by what the ledger says."""


def association(stack):
    """The network ACL of each subnet."""
    acls = stack.aws.client("ec2").describe_network_acls()["NetworkAcls"]
    return {one["SubnetId"]: acl["NetworkAclId"] for acl in acls for one in acl["Associations"]}


def partitioned(row):
    """The id of the subnet that a row is about."""
    return row["target"].rpartition("/")[2]


def denied(stack, subnet):
    """What the network ACL of a subnet denies, beside what every ACL denies at its end."""
    subnets = [{"Name": "association.subnet-id", "Values": [subnet]}]
    [acl] = stack.aws.client("ec2").describe_network_acls(Filters=subnets)["NetworkAcls"]
    return [one for one in acl["Entries"] if one["RuleAction"] == "deny" and one["RuleNumber"] < 32_767]


def left(stack):
    """Network ACLs that a run made and that are still there."""
    made = [{"Name": "tag-key", "Values": ["StormdrillUnit"]}]
    return stack.aws.client("ec2").describe_network_acls(Filters=made)["NetworkAcls"]


def armed(stack):
    """The undos that the scheduler would make."""
    return stack.aws.client("scheduler").list_schedules(GroupName=stack.made("ScheduledUndos"))["Schedules"]


def state(stack, instance):
    """Whether an instance runs."""
    [found] = stack.aws.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"]
    return found["Instances"][0]["State"]["Name"]
