"""Faults on AWS resources, and targets that many want: done, undone, and looked at in EC2 itself."""

from experiments import frozen, partition, stopped
from resources import armed, association, left, partitioned, state
from testing import eventually

BUSY = {"in-use", "target-busy"}


def test_a_subnet_is_cut_off_and_comes_back(stack):
    before = association(stack)
    run = stack.start(partition(duration="20s"))
    subnet = partitioned(run.landed())
    assert association(stack)[subnet] != before[subnet]
    assert armed(stack) != []

    run.ends("SUCCEEDED", seconds=300)

    assert association(stack) == before
    assert (left(stack), armed(stack)) == ([], [])
    assert [row["state"]["is"] for row in run.ledger()] == ["undone"]
    assert run.report()["run"]["judgement"]["verdict"] == "supported"


def test_an_instance_is_stopped_and_runs_again(stack):
    run = stack.start(stopped(duration="20s"))
    instance = run.landed()["target"].rpartition("/")[2]
    assert state(stack, instance) in {"stopping", "stopped"}

    run.ended(300)

    assert state(stack, instance) == "running"
    assert run.record()["ending"] == {"because": "completed"}
    assert (armed(stack), run.open()) == ([], [])
    assert [row["state"]["is"] for row in run.ledger()] == ["undone"]


def test_of_many_runs_at_once_one_has_the_target_and_the_others_say_who(stack):
    runs = [stack.start(frozen()) for _ in range(24)]

    def begun():
        return [run for run in runs if run.ledger()]

    [winner] = eventually(begun, 120)
    losers = [run for run in runs if run is not winner]
    for run in losers:
        run.ends("FAILED", "refused", seconds=300)
        reasons = run.report()["run"]["ending"]["reasons"]
        assert {reason["guard"] for reason in reasons} <= BUSY, reasons
        assert all(winner.name in str(reason) for reason in reasons), reasons
        assert run.ledger() == []
    winner.stop()
    eventually(lambda: not winner.open(), 60)
    stack.calm()
