"""Universal targets: calls that a schedule makes itself, spelt as Scheduler wants them."""

import json
import re

import pytest
from localaws import universal
from test_acls import acl, association, entries, subnet
from test_clockwork import in_seconds, schedule
from testing import eventually

OPEN = {"Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0"}


def target(name):
    return f"arn:aws:scheduler:::aws-sdk:{name}"


def fired(aws, name, given, retries=0):
    """The call is due at once. Gives the dead-letter queue that hears of its failure."""
    url, arn = aws.queue()
    text = given if isinstance(given, str) else json.dumps(given)
    policy = {"MaximumRetryAttempts": retries, "MaximumEventAgeInSeconds": 3600}
    more = {"DeadLetterConfig": {"Arn": arn}, "RetryPolicy": policy}
    schedule(aws, in_seconds(aws, 0), target(name), text, more)
    return url


def failure(aws, name, given, retries=0):
    """How the call failed, as its dead letter says."""
    message = aws.heard(fired(aws, name, given, retries))
    said = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert said["TARGET_ARN"] == target(name)
    return said["ERROR_CODE"], said["ERROR_MESSAGE"], said["RETRY_ATTEMPTS"]


@pytest.mark.parametrize(
    ("name", "spelt"),
    [
        ("DBInstanceIdentifier", "DbInstanceIdentifier"),
        ("VPCZoneIdentifier", "VpcZoneIdentifier"),
        ("TTL", "Ttl"),
        ("SSEKMSKeyId", "SsekmsKeyId"),
        ("NetworkAclId", "NetworkAclId"),
        ("stateMachineArn", "StateMachineArn"),
        ("cluster", "Cluster"),
    ],
)
def test_names_are_spelt_as_in_java(name, spelt):
    assert universal.spelt(name) == spelt


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("elbv2:registerTargets", "elbv2 is not a supported service for a target"),
        ("stepfunctions:startExecution", "not a supported service"),
        ("EC2:startInstances", "not a supported service"),
        ("ec2:StartInstances", "not a supported api"),
        ("rds:startDbInstance", "not a supported api"),
        ("ec2:stopEverything", "not a supported api"),
        ("ec2:describeInstances", "only reads"),
        ("sqs:getQueueUrl", "only reads"),
        ("ecs:listTasks", "only reads"),
        ("dynamodb:batchGetItem", "only reads"),
    ],
)
def test_a_target_that_is_none_is_refused_at_once(aws, name, why):
    scheduler = aws.client("scheduler")

    with pytest.raises(scheduler.exceptions.ValidationException, match=why):
        schedule(aws, in_seconds(aws, 60), target(name), "{}")


def test_an_input_is_not_looked_at_before_it_fires(aws):
    name = schedule(aws, in_seconds(aws, 600), target("ec2:startInstances"), '{"Instances":')

    aws.client("scheduler").delete_schedule(Name=name)


def test_an_acl_is_opened_by_a_schedule(aws):
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.210.0.0/16")["Vpc"]
    inside, ours = subnet(ec2, vpc), acl(ec2, vpc)
    ec2.create_network_acl_entry(NetworkAclId=ours, RuleNumber=1, Egress=False, **OPEN)
    ec2.create_network_acl_entry(NetworkAclId=ours, RuleNumber=2, Egress=False, **OPEN | {"RuleAction": "allow"})
    ec2.replace_network_acl_association(AssociationId=association(ec2, inside)[1], NetworkAclId=ours)
    undo = {"NetworkAclId": ours, "RuleNumber": 1, "Egress": False}

    fired(aws, "ec2:deleteNetworkAclEntry", undo)

    eventually(lambda: (1, False, "deny") not in entries(ec2, ours))
    assert (2, False, "allow") in entries(ec2, ours)
    code, _, attempts = failure(aws, "ec2:deleteNetworkAclEntry", undo, retries=5)
    assert (code, attempts) == ("InvalidNetworkAclEntry.NotFound", "0")


def test_a_dry_run_that_is_allowed_is_a_dead_letter_that_says_so(aws):
    ec2 = aws.client("ec2")
    ours = acl(ec2, ec2.create_vpc(CidrBlock="10.211.0.0/16")["Vpc"])
    ec2.create_network_acl_entry(NetworkAclId=ours, RuleNumber=1, Egress=True, **OPEN)
    undo = {"NetworkAclId": ours, "RuleNumber": 1, "Egress": True, "DryRun": True}

    code, _, attempts = failure(aws, "ec2:deleteNetworkAclEntry", undo, retries=5)

    assert (code, attempts) == ("DryRunOperation", "0")
    assert (1, True, "deny") in entries(ec2, ours)


