"""The lab's hosts: instances, a group, agents that run documents, and metrics that were measured."""

import datetime
import json
import time
import uuid

import pytest
from testing import document_of_ours, eventually

DOCUMENT = {
    "schemaVersion": "2.2",
    "parameters": {
        "Word": {"type": "String", "interpolationType": "ENV_VAR", "allowedPattern": "^[a-z $()]{1,20}$"},
        "Number": {"type": "String", "default": "7", "maxChars": 3},
    },
    "mainSteps": [
        {
            "action": "aws:runShellScript",
            "name": "say",
            "precondition": {"StringEquals": ["platformType", "Linux"]},
            "inputs": {"timeoutSeconds": "60", "runCommand": []},
        }
    ],
}


def document(aws, name, *lines, timeout="60"):
    """A document with one script."""
    made = json.loads(json.dumps(DOCUMENT))
    made["mainSteps"][0]["inputs"] = {"timeoutSeconds": timeout, "runCommand": list(lines)}
    aws.client("ssm").create_document(
        Name=name, DocumentType="Command", DocumentFormat="JSON", Content=json.dumps(made)
    )
    return name


def send(aws, name, ids, parameters=None, **more):
    given = parameters or {"Word": ["hello"]}
    return aws.client("ssm").send_command(DocumentName=name, InstanceIds=ids, Parameters=given, **more)["Command"][
        "CommandId"
    ]


def ended(aws, command, seconds=20):
    def look():
        found = aws.client("ssm").list_command_invocations(CommandId=command, Details=True)["CommandInvocations"]
        return found if all(one["Status"] not in ("Pending", "InProgress") for one in found) else None

    return eventually(look, seconds)


def output(aws, command, instance):
    return aws.client("ssm").get_command_invocation(CommandId=command, InstanceId=instance)


def lab_host(aws, *command):
    """What a person would do with the lab's own command line."""
    import subprocess

    from localaws import lab

    home = aws.ask("status")["lab"]["home"]
    return subprocess.run(
        [lab.program(), command[0], "--home", home, *command[1:]], capture_output=True, text=True, check=True
    ).stdout


def test_a_document_runs_on_real_hosts_with_its_parameters(aws, hosts):
    name = document(
        aws,
        "says",
        "#!/bin/sh",
        'printf "%s {{ Number }} %s\\n" "$SSM_Word" "$(hostname)"',
        "printf wrong >&2",
        "exit 3",
    )

    command = send(aws, name, hosts, {"Word": ["a $(id)"]}, Comment="a comment")

    invocations = {one["InstanceId"]: one for one in ended(aws, command)}
    assert set(invocations) == set(hosts)
    for instance, invocation in invocations.items():
        plugin = invocation["CommandPlugins"][0]
        assert (invocation["Status"], plugin["Status"], plugin["ResponseCode"], plugin["Name"]) == (
            "Failed",
            "Failed",
            3,
            "say",
        )
        assert plugin["Output"].startswith("a $(id) 7 orders-")
        assert plugin["Output"].endswith("\n----------ERROR-------\nwrong")
        found = output(aws, command, instance)
        assert (found["StandardErrorContent"], found["ResponseCode"], found["Status"]) == ("wrong", 3, "Failed")
        assert found["StandardOutputContent"] == plugin["Output"].partition("\n----------")[0]
    assert aws.client("ssm").list_commands(CommandId=command)["Commands"][0]["Status"] == "Failed"


def test_output_is_cut_where_the_agent_cuts_it(aws, hosts):
    command = send(aws, document(aws, "talks", "head -c 30000 /dev/zero | tr '\\000' x"), hosts[:1])

    invocation = ended(aws, command)[0]

    assert len(output(aws, command, hosts[0])["StandardOutputContent"]) == 24_000
    assert len(invocation["CommandPlugins"][0]["Output"]) == 2_500


