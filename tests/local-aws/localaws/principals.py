"""What services may do: the policies of topics, keys, queues and functions, where `authorization` is enforced.

A rule and an alarm have no role: the resource that they reach must let them in, and a topic's key must, too.
`delivery` asks before it sends.
"""

import json

from moto.awslambda.models import lambda_backends
from moto.kms.models import kms_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from . import ACCOUNT, REGION, policies
from .authorization import authorization

RULES = "events.amazonaws.com"
# An alarm comes as one service to a topic, and as another to a function.
ALARMS, ALARMS_TO_FUNCTIONS = "cloudwatch.amazonaws.com", "lambda.alarms.cloudwatch.amazonaws.com"
# The condition keys that a service sends along. To topics and to their keys EventBridge sends none, so that a policy with
# a condition on the source lets no rule in: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
SAID = {
    (RULES, "sqs"): ("aws:SourceArn",),
    (RULES, "lambda"): ("aws:SourceArn", "aws:SourceAccount"),
    (ALARMS, "sns"): ("aws:SourceArn", "aws:SourceAccount"),
    (ALARMS, "kms"): ("aws:SourceArn", "aws:SourceAccount"),
    (ALARMS_TO_FUNCTIONS, "lambda"): ("aws:SourceArn", "aws:SourceAccount"),
}
ACTIONS = {"sns": "sns:Publish", "sqs": "sqs:SendMessage", "lambda": "lambda:InvokeFunction"}


class NotPermitted(ValueError):
    """A resource that does not let a service in. It is not tried again."""

    code = "NO_PERMISSIONS"


def let_in(service, source, target):
    """Returns when `service`, on behalf of `source`, may send to `target`; raises what it may not."""
    kind = target.split(":")[2]
    if not authorization.enforced or service is None or kind not in ACTIONS:
        return
    for resource, action, document in _asked(kind, target):
        if not _allows(document, service, source, action, resource):
            authorization.refused.append({"role": service, "action": action, "resource": resource})
            print(f"principals: {service} may not {action} on {resource}", flush=True)
            raise NotPermitted(f"{service} is not authorized to perform: {action} on resource: {resource}")


def _asked(kind, target):
    """Each resource that is asked, for which action, and its policy."""
    if kind == "sns":
        topic = sns_backends[ACCOUNT][REGION].topics.get(target)
        if topic is None:
            return []
        key = kms_backends[ACCOUNT][REGION].keys.get(str(topic.kms_master_key_id or "").rpartition("/")[2])
        of_key = [(key.arn, action, key.policy) for action in ("kms:GenerateDataKey", "kms:Decrypt")] if key else []
        return [(target, ACTIONS[kind], topic.policy), *of_key]
    name = target.split(":")[5 if kind == "sqs" else 6]
    if kind == "sqs":
        queue = sqs_backends[ACCOUNT][REGION].queues.get(name)
        return [(target, ACTIONS[kind], queue.policy)] if queue else []
    function = lambda_backends[ACCOUNT][REGION].get_function(name)
    return [(target, ACTIONS[kind], {"Statement": function.policy.statements})]


def _allows(document, service, source, action, resource):
    read = json.loads(document) if isinstance(document, str) else document or {"Statement": []}
    mine = [_plain(one) for one in read["Statement"] if _names(one.get("Principal"), service)]
    known = {"aws:SourceArn": [source], "aws:SourceAccount": [ACCOUNT]}
    said = SAID.get((service, action.partition(":")[0]), ())
    context = {"aws:SecureTransport": ["true"], **{key: known[key] for key in said}}
    return policies.decides(mine, action, resource, context)


def _names(principal, service):
    if principal == "*" or principal is None:
        return principal == "*"
    return service in policies.listed(principal.get("Service", [])) or "*" in policies.listed(principal.get("AWS", []))


def _plain(statement):
    """Without the principal, and with the global keys as everybody but Lambda and SNS spells them."""
    conditions = {
        operator: {key.replace("AWS:", "aws:"): value for key, value in keys.items()}
        for operator, keys in (statement.get("Condition") or {}).items()
    }
    return {key: value for key, value in statement.items() if key != "Principal"} | {"Condition": conditions}
