"""Alarms that evaluate: static thresholds, M out of N, missing data as asked; composite alarms; what they do on change.

A changed state calls the alarm's actions (SNS, Lambda) and is an event. A new alarm has INSUFFICIENT_DATA.
Evaluated every 60 seconds, or 10 where the period is shorter, as CloudWatch does, and when `evaluate()` is called.
"""

import datetime
import json
import re
import time

from moto.cloudwatch import models
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import EmptyResult

from . import ACCOUNT, REGION, background, client, metrics, observed, principals, stopping
from .delivery import Order, deliver

COMPARE = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
COMPOSITE = re.compile(r"\s*(ALARM|OK|INSUFFICIENT_DATA|AND|OR|NOT|TRUE|FALSE|\(|\)|\"[^\"]*\"|'[^']*'|[^\s()\"']+)")


def install():
    """From now on alarms begin without data, and composite ones can be put."""
    initialise = models.Alarm.__init__
    update = models.Alarm.update_state

    def created(alarm, *rest, **given):
        initialise(alarm, *rest, **given)
        alarm.state_value = "INSUFFICIENT_DATA"

    def updated(alarm, reason, reason_data, state_value):
        before = alarm.state_value
        update(alarm, reason, reason_data or "{}", state_value)
        if before != state_value:
            _changed(alarm, before)

    def put_composite_alarm(self):
        get = self._get_param
        self.cloudwatch_backend.put_metric_alarm(
            name=get("AlarmName"),
            namespace=None,
            metric_name=None,
            comparison_operator=None,
            evaluation_periods=None,
            period=None,
            threshold=None,
            statistic=None,
            description=get("AlarmDescription"),
            dimensions=[],
            alarm_actions=get("AlarmActions", []),
            ok_actions=get("OKActions", []),
            insufficient_data_actions=get("InsufficientDataActions", []),
            actions_enabled=self._get_bool_param("ActionsEnabled"),
            rule=get("AlarmRule"),
            tags=get("Tags", []),
        )
        return EmptyResult()

    models.Alarm.__init__ = created
    models.Alarm.update_state = updated
    CloudWatchResponse.put_composite_alarm = put_composite_alarm


def run():
    """Evaluates every alarm in its time."""
    due = {}
    while not stopping.wait(1):
        backend, now = models.cloudwatch_backends[ACCOUNT][REGION], time.monotonic()
        try:
            ready = [alarm for alarm in list(backend.alarms.values()) if due.get(id(alarm), 0) <= now]
            for alarm in ready:
                due[id(alarm)] = now + (10 if alarm.rule or periods_of(alarm) < 60 else 60)
            if ready:
                evaluate(ready)
        except Exception as error:  # One alarm must not end all of them.
            print(f"alarms: {error!r}", flush=True)


def evaluate(alarms=None):
    """Evaluates alarms now; gives every state."""
    backend = models.cloudwatch_backends[ACCOUNT][REGION]
    alarms = list(backend.alarms.values()) if alarms is None else alarms
    observed.queues()
    for alarm in sorted(alarms, key=lambda alarm: alarm.rule is not None):
        if alarm.rule is not None:
            state, reason = composite(backend, alarm.rule), f"The rule is {alarm.rule}"
        else:
            state, reason = judge(backend, alarm)
        if state != alarm.state_value:
            alarm.update_state(reason, "{}", state)
    return {alarm.name: alarm.state_value for alarm in backend.alarms.values()}


def periods_of(alarm):
    if alarm.metric_data_queries:
        return min(
            [int(query.metric_stat.period) for query in alarm.metric_data_queries if query.metric_stat], default=60
        )
    return int(alarm.period or 60)


def judge(backend, alarm):
    """The state by the last periods that are over, and why."""
    period, wanted = periods_of(alarm), int(alarm.evaluation_periods)
    end = metrics.aligned(datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None), period)
    start = end - datetime.timedelta(seconds=period * wanted)
    series = metrics.answers(backend, _queries(alarm), start, end)[_judged(alarm)]
    moments = metrics.periods(start, end, period)
    points = [series.get(moment) for moment in moments]
    breaches = COMPARE[alarm.comparison_operator]
    return judged(
        [None if point is None else breaches(point, float(alarm.threshold)) for point in points],
        int(alarm.datapoints_to_alarm or wanted),
        alarm.treat_missing_data or "missing",
        alarm.state_value,
        f"{points} against {alarm.threshold}",
    )


