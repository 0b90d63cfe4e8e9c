"""The clock that fires: rules with a schedule, and what `schedules` arms.

Each firing has the moment it was due at. The clock can be pushed forward for tests, and what became due on the way fires,
each firing with its own moment; whoever waits by this clock is pushed along.
"""

import datetime
import threading
import time
import uuid
from dataclasses import dataclass

from moto.events.models import events_backends

from . import ACCOUNT, REGION, expressions, stopping
from .delivery import deliver
from .rules import order, triggered

TICK_SECONDS = 0.2
# What was due very often while the clock was pushed fires this often at most.
CATCH_UP = 200


@dataclass
class Armed:
    """Something that will fire: `key` changes when it is changed, `fire` takes the moment and whether it is the last."""

    key: tuple
    expression: str
    zone: str
    fire: object
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None
    # A rate begins at its start, or at once; a rule's rate begins when it has passed once.
    at_once: bool = False

    def first(self, now):
        """When it is due first, seen from now."""
        if expressions.once(self.expression):
            # Whenever that is: a moment that has passed is due now. Start and end are not for these.
            return expressions.after(self.expression, now, self.zone)
        if self.expression.startswith("rate("):
            return self._within(self._first_of_rate(now))
        begin = self.start - datetime.timedelta(microseconds=1) if self.start and self.start > now else now
        return self._within(expressions.after(self.expression, begin, self.zone))

    def then(self, due):
        """When it is due after that; nothing when that was the last time."""
        if expressions.once(self.expression):
            return None
        return self._within(expressions.after(self.expression, due, self.zone))

    def _first_of_rate(self, now):
        if not self.at_once:
            return expressions.after(self.expression, now, self.zone)
        if self.start is None or self.start >= now:
            return self.start or now
        step = expressions.after(self.expression, now, self.zone) - now
        # A timedelta is divided downwards, so this is the first step that is not in the past.
        return self.start - (self.start - now) // step * step

    def _within(self, due):
        return None if due is None or (self.end and due > self.end) else due


class Clockwork:
    """What is due when."""

    def __init__(self):
        self.pushed, self.lock = 0.0, threading.RLock()
        # By key: what is armed, and when it is due; nothing when it has fired for the last time.
        self.armed, self.due = {}, {}
        # Who else arms: each gives what it has armed.
        self.sources = [_rules]
        # What was taken away so shortly before its moment that it fires all the same, and how shortly that is.
        self.late, self.late_seconds = [], 0.0

    def now(self):
        return datetime.datetime.fromtimestamp(time.time() + self.pushed, expressions.UTC)

    def push(self, seconds):
        """Moves the clock forward and fires what is due by then."""
        fired = self.tick()
        with self.lock:
            self.pushed += seconds
        return fired + self.tick()

    def wait(self, seconds):
        """Waits so long by this clock; says whether the server ends meanwhile."""
        until = self.now() + datetime.timedelta(seconds=seconds)
        while self.now() < until:
            if stopping.wait(TICK_SECONDS):
                return True
        return False

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
            for source in self.sources:
                for armed in source():
                    seen.add(armed.key)
                    if armed.key not in self.due:
                        self.armed[armed.key], self.due[armed.key] = armed, armed.first(now)
            for gone in set(self.due) - seen:
                self._gone(self.armed.pop(gone), self.due.pop(gone), now)
            for key, armed in self.armed.items():
                for _ in range(CATCH_UP):
                    due = self.due[key]
                    if due is None or due > now:
                        break
                    self.due[key] = armed.then(due)
                    armed.fire(due, self.due[key] is None)
                    fired += 1
            for armed, due in [each for each in self.late if each[1] <= now]:
                self.late.remove((armed, due))
                armed.fire(due, True)
                fired += 1
            return fired

    def _gone(self, armed, due, now):
        """What was deleted or changed; close to its moment it may fire as it was."""
        if due and (due - now).total_seconds() <= self.late_seconds:
            self.late.append((armed, due))


def _rules():
    for bus in list(events_backends[ACCOUNT][REGION].event_buses.values()):
        for rule in list(bus.rules.values()):
            if rule.scheduled_expression and not rule.state.startswith("DISABLED"):
                key = (rule.arn, rule.scheduled_expression)
                yield Armed(key, rule.scheduled_expression, "UTC", _rule(rule))


def _rule(rule):
    def fire(due, _):
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
        triggered(rule)
        for target in rule.targets:
            deliver(order(rule, target, event))

    return fire


clock = Clockwork()
