"""Somebody agrees, or says no. Silence takes a minute: see test_silence."""

import json

from experiments import guarded


def asking(stack):
    """A run that waits, and the answers that its notice offers."""
    run = stack.start(guarded(approval={"within": "2m"}))

    def asked():
        notices = stack.notices(run.name)
        return next((text for subject, text in notices if "has to agree" in subject), None)

    run.reaches(lambda _: asked(), "the question", 60)
    text = asked()
    agreed, denied = (json.loads(line) for line in text.splitlines() if line.startswith("{"))
    return run, agreed, denied


def answer(stack, reply, by="kim"):
    return stack.aws.invoke("stormdrill-approval", reply | {"by": by})


def test_whoever_agrees_lets_it_go_on(stack):
    run, agreed, _ = asking(stack)

    assert answer(stack, agreed)[0] is None

    run.ends("SUCCEEDED")
    states = run.states()
    assert states[:4] == ["Prepare", "Prepared", "AwaitApproval", "Prepare"]
    assert run.record()["approval"]["by"] == "kim"


def test_who_asked_cannot_agree_nor_anybody_to_another_plan(stack):
    run, agreed, denied = asking(stack)

    _, why = answer(stack, agreed, by="the end-to-end ring")
    _, reason = answer(stack, agreed | {"answer": {"agreed": {"plan": "0" * 64}}})
    assert why["errorType"] == reason["errorType"] == "Approval.AnswerRejected"
    assert "cannot agree to it" in why["errorMessage"]
    assert "plan" in reason["errorMessage"]
    assert run.described()["status"] == "RUNNING"

    assert answer(stack, denied | {"answer": {"denied": {"why": "a release is under way"}}})[0] is None
    run.ends("FAILED", "refused")
    assert "a release is under way" in json.dumps(run.report()["run"])
    assert run.ledger() == []
