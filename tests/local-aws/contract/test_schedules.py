"""EventBridge Scheduler: what is armed can be read back, starts, ends, is tried again, and may come late."""

import contextlib
import datetime
import json
import uuid

import pytest
from test_clockwork import ROLE, in_seconds, schedule
from testing import eventually

SCHEDULED = "<aws.scheduler.scheduled-time>"
NOBODY = "arn:aws:lambda:us-east-1:123456789012:function:nobody"


@pytest.fixture
def scheduler(aws):
    return aws.client("scheduler")


def later(aws, **more):
    """A moment of this AWS's clock, in whole seconds."""
    now = datetime.datetime.fromisoformat(aws.ask("schedules")["now"])
    return (now + datetime.timedelta(**more)).replace(microsecond=0)


def at(moment):
    return moment.strftime("at(%Y-%m-%dT%H:%M:%S)")


def push(aws, seconds):
    aws.ask("clock", {"advance_seconds": seconds})


def names(scheduler):
    pages = scheduler.get_paginator("list_schedules").paginate()
    return {one["Name"] for page in pages for one in page["Schedules"]}


def heard(aws, url, count):
    """So many messages, as moments in order, and none beside them."""
    moments = [datetime.datetime.fromisoformat(aws.heard(url)["Body"]) for _ in range(count)]
    assert aws.silent(url)
    return sorted(moments)


def ended(aws, name):
    """How the firings of a schedule ended."""
    return [one for one in aws.ask("schedules")["firings"] if one["schedule"].endswith(f"/{name}")]


def test_what_was_armed_is_read_back(aws, scheduler):
    _, queue = aws.queue()
    start, end = later(aws, minutes=10), later(aws, hours=1)
    given = {"DbInstanceIdentifier": "d"}
    target = {
        "Arn": "arn:aws:scheduler:::aws-sdk:rds:startDBInstance",
        "RoleArn": ROLE,
        "Input": json.dumps(given),
        "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 600},
        "DeadLetterConfig": {"Arn": queue},
    }
    asked = {
        "Name": f"armed-{uuid.uuid4().hex}",
        "ScheduleExpression": "rate(5 minutes)",
        "ScheduleExpressionTimezone": "UTC",
        "StartDate": start,
        "EndDate": end,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "Description": "starts it again",
        "State": "ENABLED",
        "Target": target,
    }

    arn = scheduler.create_schedule(**asked)["ScheduleArn"]

    found = scheduler.get_schedule(Name=asked["Name"])
    assert {name: found[name] for name in asked} == asked
    assert (found["Arn"], found["GroupName"]) == (arn, "default")
    scheduler.delete_schedule(Name=asked["Name"])
    with pytest.raises(scheduler.exceptions.ResourceNotFoundException):
        scheduler.get_schedule(Name=asked["Name"])


def test_what_is_left_out_has_its_default_also_in_an_update(aws, scheduler):
    _, arn = aws.queue()
    name = schedule(aws, in_seconds(aws, 900), arn, "{}", ActionAfterCompletion="DELETE", State="DISABLED")
    target = {"Arn": arn, "RoleArn": ROLE, "Input": "{}"}

    scheduler.update_schedule(
        Name=name, ScheduleExpression="rate(1 day)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target
    )

    found = scheduler.get_schedule(Name=name)
    assert (found["State"], found["ActionAfterCompletion"]) == ("ENABLED", "NONE")
    assert found["Target"]["RetryPolicy"] == {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400}
    scheduler.delete_schedule(Name=name)


