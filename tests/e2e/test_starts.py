"""A schedule starts a run, once; a campaign starts several."""

import datetime
import json

from experiments import crash, frozen
from testing import eventually


def scheduled(experiment, at):
    """The input that a schedule gives, at this time."""
    start = {"experiment": experiment, "environment": "lab", "dry_run": True, "requested_by": "a schedule"}
    return {"scheduled_time": at, "start": start}


def test_a_schedule_starts_a_run_named_after_its_time(stack):
    experiment = stack.store(frozen(id="by-schedule"))
    at = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0) + datetime.timedelta(minutes=2)
    stack.aws.client("scheduler").create_schedule(
        Name="by-the-clock",
        ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": stack.outputs["ScheduledStartMachineArn"],
            "RoleArn": stack.outputs["ScheduleRoleArn"],
            "Input": json.dumps(scheduled(experiment, "<aws.scheduler.scheduled-time>")),
        },
    )

    stack.aws.ask("clock", {"advance_seconds": 181})

    run = stack.run(f"by-schedule-{at:%Y%m%d%H%M}")
    run.begins()
    run.ends("SUCCEEDED")
    assert run.record()["requested_by"] == "a schedule"


def test_a_schedule_that_fires_twice_starts_one_run(stack):
    experiment = stack.store(frozen(id="by-two-schedules"))
    event = scheduled(experiment, "2026-11-24T23:00:00Z")
    run = stack.run("by-two-schedules-202611242300")

    for _ in range(2):
        stack.execute("ScheduledStart", event).ends("SUCCEEDED")
        run.ends("SUCCEEDED")

    pages = stack.aws.client("stepfunctions").get_paginator("list_executions")
    every = pages.paginate(stateMachineArn=stack.outputs["ExperimentMachineArn"])
    names = [execution["name"] for page in every for execution in page["executions"]]
    assert sum(name.startswith("by-two-schedules") for name in names) == 1


def test_a_campaign_starts_one_after_the_other(stack):
    starts = [
        {"experiment": experiment, "environment": "lab", "dry_run": True, "requested_by": "game day"}
        for experiment in (stack.store(frozen(id="first-of-two")), stack.store(crash(id="second-of-two")))
    ]
    event = {"experiments": starts, "pause_seconds": 0, "at_once": 1}

    campaign = stack.execute("Campaign", event)

    campaign.ends("SUCCEEDED")
    notices = eventually(lambda: [one for one in stack.notices(campaign.name) if "campaign is over" in one[0]], 10)
    assert len(notices) == 1
    records = [stack.run(f"{campaign.name}-{number}").record() for number in range(2)]
    assert [record["experiment"] for record in records] == ["first-of-two", "second-of-two"]
    assert records[0]["status"] == records[1]["status"] == "planned"
