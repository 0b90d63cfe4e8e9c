"""Everything of ours is deleted while a fault is there: EventBridge Scheduler alone ends it.

In an AWS of its own, because its stack goes, and its clock is pushed.
"""

import contextlib

import deploy
import pytest
from drill import LAGS, Stack, functions
from experiments import ROOT, partition, stopped
from resources import denied, partitioned, state
from testing import eventually, raised


@pytest.fixture
def deployed(tmp_path):
    with raised(tmp_path / "home", order_hosts=4, rate=50) as aws:
        if aws.without_hosts:
            pytest.skip(aws.without_hosts)
        parameters = {"Environments": "lab", "Faults": "ec2-instance,subnet"}
        outputs = deploy.deploy(ROOT / "template.yaml", code=functions(), parameters=parameters)
        deploy.prove_undo(outputs["RunsTableName"])
        aws.ask("lags", LAGS)
        yield Stack(aws, outputs, None)


def orphaned(stack, run):
    """Deletes the stack, and the table that a deletion keeps: no function, no machine and no ledger is left."""
    aws, table = stack.aws, stack.outputs["RunsTableName"]
    run.stop()
    aws.client("cloudformation").delete_stack(StackName="stormdrill")
    dynamodb = aws.client("dynamodb")
    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=table)
    names = [one["FunctionName"] for one in aws.client("lambda").list_functions()["Functions"]]
    assert [name for name in names if name.startswith("stormdrill-")] == []


def minutes_pass(stack, until, most=20):
    """Pushes the clock, a minute at a time: an undo that repeats is made once a minute, and not all at once."""
    for _ in range(most):
        stack.aws.ask("clock", {"advance_seconds": 60})
        with contextlib.suppress(AssertionError):
            return eventually(until, 3)
    pytest.fail(f"nothing came in {most} minutes of the clock")


def test_a_subnet_that_was_cut_off_is_let_through_again(deployed):
    run = deployed.start(partition(duration="5m"))
    subnet = partitioned(run.landed())

    orphaned(deployed, run)
    assert denied(deployed, subnet) != []

    # Our own network ACL stays, without the entries that deny: no late call writes over what a person changed meanwhile.
    minutes_pass(deployed, lambda: denied(deployed, subnet) == [])


def test_a_stopped_instance_runs_again(deployed):
    run = deployed.start(stopped(duration="5m"))
    instance = run.landed()["target"].rpartition("/")[2]
    assert state(deployed, instance) in {"stopping", "stopped"}

    orphaned(deployed, run)
    assert state(deployed, instance) in {"stopping", "stopped"}

    minutes_pass(deployed, lambda: state(deployed, instance) == "running")
