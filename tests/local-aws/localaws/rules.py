"""EventBridge rules: targets that moto refuses, with inputs made as EventBridge makes them.

Events reach Lambda, Step Functions, SNS and SQS by `delivery`; moto keeps its own targets (logs, archives, buses).
Replaces `Rule.send_to_targets`; rules with a schedule are fired by `clockwork`.
"""

import datetime
import json
import re

from moto.events import models

from . import observed, principals
from .delivery import Order, deliver

OURS = ("lambda", "states", "sns", "sqs")
# EventBridge's default for a target without a retry policy.
RETRIES = 185
VARIABLE = re.compile(r"<([A-Za-z0-9_.-]+)>")


def install():
    """From now on rules reach these targets."""
    theirs = models.Rule.send_to_targets

    def send_to_targets(rule, event, transform_input=True):
        # A rule with a schedule and no pattern matches no event; moto would let it match all of them.
        if (
            rule.state.startswith("DISABLED")
            or not rule.event_pattern.dump()
            or not rule.event_pattern.matches_event(event)
        ):
            return
        triggered(rule)
        every = rule.targets
        ours = [target for target in every if target["Arn"].split(":")[2] in OURS]
        if len(ours) < len(every):
            rule.targets = [target for target in every if target not in ours]
            try:
                theirs(rule, event, transform_input)
            finally:
                rule.targets = every
        for target in ours:
            deliver(order(rule, target, event))

    models.Rule.send_to_targets = send_to_targets


def triggered(rule):
    """Counts, as EventBridge does, that a rule's pattern or schedule was met."""
    observed.count("AWS/Events", "TriggeredRules", {"RuleName": rule.name})


def order(rule, target, event):
    """What a target of a rule is sent for an event."""
    policy = target.get("RetryPolicy") or {}

    def told(_, code, __):
        outcome = "FailedInvocations" if code else "Invocations"
        observed.count("AWS/Events", outcome, {"RuleName": rule.name})

    return Order(
        target=target["Arn"],
        text=made(rule, target, published(event)),
        retries=policy.get("MaximumRetryAttempts", RETRIES),
        dead_letters=(target.get("DeadLetterConfig") or {}).get("Arn"),
        attributes={"RULE_ARN": rule.arn},
        told=told,
        service=principals.RULES,
        source=rule.arn,
        message_group=(target.get("SqsParameters") or {}).get("MessageGroupId"),
    )


def published(event):
    """The event as targets see it: without moto's own field, and with the time as text."""
    seen = {name: value for name, value in event.items() if name != "ingestion-time"}
    if not isinstance(seen.get("time"), str):
        at = datetime.datetime.fromtimestamp(float(seen["time"]), datetime.timezone.utc)
        seen["time"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return seen


def made(rule, target, event):
    """The input: fixed, a part of the event, a filled template, or the event."""
    if target.get("Input") is not None:
        return target["Input"]
    if target.get("InputPath"):
        return json.dumps(at_path(event, target["InputPath"]))
    if target.get("InputTransformer"):
        return filled(rule, target["InputTransformer"], event)
    return json.dumps(event)


def at_path(event, path):
    """`$.detail.name`, and `$` itself; what is not there is null."""
    from jsonpath_ng import parse

    found = parse(re.sub(r"\.([A-Za-z0-9_]*-[A-Za-z0-9_-]*)", r"['\1']", path)).find(event)
    return found[0].value if found else None


def filled(rule, transformer, event):
    """A template with its variables. One between quotes becomes text there, one that stands alone becomes JSON."""
    values = {name: at_path(event, path) for name, path in (transformer.get("InputPathsMap") or {}).items()}
    values |= {
        "aws.events.rule-arn": rule.arn,
        "aws.events.rule-name": rule.name,
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event.json": event,
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
    }
    template, text, quoted, position = transformer["InputTemplate"], [], False, 0
    while position < len(template):
        here = template[position]
        variable = VARIABLE.match(template, position)
        if variable and variable.group(1) in values:
            value = values[variable.group(1)]
            written = value if isinstance(value, str) else json.dumps(value)
            text.append(json.dumps(written)[1:-1] if quoted else json.dumps(value))
            position = variable.end()
            continue
        if here == "\\":
            text.append(template[position : position + 2])
            position += 2
            continue
        quoted ^= here == '"'
        text.append(here)
        position += 1
    return "".join(text)
