"""`make delete`, to its end, in an AWS of its own."""

import os
import pathlib
import subprocess
import sys

import deploy
import pytest
from drill import Stack, functions
from experiments import ROOT
from testing import reached

KEPT = {"ExperimentsTable", "RunsTable", "ReportBucket", "FunctionLogs", "MachineLogs", "ScheduledUndos", "LostUndos", "UndoRole"}


@pytest.fixture
def deployed(tmp_path):
    with reached(tmp_path / "home", "--no-lab") as aws:
        yield Stack(aws, deploy.deploy(ROOT / "template.yaml", code=functions(), parameters={"Environments": "lab"}), None)


def delete(*arguments):
    client = {"PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [ROOT / "scripts/delete.sh", *arguments], env=os.environ | client, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def there(aws):
    """The names of everything that a stack of ours is made of."""
    ask = aws.client
    return (
        {one["FunctionName"] for one in ask("lambda").list_functions()["Functions"]}
        | {one["name"] for one in ask("stepfunctions").list_state_machines()["stateMachines"]}
        | set(ask("dynamodb").list_tables()["TableNames"])
        | {one["Name"] for one in ask("s3").list_buckets()["Buckets"]}
        | {one["Name"] for one in ask("scheduler").list_schedule_groups()["ScheduleGroups"]}
        | {one["Name"] for one in ask("events").list_rules()["Rules"]}
        | {one["RoleName"] for one in ask("iam").list_roles()["Roles"]}
        | {one["PolicyName"] for one in ask("iam").list_policies(Scope="Local")["Policies"]}
        | {one["TopicArn"] for one in ask("sns").list_topics()["Topics"]}
        | set(ask("sqs").list_queues().get("QueueUrls", []))
        | {one["logGroupName"] for one in ask("logs").describe_log_groups()["logGroups"]}
        | {one["Name"] for one in ask("ssm").list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])["DocumentIdentifiers"]}
        | {one["AlarmName"] for one in ask("cloudwatch").describe_alarms(AlarmTypes=["MetricAlarm"])["MetricAlarms"]}
    )


# What was there before, and the bucket that a deployment brings its files by.
OTHERS = {"default", "stormdrill-local-artifacts"}


def test_what_says_what_was_done_stays(deployed):
    kept = {deployed.made(name) for name in KEPT}
    deployed.aws.client("s3").put_object(Bucket=deployed.outputs["ReportBucketName"], Key="a-run/report.json", Body=b"{}")

    code, said = delete()

    assert code == 0, said
    assert there(deployed.aws) - OTHERS == kept
    assert all(name in said for name in kept)
    assert deployed.items("LEVER", "LEVER") == []


def test_all_of_it_goes_when_that_is_asked_for(deployed):
    bucket = deployed.outputs["ReportBucketName"]
    for _ in range(2):
        deployed.aws.client("s3").put_object(Bucket=bucket, Key="a-run/report.json", Body=b"{}")

    code, said = delete("--with-data")

    assert code == 0, said
    assert there(deployed.aws) - OTHERS == set()


def test_what_is_left_of_half_a_deletion_goes_at_the_next_try(deployed):
    stormdrill = deployed.aws.client("cloudformation")
    # Somebody has deleted half of it by hand, as a deletion that fails does.
    deployed.aws.client("stepfunctions").delete_state_machine(stateMachineArn=deployed.outputs["ExperimentMachineArn"])

    code, said = delete()

    assert code == 0, said
    assert stormdrill.describe_stacks()["Stacks"] == []