def test_a_script_that_takes_too_long_is_killed_with_its_group(aws, hosts):
    name = document(aws, "hangs", "sleep 987 & sleep 986", timeout="5")

    command = send(aws, name, hosts[:1])

    invocation = ended(aws, command)[0]
    assert (invocation["Status"], invocation["StatusDetails"]) == ("TimedOut", "Execution Timed Out")
    processes = lab_host(aws, "exec", hosts[0], "--", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\000' ' '")
    assert "sleep 98[67]" not in processes and "987" not in processes


def test_a_command_can_be_cancelled(aws, hosts):
    command = send(aws, document(aws, "waits", "touch /tmp/waits; sleep 985"), hosts[:1])
    eventually(lambda: "waits" in lab_host(aws, "exec", hosts[0], "--", "ls", "/tmp"))

    aws.client("ssm").cancel_command(CommandId=command)

    assert ended(aws, command)[0]["Status"] == "Cancelled"


def shipped(aws, name, hosts, **parameters):
    """What one of our own documents, as it is, says on each host."""
    content = document_of_ours(name)
    aws.client("ssm").create_document(
        Name=f"stormdrill-{name}", DocumentType="Command", DocumentFormat="YAML", Content=content
    )
    given = {key: [value] for key, value in parameters.items()}
    invocations = ended(aws, send(aws, f"stormdrill-{name}", hosts, given, TimeoutSeconds=30))
    outputs = [one["CommandPlugins"][0]["Output"].partition("\n----------")[0] for one in invocations]
    return [json.loads(text)["outcome"] for text in outputs]


def test_a_shipped_fault_lands_is_measured_and_is_undone(aws, hosts):
    unit = {"Unit": uuid.uuid4().hex[:16], "Run": "contract"}
    end = str(int(time.time()) + 60)

    landed = shipped(
        aws, "service-stop", hosts, **unit, NotAfter=end, Deadline=end, MaxSeconds="60", Service="order-service"
    )
    began = datetime.datetime.now(datetime.timezone.utc)
    assert eventually(lambda: [value for value in per_second(aws, "Errors", began) if value > 0])
    reverted = shipped(aws, "revert", hosts, **unit)
    undone = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1)

    assert (landed, reverted) == (["landed"] * 2, ["reverted"] * 2)
    assert eventually(lambda: [value for value in per_second(aws, "Accepted", undone) if value > 0], 20)


def per_second(aws, metric, since):
    """A metric of the orders, in each second since."""
    wanted = {
        "Namespace": "Orders",
        "MetricName": metric,
        "Dimensions": [{"Name": "Service", "Value": "order-service"}],
    }
    found = aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": wanted, "Period": 1, "Stat": "Sum"}}],
        StartTime=since,
        EndTime=since + datetime.timedelta(minutes=5),
    )
    return found["MetricDataResults"][0]["Values"]


@pytest.mark.parametrize(
    ("parameters", "more", "code"),
    [
        ({"Word": ["UPPER"]}, {}, "InvalidParameters"),
        ({}, {}, "InvalidParameters"),
        ({"Word": ["a"], "Other": ["b"]}, {}, "InvalidParameters"),
        ({"Word": ["a"], "Number": ["1234"]}, {}, "InvalidParameters"),
        ({"Word": ["a"]}, {"InstanceIds": ["i-00000000000000000"]}, "InvalidInstanceId"),
        ({"Word": ["a"]}, {"InstanceIds": [f"i-{number:017x}" for number in range(51)]}, "ValidationException"),
        ({"Word": ["a"]}, {"InstanceIds": ["i-00000000000000001"] * 2}, "DuplicateInstanceId"),
        ({"Word": ["a"]}, {"Comment": "c" * 101}, "ValidationException"),
        ({"Word": ["a"]}, {"TimeoutSeconds": 29}, "ValidationException"),
        ({"Word": ["a"]}, {"DocumentName": "nothing"}, "InvalidDocument"),
        ({"Word": ["a"]}, {"DocumentVersion": "9"}, "InvalidDocumentVersion"),
    ],
)
def test_what_the_service_would_refuse_is_refused(aws, hosts, parameters, more, code):
    import boto3
    from botocore.config import Config

    ssm = boto3.client("ssm", config=Config(parameter_validation=False, retries={"total_max_attempts": 1}))
    if not any(
        each["Name"] == "refuses"
        for each in ssm.list_documents(Filters=[{"Key": "Name", "Values": ["refuses"]}])["DocumentIdentifiers"]
    ):
        document(aws, "refuses", "true")
    call = {"DocumentName": "refuses", "InstanceIds": hosts[:1], "Parameters": parameters} | more
    try:
        ssm.send_command(**call)
        refused = None
    except ssm.exceptions.ClientError as error:
        refused = error.response["Error"]["Code"]

    assert refused == code


def test_an_agent_that_is_away_gets_the_command_when_it_is_back(aws, hosts):
    name = document(aws, "late", "printf here")
    lab_host(aws, "host", "agent-offline", hosts[0])
    eventually(lambda: aws.ask("status") and offline(aws, hosts[0]))

    command = send(aws, name, hosts[:1])
    before = aws.client("ssm").list_command_invocations(CommandId=command)["CommandInvocations"][0]["Status"]
    lab_host(aws, "host", "agent-online", hosts[0])

    assert before == "Pending"
    assert ended(aws, command)[0]["Status"] == "Success"


def offline(aws, instance):
    wanted = [{"Key": "InstanceIds", "Values": [instance]}]
    found = aws.client("ssm").describe_instance_information(Filters=wanted)["InstanceInformationList"]
    return found[0]["PingStatus"] == "ConnectionLost"


