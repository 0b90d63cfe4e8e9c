"""Schedules: when expressions are due, and that what is due fires."""

import datetime
import json
import uuid

import pytest
from testing import eventually
from localaws import expressions

UTC = datetime.timezone.utc
ROLE = "arn:aws:iam::123456789012:role/scheduler"


@pytest.mark.parametrize(
    ("expression", "zone", "moment", "due"),
    [
        ("rate(1 minute)", "UTC", "2026-11-21T10:00:30", "2026-11-21T10:01:30"),
        ("rate(2 hours)", "UTC", "2026-11-21T23:00:00", "2026-11-22T01:00:00"),
        ("at(2026-11-21T10:00:00)", "UTC", "2026-11-22T00:00:00", "2026-11-21T10:00:00"),
        ("at(2026-11-21T10:00:00)", "America/New_York", "2026-11-20T00:00:00", "2026-11-21T15:00:00"),
        ("cron(0 18 ? * TUE *)", "America/New_York", "2026-11-21T00:00:00", "2026-11-24T23:00:00"),
        ("cron(0 18 ? * TUE *)", "America/New_York", "2026-07-01T00:00:00", "2026-07-07T22:00:00"),
        ("cron(*/15 8-10 * * ? *)", "UTC", "2026-11-21T10:46:00", "2026-11-22T08:00:00"),
        ("cron(5/20 * * * ? *)", "UTC", "2026-11-21T10:26:00", "2026-11-21T10:45:00"),
        ("cron(0 12 L * ? *)", "UTC", "2027-02-01T00:00:00", "2027-02-28T12:00:00"),
        ("cron(0 9 ? * MON#1 *)", "UTC", "2026-11-03T00:00:00", "2026-12-07T09:00:00"),
        ("cron(0 9 ? * FRIL *)", "UTC", "2026-11-01T00:00:00", "2026-11-27T09:00:00"),
        ("cron(0 0 1 JAN ? 2028)", "UTC", "2026-11-21T00:00:00", "2028-01-01T00:00:00"),
        ("cron(0 0 1 1 ? 2020)", "UTC", "2026-11-21T00:00:00", None),
    ],
)
def test_an_expression_is_due(expression, zone, moment, due):
    found = expressions.after(expression, datetime.datetime.fromisoformat(moment).replace(tzinfo=UTC), zone)

    assert found == (datetime.datetime.fromisoformat(due).replace(tzinfo=UTC) if due else None)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(0 minutes)",
        "rate(5)",
        "cron(0 18 * * TUE *)",
        "cron(61 0 ? * * *)",
        "cron(0 0 ? * *)",
        "every(5)",
        "at(now)",
    ],
)
def test_a_wrong_expression_is_refused(expression):
    with pytest.raises(ValueError):
        expressions.after(expression, datetime.datetime.now(UTC))


def schedule(aws, expression, arn, text, target=None, **more):
    name = f"s-{uuid.uuid4().hex[:10]}"
    target = {"Arn": arn, "RoleArn": ROLE, "Input": text, **(target or {})}
    aws.client("scheduler").create_schedule(
        Name=name, ScheduleExpression=expression, FlexibleTimeWindow={"Mode": "OFF"}, Target=target, **more
    )
    return name


def in_seconds(aws, seconds):
    now = datetime.datetime.fromisoformat(aws.ask("schedules")["now"])
    return (now + datetime.timedelta(seconds=seconds)).strftime("at(%Y-%m-%dT%H:%M:%S)")


def test_a_one_time_schedule_fires_by_itself_and_goes(aws):
    url, arn = aws.queue()

    name = schedule(
        aws, in_seconds(aws, 1), arn, '{"at":"<aws.scheduler.scheduled-time>"}', ActionAfterCompletion="DELETE"
    )

    at = json.loads(aws.heard(url)["Body"])["at"]
    assert datetime.datetime.fromisoformat(at.replace("Z", "+00:00")).tzinfo
    eventually(lambda: name not in [one["Name"] for one in aws.client("scheduler").list_schedules()["Schedules"]])


