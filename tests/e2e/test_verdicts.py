"""What the end of a run says, and that it is the same wherever one looks."""

from experiments import crash, frozen, ready_made

CALM = ["Prepare", "Prepared", "Announce", "Inject", "Injected", "Observe", "Decide"]


def test_what_stayed_true_is_supported(stack):
    run = stack.start(stack.store(crash(id="a-crash")))

    run.ends("SUCCEEDED")
    states = run.states()
    assert states[: len(CALM)] == CALM
    assert states[-3:] == ["Report", "Outcome", "Supported"]
    assert {"Recover", "Settle", "Validate"} <= set(states)
    assert "Rollback" not in states
    [row] = run.ledger()
    assert row["state"]["is"] == "undone"
    assert row["state"]["landed"]
    assert run.open() == []
    report = run.report()
    assert report["run"]["judgement"]["verdict"] == "supported"
    assert report["ledger"] == [row]
    notices = stack.notices(run.name)
    assert any("about to start" in subject for subject, _ in notices)
    assert any("supported" in subject + text for subject, text in notices)


def test_the_first_drill_needs_no_metric(stack):
    # The hosts of the lab are checked every two seconds; EC2's status checks take minutes.
    healthy = {"name": "healthy", "host_health": {"of": "one-host"}, "covers": "10s", "tolerance": {"at_least": 100}}
    soon = {"recovery": {"within": "1m", "check_every": "5s"}, "success": [{"recovery_time_at_most": "1m"}]}

    run = stack.start(ready_made("hello", duration="30s", observe={"every": "1s"}, steady_state=[healthy], **soon))

    run.ends("SUCCEEDED")
    assert run.measured("fault", "healthy") == {100}
    assert [row["state"]["is"] for row in run.ledger()] == ["undone"]


def test_what_did_not_stay_true_is_refuted(stack):
    run = stack.start(ready_made("dependency-dark", duration="30s"))

    run.ends("FAILED", "refuted")
    assert run.report()["run"]["judgement"]["verdict"] == "refuted"
    assert [row["state"]["is"] for row in run.ledger()] == ["undone"]
    assert run.open() == []


def test_a_stop_condition_aborts_and_everything_is_put_back(stack):
    run = stack.start(ready_made("error-budget-abort"))
    run.reaches(lambda run: "T" in stack.processes("orders-db", "orders-db"), "the freeze")

    run.ends("FAILED", "aborted")
    assert "Rollback" in run.states()
    assert "T" not in stack.processes("orders-db", "orders-db")
    ending = run.record()["ending"]
    assert ending["because"] == "breached"
    assert "availability" in ending["condition"]
    assert run.open() == []
    assert run.report()["run"]["judgement"]["verdict"] == "aborted"


def test_a_dry_run_plans_and_touches_nothing(stack):
    run = stack.start(frozen(), dry_run=True)

    run.ends("SUCCEEDED")
    assert run.states()[-1] == "Planned"
    assert run.ledger() == []
    assert len(run.report()["plan"]["scope"]["targets"]) == 1