def test_agents_are_described_page_by_page(aws, hosts):
    pages = aws.client("ssm").get_paginator("describe_instance_information").paginate(PaginationConfig={"PageSize": 5})

    found = [[agent["InstanceId"] for agent in page["InstanceInformationList"]] for page in pages]

    assert len(found) > 1 and len(found[0]) == 5
    assert set(hosts) <= {each for page in found for each in page}


def test_hosts_are_instances_with_tags_addresses_and_a_group(aws, hosts):
    instance = aws.client("ec2").describe_instances(InstanceIds=hosts[:1])["Reservations"][0]["Instances"][0]
    group = aws.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=["order-hosts"])[
        "AutoScalingGroups"
    ][0]

    tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    assert (tags["Service"], tags["StormdrillReady"], tags["aws:autoscaling:groupName"]) == (
        "order-service",
        "lab",
        "order-hosts",
    )
    assert instance["PrivateIpAddress"].startswith("10.83.")
    assert (group["DesiredCapacity"], group["MaxSize"]) == (2, 4)
    members = {each["InstanceId"]: (each["LifecycleState"], each["HealthStatus"]) for each in group["Instances"]}
    assert members == dict.fromkeys(hosts, ("InService", "Healthy"))


def test_what_the_lab_measures_is_in_cloudwatch(aws, hosts):
    metrics = aws.client("cloudwatch")

    def values(namespace, metric, statistic, **dimensions):
        at = datetime.datetime.now(datetime.timezone.utc)
        named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        stat = {
            "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": named},
            "Period": 60,
            "Stat": statistic,
        }
        found = metrics.get_metric_data(
            MetricDataQueries=[{"Id": "m", "MetricStat": stat}],
            StartTime=at - datetime.timedelta(minutes=5),
            EndTime=at,
        )
        return found["MetricDataResults"][0]["Values"]

    latency = eventually(lambda: values("Orders", "Latency", "p99", Service="order-service"))
    healthy = eventually(
        lambda: 2.0 in values("AWS/ApplicationELB", "HealthyHostCount", "Maximum", TargetGroup="order-hosts")
    )

    assert 0 < latency[0] < 60_000
    assert healthy
    assert eventually(lambda: values("Orders", "Requests", "Sum", Service="order-service"))[0] >= 10


def state(aws, instance):
    found = aws.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return found["State"]["Name"]


def test_power_acts_on_the_host_itself(aws, hosts):
    ec2 = aws.client("ec2")
    database = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["orders-db"]}])["Reservations"][0][
        "Instances"
    ][0]["InstanceId"]

    ec2.stop_instances(InstanceIds=[database])
    eventually(lambda: state(aws, database) == "stopped")
    stopped = next(host["state"] for host in aws.ask("status")["lab"]["hosts"] if host["instance_id"] == database)
    ec2.start_instances(InstanceIds=[database])
    eventually(lambda: state(aws, database) == "running")
    ec2.start_instances(InstanceIds=[database])
    ec2.reboot_instances(InstanceIds=[database])
    eventually(lambda: state(aws, database) == "running")

    assert stopped == "stopped"


def test_a_dry_run_changes_nothing(aws, hosts):
    with pytest.raises(Exception, match="DryRunOperation"):
        aws.client("ec2").terminate_instances(InstanceIds=hosts[:1], DryRun=True)

    assert state(aws, hosts[0]) == "running"


def test_terminated_hosts_are_replaced_by_the_group(aws, hosts):
    """Last in this file: it ends every order host, one through EC2 and one through its group."""
    one, other = hosts
    groups = aws.client("autoscaling")
    aws.client("ec2").terminate_instances(InstanceIds=[one])

    activity = groups.terminate_instance_in_auto_scaling_group(InstanceId=other, ShouldDecrementDesiredCapacity=False)[
        "Activity"
    ]

    def members():
        group = groups.describe_auto_scaling_groups(AutoScalingGroupNames=["order-hosts"])["AutoScalingGroups"][0]
        found = {each["InstanceId"] for each in group["Instances"] if each["LifecycleState"] == "InService"}
        return found if len(found) == 2 and not found & set(hosts) else None

    assert other in activity["Description"]
    assert eventually(members, 25)
    assert [state(aws, host) for host in hosts] == ["terminated"] * 2
    with pytest.raises(Exception, match="IncorrectInstanceState"):
        aws.client("ec2").start_instances(InstanceIds=[one])
    with pytest.raises(Exception, match="ValidationError"):
        groups.terminate_instance_in_auto_scaling_group(InstanceId=other, ShouldDecrementDesiredCapacity=True)