def test_a_repeated_request_is_answered_as_the_first_and_another_is_a_conflict(aws, scheduler):
    _, arn = aws.queue()
    asked = {"ScheduleExpression": in_seconds(aws, 900), "FlexibleTimeWindow": {"Mode": "OFF"}}
    asked |= {"Name": f"twice-{uuid.uuid4().hex}", "Target": {"Arn": arn, "RoleArn": ROLE, "Input": "{}"}}
    token = uuid.uuid4().hex

    first, second = (scheduler.create_schedule(**asked, ClientToken=token)["ScheduleArn"] for _ in range(2))

    assert first == second
    with pytest.raises(scheduler.exceptions.ConflictException):
        scheduler.create_schedule(**asked)
    scheduler.delete_schedule(Name=asked["Name"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"target": {"RetryPolicy": {"MaximumRetryAttempts": 186}}},
        {"target": {"RetryPolicy": {"MaximumEventAgeInSeconds": 86401}}},
        {"target": {"DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:123456789012:q.fifo"}}},
        {"StartDate": {"minutes": -6}},
        {"EndDate": {"minutes": -1}},
        {"StartDate": {"minutes": 10}, "EndDate": {"minutes": 10}},
    ],
)
def test_what_scheduler_does_not_take_is_refused(aws, scheduler, wrong):
    moments = {name: later(aws, **value) for name, value in wrong.items() if name != "target"}

    with pytest.raises(scheduler.exceptions.ValidationException):
        schedule(aws, "rate(5 minutes)", NOBODY, "{}", wrong.get("target"), **moments)


def test_a_rate_fires_from_its_start_to_its_end_and_goes(aws, scheduler):
    url, arn = aws.queue()
    start = later(aws, minutes=10)
    window = {"StartDate": start, "EndDate": start + datetime.timedelta(minutes=12)}
    name = schedule(aws, "rate(5 minutes)", arn, SCHEDULED, ActionAfterCompletion="DELETE", **window)

    push(aws, 590)
    before = aws.client("sqs").receive_message(QueueUrl=url).get("Messages", [])
    push(aws, 20)
    first = datetime.datetime.fromisoformat(aws.heard(url)["Body"])
    push(aws, 3600)

    step = datetime.timedelta(minutes=5)
    assert (before, first) == ([], start)
    assert heard(aws, url, 2) == [start + step, start + 2 * step]
    eventually(lambda: name not in names(scheduler))


def test_a_rate_whose_start_has_passed_keeps_its_beat(aws, scheduler):
    url, arn = aws.queue()
    start = later(aws, minutes=-4)
    name = schedule(aws, "rate(5 minutes)", arn, SCHEDULED, StartDate=start)

    push(aws, 61)

    assert heard(aws, url, 1) == [start + datetime.timedelta(minutes=5)]
    scheduler.delete_schedule(Name=name)


def test_a_window_that_the_clock_is_pushed_over_is_not_lost(aws, scheduler):
    url, arn = aws.queue()
    start = later(aws, minutes=1)
    window = {"StartDate": start, "EndDate": start + datetime.timedelta(minutes=1)}
    schedule(aws, "rate(1 minute)", arn, SCHEDULED, ActionAfterCompletion="DELETE", **window)

    push(aws, 86_400)

    assert heard(aws, url, 2) == [start, start + datetime.timedelta(minutes=1)]


def test_a_one_time_schedule_has_no_start_and_no_end(aws, scheduler):
    url, arn = aws.queue()
    due = later(aws, minutes=5)
    window = {"StartDate": later(aws, days=1), "EndDate": later(aws, days=2)}
    name = schedule(aws, at(due), arn, SCHEDULED, ActionAfterCompletion="DELETE", **window)

    push(aws, 301)

    assert heard(aws, url, 1) == [due]
    eventually(lambda: name not in names(scheduler))


def test_a_one_time_schedule_in_the_past_fires_at_once(aws, scheduler):
    url, arn = aws.queue()
    past = later(aws, minutes=-30)
    created = schedule(aws, at(past), arn, SCHEDULED, ActionAfterCompletion="DELETE")
    assert datetime.datetime.fromisoformat(aws.heard(url)["Body"]) == past
    eventually(lambda: created not in names(scheduler))

    name = schedule(aws, at(past), arn, SCHEDULED, State="DISABLED")
    assert aws.silent(url)
    target = {"Arn": arn, "RoleArn": ROLE, "Input": SCHEDULED}
    off = {"Mode": "OFF"}
    scheduler.update_schedule(Name=name, ScheduleExpression=at(past), FlexibleTimeWindow=off, Target=target)

    assert heard(aws, url, 1) == [past]
    scheduler.delete_schedule(Name=name)


@contextlib.contextmanager
def late(aws, seconds):
    aws.ask("schedules", {"late_seconds": seconds})
    try:
        yield
    finally:
        aws.ask("schedules", {"late_seconds": 0})


