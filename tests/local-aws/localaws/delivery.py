"""Delivery of events to targets: Lambda, Step Functions, SNS, SQS, event buses, and any call by a universal target.

Each order goes on its own way, with retries and a dead-letter queue; a target that does not exist is not tried again.
`rules` and `clockwork` give orders; every call goes through this AWS's own door.
"""

import json
import time
import uuid
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from . import background, client, principals, stopping, universal

# What a universal target's call may be refused with and still be tried again.
BUSY = ("Throttl", "TooManyRequests", "RequestLimitExceeded", "SlowDown", "ServiceUnavailable")
# Words that say: trying again will not help.
HOPELESS = (
    "NotFound",
    "NonExistent",
    "DoesNotExist",
    "NoSuch",
    "AccessDenied",
    "Validation",
    "Invalid",
    "Malformed",
)
# In a text that Scheduler sends, this becomes the number of the attempt.
ATTEMPT = "<aws.scheduler.attempt-number>"


@dataclass
class Order:
    """Something to be delivered. `attributes` go along into the dead-letter queue.

    It is tried again until it is `seconds` old, as `age` says. `wait` waits, and says whether the server ends meanwhile;
    `told` hears how many attempts there were, and the error that was the last word.
    """

    target: str
    text: str
    retries: int
    dead_letters: str | None = None
    attributes: dict = field(default_factory=dict)
    message_group: str | None = None
    done: object = None
    told: object = None
    seconds: float = 86400
    age: object = None
    wait: object = stopping.wait
    # The role that a universal target's call is made with.
    role: str | None = None
    # The service that sends without a role, and the ARN of the rule or alarm on whose behalf it does.
    service: str | None = None
    source: str | None = None


def deliver(order):
    """Starts an order on its way."""
    background(_carry, order)


def _carry(order):
    began = time.monotonic()
    age = order.age or (lambda: time.monotonic() - began)
    for attempt in range(order.retries + 1):
        try:
            principals.let_in(order.service, order.source, order.target)
            send(order.target, order.text.replace(ATTEMPT, str(attempt + 1)), order.message_group, order.role)
            error = None
            break
        except (ClientError, BotoCoreError, ValueError) as refusal:
            error, pause = refusal, min(2**attempt, 60)
            exhausted = _exhausted(order, attempt, age() + pause)
            if exhausted or _hopeless(order, error):
                print(f"delivery: {order.target} was not reached: {error}", flush=True)
                _bury(order, error, attempt, None if _hopeless(order, error) else exhausted)
                break
            if order.wait(pause):
                return
    if order.told:
        order.told(attempt + 1, error and _code(error), error and str(error))
    if order.done:
        order.done()


def _exhausted(order, attempt, age):
    """Which part of the retry policy says that this was the last attempt."""
    if attempt == order.retries:
        return "MaximumRetryAttempts"
    return "MaximumEventAgeInSeconds" if age > order.seconds else None


def _hopeless(order, error):
    """Whether trying again will not help. A universal target's call was refused by its service, and would be again."""
    if ":aws-sdk:" in order.target and isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
        return status < 500 and not any(word in _code(error) for word in BUSY)
    return isinstance(error, ValueError) or any(word in _code(error) for word in HOPELESS)


def _code(error):
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"]
    return getattr(error, "code", type(error).__name__)


def _bury(order, refusal, retried, exhausted):
    if not order.dead_letters:
        return
    said = {
        **order.attributes,
        "TARGET_ARN": order.target,
        "ERROR_CODE": _code(refusal),
        "ERROR_MESSAGE": str(refusal)[:1000],
        "RETRY_ATTEMPTS": str(retried),
    }
    if exhausted:
        said["EXHAUSTED_RETRY_CONDITION"] = exhausted
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in said.items()}
    try:
        principals.let_in(order.service, order.source, order.dead_letters)
    except principals.NotPermitted:
        # Said where it was refused. The event is lost.
        return
    send_message(order.dead_letters, order.text, attributes=attributes)


def send_message(arn, text, group=None, attributes=None):
    """To a queue by its ARN."""
    queue = client("sqs").get_queue_url(QueueName=arn.split(":")[5])["QueueUrl"]
    extra = {"MessageGroupId": group} if group else {}
    client("sqs").send_message(QueueUrl=queue, MessageBody=text, MessageAttributes=attributes or {}, **extra)


def send(arn, text, group=None, role=None):
    """One attempt, now."""
    service = arn.split(":")[2]
    if service == "lambda":
        client("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=text.encode())
    elif service == "states":
        client("stepfunctions").start_execution(stateMachineArn=arn, input=text, name=str(uuid.uuid4()))
    elif service == "sns":
        client("sns").publish(TopicArn=arn, Message=text)
    elif service == "sqs":
        send_message(arn, text, group)
    elif service == "events":
        entry = json.loads(text)
        client("events").put_events(Entries=[entry | {"EventBusName": arn.split("/")[-1]}])
    elif service == "scheduler" and ":aws-sdk:" in arn:
        universal.call(arn, text, role)
    else:
        raise ValueError(f"this AWS delivers nothing to {arn}")
