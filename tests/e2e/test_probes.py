"""Probes that are not AWS's: a Prometheus and a page, asked by the functions while real processes stand still."""

from experiments import paused
from monitor import QUERY

PROMETHEUS = {"name": "running", "prometheus": {"query": QUERY}}


def test_a_prometheus_and_a_page_say_what_hosts_do(stack, monitor):
    page = {"name": "all", "http": {"url": f"{monitor.url}/orders/4", "timeout": "5s"}, "tolerance": {"at_least": 1}}
    probes = [PROMETHEUS | {"tolerance": {"at_least": 3}}, page]

    run = stack.start(paused(steady_state=probes))

    run.ends("FAILED", "refuted")
    assert (run.measured("baseline", "running"), run.measured("baseline", "all")) == ({4}, {1})
    assert {3} <= run.measured("fault", "running") <= {3, 4}
    assert {0} <= run.measured("fault", "all") <= {0, 1}
    findings = run.report()["run"]["judgement"]["findings"]
    assert {finding["about"]: finding["holds"] for finding in findings if finding["about"] in ("running", "all")} == {
        "running": "yes",
        "all": "no",
    }


def test_a_prometheus_is_a_stop_condition(stack, monitor):
    guards = {"max_blast_radius": "30%", "stop_when": [{"probe": "running", "below": 4, "for_samples": 2}]}

    run = stack.start(paused(steady_state=[PROMETHEUS | {"tolerance": {"at_least": 3}}], guards=guards, duration="5m"))

    run.ends("FAILED", "aborted")
    assert "running" in run.record()["ending"]["condition"]
    assert "T" not in stack.processes("order-service", "order-service")
    assert run.open() == []


def test_a_prometheus_that_falls_silent_ends_the_fault(stack, monitor):
    probes = [PROMETHEUS | {"tolerance": {"at_least": 3}}]
    guards = {"max_blast_radius": "30%", "stop_when": [{"probe": "running", "below": 1, "for_samples": 2}]}
    soon = {"recovery": {"within": "5s", "check_every": "2s"}, "success": [{"recovery_time_at_most": "5s"}]}
    run = stack.start(paused(steady_state=probes, guards=guards, duration="5m", **soon))
    run.reaches(lambda run: 3 in run.measured("fault", "running"), "the pause")

    monitor.silent = True

    run.ends("FAILED", "aborted")
    assert None in run.measured("fault", "running")
    assert "T" not in stack.processes("order-service", "order-service")
    assert run.open() == []
