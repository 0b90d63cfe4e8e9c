"""EventBridge Scheduler: what it refuses, what it keeps, and its schedules as `clockwork` fires them.

A schedule that is done is deleted when it asks for that. Every firing is remembered with how it ended.
"""

import collections
import copy
import datetime
import json
import uuid

from moto.scheduler import models
from moto.scheduler.exceptions import ScheduleGroupNotFound, ValidationException
from moto.scheduler.responses import EventBridgeSchedulerResponse

from . import ACCOUNT, REGION, expressions, universal
from .clockwork import Armed, clock
from .delivery import Order, deliver

# How long ago a start may be.
STARTED_SECONDS = 300
RETRIES, EVENT_AGE_SECONDS = (0, 185), (60, 86_400)
# The last firings: of which schedule, when due, and how the call ended.
firings = collections.deque(maxlen=1000)


def install():
    """From now on schedules are looked at before they are kept, and fire."""
    clock.sources.append(_armed)
    models.Schedule._validate_start_date = lambda _, start: start
    create, update = EventBridgeSchedulerResponse.create_schedule, EventBridgeSchedulerResponse.update_schedule

    def create_schedule(response):
        backend, token = response.scheduler_backend, response._get_param("ClientToken")
        with clock.lock:
            group = backend.schedule_groups.get(response._get_param("GroupName") or "default")
            if group is None:
                raise ScheduleGroupNotFound(response._get_param("GroupName"))
            before = group.schedules.get(_name(response))
            if before and token and before.client_token == token:
                # The answer to the first request was lost.
                return json.dumps({"ScheduleArn": before.arn})
            return _kept(response, create, token)

    def update_schedule(response):
        with clock.lock:
            return _kept(response, update, None)

    EventBridgeSchedulerResponse.create_schedule = create_schedule
    EventBridgeSchedulerResponse.update_schedule = update_schedule


def _kept(response, verb, token):
    """What moto does, and what it forgets: whatever a request leaves out has its default, also in an update."""
    _look(response)
    answer = verb(response)
    get = response._get_param
    schedule = response.scheduler_backend.get_schedule(get("GroupName"), _name(response))
    schedule.client_token = token
    schedule.action_after_completion = get("ActionAfterCompletion") or "NONE"
    schedule.state = get("State") or "ENABLED"
    return answer


def _name(response):
    return response.uri.split("?")[0].split("/")[-1]


def _look(response):
    """Refuses what Scheduler refuses."""
    get = response._get_param
    expression, zone = get("ScheduleExpression"), get("ScheduleExpressionTimezone") or "UTC"
    target, window = get("Target"), get("FlexibleTimeWindow")
    try:
        expressions.after(expression, clock.now(), zone)
    except (ValueError, KeyError) as error:
        raise ValidationException(f"Invalid Schedule Expression {expression}. {error}") from None
    if (window["Mode"] == "FLEXIBLE") != ("MaximumWindowInMinutes" in window):
        raise ValidationException("MaximumWindowInMinutes is for a window that is FLEXIBLE, and for no other.")
    if not expressions.once(expression):
        _look_at_window(_moment(get("StartDate")), _moment(get("EndDate")))
    policy = target.get("RetryPolicy") or {}
    for name, (least, most) in {"MaximumRetryAttempts": RETRIES, "MaximumEventAgeInSeconds": EVENT_AGE_SECONDS}.items():
        if not least <= policy.get(name, most) <= most:
            raise ValidationException(f"{name} is from {least} to {most}.")
    letters = (target.get("DeadLetterConfig") or {}).get("Arn")
    if letters and (letters.split(":")[2] != "sqs" or letters.endswith(".fifo")):
        raise ValidationException(f"{letters} is not a standard queue.")
    if ":aws-sdk:" in target["Arn"]:
        try:
            universal.check(target["Arn"])
        except ValueError as error:
            raise ValidationException(str(error)) from None


def _look_at_window(start, end):
    now = clock.now()
    if start and start < now - datetime.timedelta(seconds=STARTED_SECONDS):
        raise ValidationException("The StartDate you specify cannot be earlier than 5 minutes ago.")
    if end and end <= max(start or now, now):
        raise ValidationException("The EndDate you specify must be in the future, and after the StartDate.")


def _armed():
    backend = models.scheduler_backends[ACCOUNT][REGION]
    for group in list(backend.schedule_groups.values()):
        for schedule in list(group.schedules.values()):
            key = (schedule.arn, schedule.schedule_expression, schedule.last_modified_date)
            end = None if expressions.once(schedule.schedule_expression) else _moment(schedule.end_date)
            # Not before the last firing: the clock may have been pushed over it.
            over = end and end < clock.now() and clock.due.get(key, end) is None
            if over and schedule.action_after_completion == "DELETE":
                _forget(backend, schedule)
            elif schedule.state == "ENABLED":
                yield Armed(
                    key,
                    schedule.schedule_expression,
                    schedule.schedule_expression_timezone,
                    _fire(backend, schedule),
                    _moment(schedule.start_date),
                    end,
                    at_once=True,
                )


def _fire(backend, schedule):
    # As it is now: an update changes the schedule itself.
    target, deletes = copy.deepcopy(schedule.target), schedule.action_after_completion == "DELETE"

    def fire(due, last):
        execution, time = str(uuid.uuid4()), due.strftime("%Y-%m-%dT%H:%M:%SZ")
        context = {
            "<aws.scheduler.schedule-arn>": schedule.arn,
            "<aws.scheduler.scheduled-time>": time,
            "<aws.scheduler.execution-id>": execution,
        }
        text = target.get("Input")
        if text is None:
            event = {"version": "0", "id": execution, "detail-type": "Scheduled Event", "source": "aws.scheduler"}
            event |= {"account": ACCOUNT, "time": time, "region": REGION, "resources": [schedule.arn], "detail": "{}"}
            text = json.dumps(event)
        for word, value in context.items():
            text = text.replace(word, value)
        policy = target.get("RetryPolicy") or {}

        def told(attempts, code, message):
            how = {"schedule": schedule.arn, "due": time, "target": target["Arn"], "attempts": attempts}
            firings.append(how | {"error_code": code, "error_message": message})

        deliver(
            Order(
                target=target["Arn"],
                text=text,
                role=target["RoleArn"].rpartition("/")[2],
                retries=policy.get("MaximumRetryAttempts", RETRIES[1]),
                seconds=policy.get("MaximumEventAgeInSeconds", EVENT_AGE_SECONDS[1]),
                age=lambda: (clock.now() - due).total_seconds(),
                wait=clock.wait,
                dead_letters=(target.get("DeadLetterConfig") or {}).get("Arn"),
                attributes={"SCHEDULE_ARN": schedule.arn, "SCHEDULED_TIME": time, "EXECUTION_ID": execution},
                message_group=(target.get("SqsParameters") or {}).get("MessageGroupId"),
                told=told,
                done=(lambda: _forget(backend, schedule)) if last and deletes else None,
            )
        )

    return fire


def _forget(backend, schedule):
    """Deletes this very schedule, not one that has taken its name since."""
    group = backend.schedule_groups.get(schedule.group_name)
    if group and group.schedules.get(schedule.name) is schedule:
        group.schedules.pop(schedule.name, None)


def _moment(value):
    if value is None or value == "":
        return None
    if isinstance(value, (int, float)):
        return datetime.datetime.fromtimestamp(value, expressions.UTC)
    moment = datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=expressions.UTC)