def judged(points, needed, missing, before, what=""):
    """M out of N: each point breaches, does not, or is missing."""
    filled = {"breaching": True, "notBreaching": False}.get(missing)
    known = [filled if point is None else point for point in points]
    present = [point for point in known if point is not None]
    if not present:
        state = before if missing == "ignore" else "INSUFFICIENT_DATA"
        return state, f"Insufficient Data: {what}"
    if sum(present) >= needed:
        return "ALARM", f"Threshold Crossed: {sum(present)} of {len(points)} datapoints: {what}"
    if missing == "ignore" and sum(present) + known.count(None) >= needed:
        return before, f"Not enough datapoints to change: {what}"
    return "OK", f"Threshold not crossed: {sum(present)} of {len(points)} datapoints, {needed} needed: {what}"


def _queries(alarm):
    if not alarm.metric_data_queries:
        dimensions = [{"Name": each.name, "Value": each.value} for each in alarm.dimensions]
        metric = {"Namespace": alarm.namespace, "MetricName": alarm.metric_name, "Dimensions": dimensions}
        statistic = alarm.statistic or alarm.extended_statistic
        stat = {"Metric": metric, "Stat": statistic, "Period": alarm.period, "Unit": alarm.unit}
        return [{"Id": "m", "MetricStat": stat}]
    queries = []
    for query in alarm.metric_data_queries:
        if query.expression:
            queries.append({"Id": query.id, "Expression": query.expression})
            continue
        stat = query.metric_stat
        dimensions = [{"Name": each.name, "Value": each.value} for each in stat.metric.dimensions]
        metric = {"Namespace": stat.metric.namespace, "MetricName": stat.metric.metric_name, "Dimensions": dimensions}
        queries.append(
            {
                "Id": query.id,
                "MetricStat": {"Metric": metric, "Stat": stat.stat, "Period": stat.period, "Unit": stat.unit},
            }
        )
    return queries


def _judged(alarm):
    """The query whose series is compared: the one that returns data."""
    if not alarm.metric_data_queries:
        return "m"
    returns = [query.id for query in alarm.metric_data_queries if str(query.return_data).lower() != "false"]
    return returns[-1]


def composite(backend, rule):
    """ALARM or OK, by the states of the others."""
    tokens = COMPOSITE.findall(rule)
    states = {name: alarm.state_value for alarm in backend.alarms.values() for name in (alarm.name, alarm.alarm_arn)}

    def atom():
        token = tokens.pop(0)
        if token == "NOT":
            return not atom()
        if token in ("TRUE", "FALSE"):
            return token == "TRUE"
        if token == "(":
            value = either()
            tokens.pop(0)
            return value
        tokens.pop(0)
        name = tokens.pop(0).strip("\"'")
        tokens.pop(0)
        return states.get(name) == token

    def both():
        value = atom()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            value = atom() and value
        return value

    def either():
        value = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            value = both() or value
        return value

    return "ALARM" if either() else "OK"


def _changed(alarm, before):
    now = alarm.state_updated_timestamp.replace(tzinfo=datetime.timezone.utc)
    told = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AlarmArn": alarm.alarm_arn,
        "AWSAccountId": ACCOUNT,
        "Region": REGION,
        "NewStateValue": alarm.state_value,
        "OldStateValue": before,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": now.isoformat(timespec="milliseconds"),
    }
    event = {
        "alarmName": alarm.name,
        "state": {"value": alarm.state_value, "reason": alarm.state_reason, "timestamp": told["StateChangeTime"]},
        "previousState": {"value": before},
        "configuration": {"description": alarm.description},
    }
    actions = {"ALARM": alarm.alarm_actions, "OK": alarm.ok_actions}.get(
        alarm.state_value, alarm.insufficient_data_actions
    )
    if alarm.actions_enabled:
        for action in actions or []:
            service = {"sns": principals.ALARMS, "lambda": principals.ALARMS_TO_FUNCTIONS}.get(action.split(":")[2])
            if service:
                whose = {"service": service, "source": alarm.alarm_arn}
                deliver(Order(target=action, text=json.dumps(told), retries=2, **whose))
    entry = {"Source": "aws.cloudwatch", "DetailType": "CloudWatch Alarm State Change", "Detail": json.dumps(event)}
    background(
        lambda: client("events").put_events(Entries=[entry | {"Resources": [alarm.alarm_arn]}]), name="alarm-event"
    )
