"""Something dies in the middle: no fault stays, and the report says what happened."""

import json
import os
import pathlib
import subprocess
import sys

from experiments import ROOT, crash, frozen
from testing import eventually

DELETE = ROOT / "scripts/delete.sh"


def database(stack):
    return stack.processes("orders-db", "orders-db")


def frozen_by(stack, **more):
    """A run whose fault is there."""
    run = stack.start(frozen(**more))
    run.reaches(lambda run: any(row["state"]["is"] == "landed" for row in run.ledger()), "the fault")
    assert "T" in database(stack)
    return run


def whole_again(stack, run):
    """Waits until nothing is open, and sees that nothing is broken."""
    eventually(lambda: run.ledger() and not run.open(), 60)
    assert "T" not in database(stack)
    assert {row["state"]["is"] for row in run.ledger()} <= {"undone", "never-made"}


def test_a_stopped_execution_is_cleaned_up_after_and_reported(stack):
    run = frozen_by(stack)

    run.stop()

    assert run.ended()[0] == "ABORTED"
    whole_again(stack, run)
    report = run.report()
    assert report["run"]["judgement"]["verdict"] == "aborted"
    assert report["run"]["ending"] == {"because": "stopped", "how": "its execution ended as ABORTED"}


def test_a_stack_is_not_deleted_while_something_is_broken(stack):
    run = frozen_by(stack)
    client = {"PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"}

    deletion = subprocess.run([DELETE], env=os.environ | client, capture_output=True, text=True, check=False)

    assert (deletion.returncode, deletion.stdout) == (3, "")
    assert run.name in deletion.stderr
    assert stack.items("LEVER", "LEVER") == []
    assert "T" in database(stack)
    run.stop()
    whole_again(stack, run)


def test_an_inject_that_dies_after_it_sent_the_command_leaves_nothing(stack):
    stack.disturb({"operation": "ssm:SendCommand", "do": "kill", "function": "stormdrill-inject"})

    run = stack.start(frozen())

    run.ends("FAILED", "aborted")
    assert stack.aws.ask("traffic")["waiting"] == []
    assert "Rollback" in run.states()
    whole_again(stack, run)


def test_a_function_that_dies_again_and_again_does_not_keep_the_fault(stack):
    run = frozen_by(stack)
    kills = [
        {"operation": "ssm:SendCommand", "do": "kill", "function": "stormdrill-rollback", "times": 2},
        {"operation": "monitoring:GetMetricData", "do": "kill", "function": "stormdrill-observe"},
    ]
    stack.disturb(*kills)

    run.ends("FAILED", "aborted")
    assert stack.aws.ask("traffic")["waiting"] == []
    whole_again(stack, run)


def test_throttling_for_a_moment_changes_nothing(stack):
    stack.disturb(
        {"operation": "dynamodb:TransactWriteItems", "do": "refuse", "times": 2},
        {"operation": "dynamodb:PutItem", "do": "refuse", "times": 2},
        {"operation": "dynamodb:Query", "do": "refuse", "times": 2},
    )

    run = stack.start(crash())

    run.ends("SUCCEEDED")
    assert stack.aws.ask("traffic")["waiting"] == []
    assert run.open() == []


def test_throttling_that_stays_touches_nothing(stack):
    stack.disturb(
        {"operation": "dynamodb:TransactWriteItems", "do": "refuse", "function": "stormdrill-inject", "times": 10_000}
    )

    run = stack.start(frozen())

    assert run.ended(240)[0] == "FAILED"
    assert "T" not in database(stack)
    assert run.ledger() == []
    assert run.report()["run"]["judgement"]["verdict"] != "supported"


def test_two_runs_never_have_one_target(stack):
    first = frozen_by(stack)

    second = stack.start(frozen())

    assert second.ended()[0] == "FAILED"
    assert second.ledger() == []
    assert first.name in json.dumps(second.report()["run"]["ending"])
    assert "T" in database(stack)
    first.stop()
    whole_again(stack, first)
