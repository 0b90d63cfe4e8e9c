"""The clock that fires: rules with a schedule, and EventBridge Scheduler's schedules.

Each firing has the moment it was due at; a schedule that is done is deleted when it asks for that.
The clock can be pushed forward for tests, and what became due on the way fires, each firing with its own moment.
"""

import datetime
import json
import threading
import time
import uuid

from moto.events.models import events_backends
from moto.scheduler import models
from moto.scheduler.exceptions import ScheduleGroupNotFound, ValidationException

from . import ACCOUNT, REGION, expressions, stopping, universal
from .delivery import Order, deliver
from .rules import order

TICK_SECONDS = 0.2
# A schedule that was due very often while the clock was pushed fires this often at most.
CATCH_UP = 200


class Clockwork:
    """What is due when."""

    def __init__(self):
        self.pushed, self.lock, self.due = 0.0, threading.RLock(), {}

    def now(self):
        return datetime.datetime.fromtimestamp(time.time() + self.pushed, expressions.UTC)

    def push(self, seconds):
        """Moves the clock forward and fires what is due by then."""
        self.tick()
        with self.lock:
            self.pushed += seconds
        return self.tick()

    def run(self):
        while not stopping.wait(TICK_SECONDS):
            try:
                self.tick()
            except Exception as error:  # The clock goes on, whatever one schedule holds.
                print(f"clockwork: {error!r}", flush=True)

    def tick(self):
        """Fires what is due; gives how many firings there were."""
        with self.lock:
            now, fired, seen = self.now(), 0, set()
            for key, expression, zone, fire in self._armed():
                seen.add(key)
                if key not in self.due:
                    self.due[key] = expressions.after(expression, now, zone)
                for _ in range(CATCH_UP):
                    due = self.due[key]
                    if due is None or due > now:
                        break
                    self.due[key] = None if expressions.once(expression) else expressions.after(expression, due, zone)
                    fire(due)
                    fired += 1
            for gone in set(self.due) - seen:
                del self.due[gone]
            return fired

    def _armed(self):
        """Everything that may fire: a key that changes with it, its expression, its zone, and how to fire it."""
        for bus in list(events_backends[ACCOUNT][REGION].event_buses.values()):
            for rule in list(bus.rules.values()):
                if rule.scheduled_expression and not rule.state.startswith("DISABLED"):
                    yield (rule.arn, rule.scheduled_expression), rule.scheduled_expression, "UTC", _rule(rule)
        backend = models.scheduler_backends[ACCOUNT][REGION]
        for group in list(backend.schedule_groups.values()):
            for schedule in list(group.schedules.values()):
                if schedule.state == "ENABLED" and self._is_open(backend, schedule):
                    key = (schedule.arn, schedule.schedule_expression, schedule.last_modified_date)
                    yield (
                        key,
                        schedule.schedule_expression,
                        schedule.schedule_expression_timezone,
                        _schedule(backend, schedule),
                    )

    def _is_open(self, backend, schedule):
        now = self.now()
        if schedule.end_date and _moment(schedule.end_date) < now:
            if schedule.action_after_completion == "DELETE":
                _forget(backend, schedule)
            return False
        return not schedule.start_date or _moment(schedule.start_date) <= now


clock = Clockwork()


def install():
    """From now on a group must be there before its schedules, and a wrong expression or target is refused."""
    create = models.EventBridgeSchedulerBackend.create_schedule

    def create_schedule(backend, *rest, **given):
        group = given.get("group_name") or "default"
        if group not in backend.schedule_groups:
            raise ScheduleGroupNotFound(group)
        try:
            expression, zone = given["schedule_expression"], given.get("schedule_expression_timezone") or "UTC"
            expressions.after(expression, clock.now(), zone)
        except (ValueError, KeyError) as error:
            raise ValidationException(f"Invalid Schedule Expression {expression}. {error}") from None
        if ":aws-sdk:" in given["target"]["Arn"]:
            try:
                universal.check(given["target"]["Arn"])
            except ValueError as error:
                raise ValidationException(str(error)) from None
        return create(backend, *rest, **given)

    models.EventBridgeSchedulerBackend.create_schedule = create_schedule


def _rule(rule):
    def fire(due):
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": rule.account_id,
            "time": due.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": rule.region_name,
            "resources": [rule.arn],
            "detail": {},
        }
        for target in rule.targets:
            deliver(order(rule, target, event))

    return fire


def _schedule(backend, schedule):
    def fire(due):
        target = schedule.target
        context = {
            "<aws.scheduler.schedule-arn>": schedule.arn,
            "<aws.scheduler.scheduled-time>": due.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "<aws.scheduler.execution-id>": str(uuid.uuid4()),
        }
        text = target.get("Input")
        if text is None:
            event = {"version": "0", "id": context["<aws.scheduler.execution-id>"], "detail-type": "Scheduled Event"}
            event |= {"source": "aws.scheduler", "account": ACCOUNT, "time": context["<aws.scheduler.scheduled-time>"]}
            text = json.dumps(event | {"region": REGION, "resources": [schedule.arn], "detail": "{}"})
        for word, value in context.items():
            text = text.replace(word, value)
        last = expressions.once(schedule.schedule_expression) and schedule.action_after_completion == "DELETE"
        deliver(
            Order(
                target=target["Arn"],
                text=text,
                retries=target["RetryPolicy"].get("MaximumRetryAttempts", 185),
                dead_letters=(target.get("DeadLetterConfig") or {}).get("Arn"),
                attributes={"SCHEDULE_ARN": schedule.arn, "SCHEDULED_TIME": context["<aws.scheduler.scheduled-time>"]},
                message_group=(target.get("SqsParameters") or {}).get("MessageGroupId"),
                done=(lambda: _forget(backend, schedule)) if last else None,
            )
        )

    return fire


def _forget(backend, schedule):
    """Deletes this very schedule, not one that has taken its name since."""
    group = backend.schedule_groups.get(schedule.group_name)
    if group and group.schedules.get(schedule.name) is schedule:
        group.schedules.pop(schedule.name, None)


def _moment(value):
    if isinstance(value, (int, float)):
        return datetime.datetime.fromtimestamp(value, expressions.UTC)
    moment = datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=expressions.UTC)