@pytest.mark.parametrize(
    ("name", "given", "why"),
    [
        ("rds:startDBInstance", {"DBInstanceIdentifier": "d"}, "it is spelt DbInstanceIdentifier"),
        ("rds:startDBInstance", {"DbInstanceIdentifer": "d"}, "Input has no DbInstanceIdentifer"),
        ("ec2:startInstances", {"instanceIds": ["i-0"]}, "it is spelt InstanceIds"),
        ("ecs:updateService", {"cluster": "c", "service": "s"}, "it is spelt Cluster"),
        (
            "route53:changeResourceRecordSets",
            {"HostedZoneId": "z", "ChangeBatch": {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": {"TTL": 1}}]}},
            r"Input.ChangeBatch.Changes\[0\].ResourceRecordSet has no TTL: it is spelt Ttl",
        ),
        ("ec2:startInstances", ["i-0"], "Input is not an object"),
        ("ec2:startInstances", '{"InstanceIds":', "Input is not JSON"),
    ],
)
def test_a_name_that_aws_does_not_know_fails_when_it_fires(aws, name, given, why):
    code, message, attempts = failure(aws, name, given, retries=5)

    assert (code, attempts) == ("InvalidInput", "0")
    assert re.search(why, message)


def test_a_parameter_that_is_missing_fails_when_it_fires(aws):
    code, message, _ = failure(aws, "ec2:deleteNetworkAcl", {})

    assert "NetworkAclId" in message


def test_databases_groups_balancers_and_records_are_put_back(aws):
    """Services whose words and names are not those of the API reference."""
    rds, groups, names = aws.client("rds"), aws.client("autoscaling"), aws.client("route53")
    database = {"Engine": "postgres", "DBInstanceClass": "db.t3.small", "AllocatedStorage": 20}
    who = {"MasterUsername": "u", "MasterUserPassword": "passw0rd!"}
    rds.create_db_instance(DBInstanceIdentifier="put-back", **database, **who)
    rds.stop_db_instance(DBInstanceIdentifier="put-back")
    zone = names.create_hosted_zone(Name="put-back.example.", CallerReference="put-back")["HostedZone"]["Id"]
    record = {"Name": "a.put-back.example.", "Type": "A", "ResourceRecords": [{"Value": "192.0.2.1"}]}
    upsert = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record | {"Ttl": 60}}]}
    groups.create_launch_configuration(
        LaunchConfigurationName="put-back", ImageId="ami-12c6146b", InstanceType="t3.micro"
    )
    size = {"MinSize": 0, "MaxSize": 0, "AvailabilityZones": ["us-east-1a"]}
    groups.create_auto_scaling_group(AutoScalingGroupName="put-back", LaunchConfigurationName="put-back", **size)
    groups.suspend_processes(AutoScalingGroupName="put-back", ScalingProcesses=["Launch"])

    fired(aws, "rds:startDBInstance", {"DbInstanceIdentifier": "put-back"})
    fired(aws, "route53:changeResourceRecordSets", {"HostedZoneId": zone, "ChangeBatch": upsert})
    fired(aws, "autoscaling:resumeProcesses", {"AutoScalingGroupName": "put-back", "ScalingProcesses": ["Launch"]})
    nowhere = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/none/0123456789abcdef"
    given = {"TargetGroupArn": nowhere, "Targets": [{"Id": "i-0", "Port": 80}]}
    code, _, _ = failure(aws, "elasticloadbalancingv2:registerTargets", given)

    def status():
        return rds.describe_db_instances(DBInstanceIdentifier="put-back")["DBInstances"][0]["DBInstanceStatus"]

    def suspended():
        found = groups.describe_auto_scaling_groups(AutoScalingGroupNames=["put-back"])
        return found["AutoScalingGroups"][0]["SuspendedProcesses"]

    def ttls():
        return [one.get("TTL") for one in names.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]]

    eventually(lambda: status() == "available" and 60 in ttls() and not suspended())
    assert code == "TargetGroupNotFound"
