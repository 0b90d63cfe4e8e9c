"""What is refused before anything is touched: the execution fails, the report says why, and the ledger is empty."""

import datetime
import json

import deploy
import pytest
from experiments import crash, frozen, guarded, stopped


def refused(run):
    """The reasons, after everything that a refusal must be was seen."""
    run.ends("FAILED", "refused")
    assert not {"Announce", "Inject"} & set(run.states())
    assert run.ledger() == []
    report = run.report()
    assert report["run"]["judgement"]["verdict"] == "refused"
    return " ".join(finding["seen"] for finding in report["run"]["judgement"]["findings"])


def test_outside_its_window(stack):
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=6)
    hours = {"from": f"{later:%H}:00", "to": f"{later + datetime.timedelta(hours=1):%H}:00", "zone": "UTC"}

    assert "window" in refused(stack.start(guarded(windows=[{"days": "mon-sun", **hours}])))


def test_beyond_its_blast_radius(stack):
    run = stack.start(guarded(max_blast_radius="20%"))

    assert "max_blast_radius 20%" in refused(run)
    assert [reason["guard"] for reason in run.report()["run"]["ending"]["reasons"]] == ["pick"]


def test_a_fault_that_the_scheduler_must_end_before_it_is_proven_that_it_does(stack):
    dynamodb, table = stack.aws.client("dynamodb"), stack.outputs["RunsTableName"]
    dynamodb.delete_item(TableName=table, Key={"pk": {"S": "UNDO"}, "sk": {"S": "PROOF"}})
    try:
        assert "make prove-undo" in refused(stack.start(stopped()))
    finally:
        deploy.prove_undo(table)


def test_while_the_lever_is_pulled(stack):
    dynamodb, table = stack.aws.client("dynamodb"), stack.outputs["RunsTableName"]
    key = {"pk": {"S": "LEVER"}, "sk": {"S": "LEVER"}}
    dynamodb.put_item(TableName=table, Item=key | {"reason": {"S": "an incident: ask Kim"}})
    try:
        assert "ask Kim" in refused(stack.start(crash()))
    finally:
        dynamodb.delete_item(TableName=table, Key=key)


def test_in_an_environment_that_is_not_its_own(stack):
    assert "production" in refused(stack.start(crash(), environment="production"))


def test_an_experiment_that_nobody_stored(stack):
    assert "no-such-thing" in refused(stack.start("no-such-thing"))


@pytest.mark.parametrize("start", ["a word", {"experiment": ["x"]}, {}, {"experiment": "a-crash", "dryrun": True}])
def test_an_input_that_is_none(stack, start):
    run = stack.execute("Experiment", start)

    run.ends("FAILED", "refused")
    assert run.ledger() == []


def test_the_same_name_twice_is_one_run(stack):
    first = stack.start(frozen(), name="once-and-only", dry_run=True)
    again = stack.start(frozen(), name="once-and-only", dry_run=True)

    assert again.arn == first.arn
    assert first.ended()[0] == "SUCCEEDED"
    taken = stack.aws.client("stepfunctions").exceptions.ExecutionAlreadyExists
    with pytest.raises(taken):
        stack.start(frozen(), name="once-and-only", dry_run=False)