def test_a_one_time_schedule_that_stays_fires_once(aws):
    url, arn = aws.queue()
    name = schedule(aws, in_seconds(aws, 30), arn, "{}")

    fired = aws.ask("clock", {"advance_seconds": 31})["fired"]
    aws.heard(url)
    aws.ask("clock", {"advance_seconds": 60})
    due = next(due for arn, due in aws.ask("schedules")["due"] if arn.endswith(name))

    assert (fired >= 1, due) == (True, None)
    assert aws.client("scheduler").get_schedule(Name=name)["State"] == "ENABLED"
    aws.client("scheduler").delete_schedule(Name=name)
    assert aws.silent(url)


def test_a_rate_fires_at_once_and_each_time_with_its_own_moment_until_it_is_disabled(aws):
    url, arn = aws.queue()
    name = schedule(aws, "rate(1 minute)", arn, "<aws.scheduler.scheduled-time>")
    seen = {aws.heard(url)["Body"]}

    aws.ask("clock", {"advance_seconds": 180})
    seen |= {aws.heard(url)["Body"] for _ in range(3)}

    target = {"Arn": arn, "RoleArn": ROLE, "Input": "no"}
    aws.client("scheduler").update_schedule(
        Name=name,
        ScheduleExpression="rate(1 minute)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target,
        State="DISABLED",
    )
    aws.ask("clock", {"advance_seconds": 180})
    moments = sorted(datetime.datetime.fromisoformat(each.replace("Z", "+00:00")) for each in seen)
    assert [after - before for before, after in zip(moments, moments[1:])] == [datetime.timedelta(minutes=1)] * 3
    assert aws.silent(url)


def test_a_rule_with_a_rate_calls_its_function(aws, stack):
    events = aws.client("events")
    events.put_rule(Name="sweep", ScheduleExpression="rate(1 minute)")
    worker = "arn:aws:lambda:us-east-1:123456789012:function:fixture-worker"
    events.put_targets(Rule="sweep", Targets=[{"Id": "w", "Arn": worker, "Input": '{"do":"log","line":"swept"}'}])
    eventually(lambda: "rule/sweep" in str(aws.ask("schedules")["due"]))

    aws.ask("clock", {"advance_seconds": 60})

    logs = aws.client("logs")
    eventually(
        lambda: [
            e
            for e in logs.filter_log_events(logGroupName="/aws/lambda/fixture-worker")["events"]
            if e["message"] == "swept"
        ]
    )
    events.remove_targets(Rule="sweep", Ids=["w"])
    events.delete_rule(Name="sweep")


def test_a_universal_target_makes_the_call(aws, stack):
    name = f"run-{uuid.uuid4().hex[:8]}"
    call = {"StateMachineArn": stack["MachineArn"], "Name": name, "Input": '{"do":"greet"}'}

    schedule(aws, in_seconds(aws, 0), "arn:aws:scheduler:::aws-sdk:sfn:startExecution", json.dumps(call))

    execution = stack["MachineArn"].replace("stateMachine", "execution") + f":{name}"
    machines = aws.client("stepfunctions")
    eventually(
        lambda: (
            execution
            in [
                one["executionArn"]
                for one in machines.list_executions(stateMachineArn=stack["MachineArn"])["executions"]
            ]
        )
    )


def test_a_firing_that_reaches_nobody_is_a_dead_letter(aws):
    url, arn = aws.queue()
    nobody = "arn:aws:lambda:us-east-1:123456789012:function:nobody"

    schedule(
        aws,
        in_seconds(aws, 0),
        nobody,
        '{"run_id":"r"}',
        {"DeadLetterConfig": {"Arn": arn}, "RetryPolicy": {"MaximumRetryAttempts": 0}},
    )

    message = aws.heard(url)
    assert message["Body"] == '{"run_id":"r"}'
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "ResourceNotFoundException"


def test_a_schedule_needs_its_group_and_a_right_expression(aws):
    scheduler = aws.client("scheduler")

    with pytest.raises(scheduler.exceptions.ResourceNotFoundException):
        schedule(aws, "rate(1 minute)", "arn:aws:sqs:us-east-1:123456789012:q", "{}", GroupName="nowhere")
    with pytest.raises(scheduler.exceptions.ValidationException):
        schedule(aws, "rate(1 fortnight)", "arn:aws:sqs:us-east-1:123456789012:q", "{}")