def test_deleted_shortly_before_its_moment_it_may_still_fire(aws, scheduler):
    close, close_arn = aws.queue()
    far, far_arn = aws.queue()
    due = later(aws, seconds=50)
    with late(aws, 60):
        first = schedule(aws, at(due), close_arn, SCHEDULED)
        second = schedule(aws, in_seconds(aws, 600), far_arn, SCHEDULED)
        eventually(lambda: second in str(aws.ask("schedules")["due"]))
        scheduler.delete_schedule(Name=first)
        scheduler.delete_schedule(Name=second)
        push(aws, 900)

    assert heard(aws, close, 1) == [due]
    assert aws.silent(far)


def test_changed_shortly_before_its_moment_it_may_fire_as_it_was(aws, scheduler):
    url, arn = aws.queue()
    target = {"Arn": arn, "RoleArn": ROLE, "Input": "new"}
    with late(aws, 60):
        name = schedule(aws, in_seconds(aws, 50), arn, "old")
        eventually(lambda: name in str(aws.ask("schedules")["due"]))
        change = {"ScheduleExpression": in_seconds(aws, 300), "FlexibleTimeWindow": {"Mode": "OFF"}}
        scheduler.update_schedule(Name=name, Target=target, **change)
        push(aws, 60)
        first = aws.heard(url)["Body"]
        push(aws, 300)

    assert (first, aws.heard(url)["Body"]) == ("old", "new")
    scheduler.delete_schedule(Name=name)


def test_deleted_in_time_it_does_not_fire(aws, scheduler):
    url, arn = aws.queue()
    name = schedule(aws, in_seconds(aws, 50), arn, "{}")
    eventually(lambda: name in str(aws.ask("schedules")["due"]))

    scheduler.delete_schedule(Name=name)
    push(aws, 900)

    assert aws.silent(url)


@pytest.fixture
def busy(aws, stack):
    """A call that is throttled each time, as the parts of a target."""
    functions = aws.client("lambda")
    functions.put_function_concurrency(FunctionName="fixture-worker", ReservedConcurrentExecutions=0)
    yield "arn:aws:scheduler:::aws-sdk:lambda:invoke", json.dumps({"FunctionName": "fixture-worker", "Payload": "{}"})
    functions.delete_function_concurrency(FunctionName="fixture-worker")


@pytest.mark.parametrize(
    ("policy", "pushed", "condition", "most"),
    [
        ({"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 3600}, 0, "MaximumRetryAttempts", 1),
        # The push may come before the first attempt, or between two.
        ({"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 60}, 61, "MaximumEventAgeInSeconds", 5),
    ],
)
def test_a_busy_service_is_asked_again_until_the_retry_policy_ends(aws, busy, policy, pushed, condition, most):
    url, queue = aws.queue()
    name = schedule(aws, in_seconds(aws, 0), *busy, {"RetryPolicy": policy, "DeadLetterConfig": {"Arn": queue}})
    eventually(lambda: name in str(aws.ask("schedules")["due"]))

    push(aws, pushed)

    message = aws.heard(url)
    said = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert (said["ERROR_CODE"], said.get("EXHAUSTED_RETRY_CONDITION")) == ("TooManyRequestsException", condition)
    assert int(said["RETRY_ATTEMPTS"]) <= most
    assert {"SCHEDULE_ARN", "SCHEDULED_TIME", "EXECUTION_ID", "TARGET_ARN", "ERROR_MESSAGE"} < set(said)


def test_how_each_firing_ended_can_be_asked(aws):
    url, arn = aws.queue()
    good = schedule(aws, in_seconds(aws, 0), arn, "{}")
    bad = schedule(aws, in_seconds(aws, 0), "arn:aws:scheduler:::aws-sdk:ec2:startInstances", '{"Ids": []}')

    [fine] = eventually(lambda: ended(aws, good))
    [failed] = eventually(lambda: ended(aws, bad))

    assert (fine["attempts"], fine["error_code"], fine["target"]) == (1, None, arn)
    assert (failed["attempts"], failed["error_code"]) == (1, "InvalidInput")
    assert "Input has no Ids" in failed["error_message"]
