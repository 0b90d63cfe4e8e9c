"""Nobody answers, or nobody waits any more: conftest begins these runs first, and they wait beside the other tests."""


def test_silence_is_no(stack):
    unanswered = stack.unanswered
    unanswered.ends("FAILED", "refused")
    assert "Unapproved" in unanswered.states()
    assert unanswered.ledger() == []
    late = {"run_id": unanswered.name, "answer": {"denied": {"why": "too late"}}, "by": "kim"}
    _, why = stack.aws.invoke("stormdrill-approval", late)
    assert why["errorType"] == "Approval.AnswerRejected"
    assert "not waiting for an answer" in why["errorMessage"]


def test_a_run_that_was_stopped_while_it_waited_is_reported(stack):
    given_up = stack.given_up
    given_up.ends("ABORTED")
    report = given_up.report()
    assert report["run"]["judgement"]["verdict"] == "aborted"
    assert report["run"]["ending"]["because"] == "stopped"
    assert given_up.ledger() == []
