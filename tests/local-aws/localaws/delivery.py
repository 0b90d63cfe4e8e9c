"""Delivery of events to targets: Lambda, Step Functions, SNS, SQS, event buses, and any call by a universal target.

Each order goes on its own way, with retries and a dead-letter queue; a target that does not exist is not tried again.
`rules` and `clockwork` give orders; every call goes through this AWS's own door.
"""

import json
import uuid
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from . import background, client, stopping

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
    "ValueError",
)


@dataclass
class Order:
    """Something to be delivered. `attributes` go along into the dead-letter queue."""

    target: str
    text: str
    retries: int
    dead_letters: str | None = None
    attributes: dict = field(default_factory=dict)
    message_group: str | None = None
    done: object = None


def deliver(order):
    """Starts an order on its way."""
    background(_carry, order)


def _carry(order):
    for attempt in range(order.retries + 1):
        try:
            send(order.target, order.text, order.message_group)
            break
        except (ClientError, BotoCoreError, ValueError) as error:
            last = attempt == order.retries or any(word in _code(error) for word in HOPELESS)
            if last:
                print(f"delivery: {order.target} was not reached: {error}", flush=True)
                _bury(order, error, attempt)
                break
            if stopping.wait(min(2**attempt, 60)):
                return
    if order.done:
        order.done()


def _code(error):
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__


def _bury(order, refusal, retried):
    if not order.dead_letters:
        return
    said = {
        **order.attributes,
        "TARGET_ARN": order.target,
        "ERROR_CODE": _code(refusal),
        "ERROR_MESSAGE": str(refusal)[:1000],
        "RETRY_ATTEMPTS": str(retried),
    }
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in said.items()}
    send_message(order.dead_letters, order.text, attributes=attributes)


def send_message(arn, text, group=None, attributes=None):
    """To a queue by its ARN."""
    queue = client("sqs").get_queue_url(QueueName=arn.split(":")[5])["QueueUrl"]
    extra = {"MessageGroupId": group} if group else {}
    client("sqs").send_message(QueueUrl=queue, MessageBody=text, MessageAttributes=attributes or {}, **extra)


def send(arn, text, group=None):
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
        _universal(arn, text)
    else:
        raise ValueError(f"this AWS delivers nothing to {arn}")


def _universal(arn, text):
    """`arn:aws:scheduler:::aws-sdk:SERVICE:apiAction`; the text holds the parameters in the API reference's spelling."""
    service, action = arn.split(":")[-2:]
    target = client({"sfn": "stepfunctions"}.get(service, service))
    operation = next(
        (name for name in target.meta.service_model.operation_names if name.lower() == action.lower()), None
    )
    if operation is None:
        raise ValueError(f"{service} has no action {action}")
    shape = target.meta.service_model.operation_model(operation).input_shape
    members = {name.lower(): name for name in shape.members} if shape else {}
    given = {members.get(name.lower(), name): value for name, value in json.loads(text or "{}").items()}
    method = next(name for name, api in target.meta.method_to_api_mapping.items() if api == operation)
    getattr(target, method)(**given)
