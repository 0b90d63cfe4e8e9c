"""Nobody answers. The shortest time to wait for an answer is a minute: this run waits beside the other tests."""

import pytest
from experiments import guarded


@pytest.fixture(scope="session", autouse=True)
def unanswered(stack):
    return stack.start(guarded(approval={"within": "1m"}))


def test_silence_is_no(stack, unanswered):
    unanswered.ends("FAILED", "refused")
    assert "Unapproved" in unanswered.states()
    assert unanswered.ledger() == []
    late = {"run_id": unanswered.name, "answer": {"denied": {"why": "too late"}}, "by": "kim"}
    assert stack.aws.invoke("stormdrill-approval", late)[0] == "Unhandled"
