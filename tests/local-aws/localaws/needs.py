"""What a call needs: each action, the resource that it is about, and the condition keys that AWS gives with it.

The calls that our functions and scheduled undos make, as the Service Authorization Reference has them.
"""

import json
import re
import urllib.parse

from moto.ec2 import models as ec2
from moto.kms.models import kms_backends
from moto.sns.models import sns_backends
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from . import ACCOUNT, REGION

# Calls that AWS does not narrow to a resource, and whose conditions we do not use.
PLAIN = {
    "autoscaling:DescribeAutoScalingGroups": None,
    "ec2:DescribeInstances": None,
    "ec2:DescribeInstanceStatus": None,
    "ec2:DescribeNetworkAcls": None,
    "ec2:DescribeNetworkInterfaces": None,
    "ec2:DescribeSubnets": None,
    "ec2:DescribeVpcEndpoints": None,
    "monitoring:DescribeAlarms": "cloudwatch:DescribeAlarms",
    "monitoring:GetMetricData": "cloudwatch:GetMetricData",
    "ssm:GetCommandInvocation": None,
    "ssm:ListCommandInvocations": None,
}
# What one part of a transaction, or a call on one item, is called in policies.
TRANSACTED = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
ITEMS = ("GetItem", "PutItem", "UpdateItem", "DeleteItem")
KEY = re.compile(r"(?:#?pk|#?id|#?open)\s*=\s*(:\w+)")


class Unknown(ValueError):
    """A call whose needs are not known here."""


def needs(operation, environ, body):
    """The (action, resource, context) that all must be allowed for this call."""
    if operation in PLAIN:
        return [(PLAIN[operation] or operation, "*", {})]
    service, _, action = operation.partition(":")
    of = {"dynamodb": _dynamodb, "ec2": _ec2, "ssm": _ssm, "scheduler": _scheduler, "sns": _sns, "s3": _s3}.get(service)
    if service == "states" and action in ("SendTaskSuccess", "SendTaskFailure"):
        return _states(action)
    if of is None:
        raise Unknown(operation)
    return of(action, environ, body)


def arn(service, resource, region=REGION, account=ACCOUNT):
    return f"arn:aws:{service}:{region}:{account}:{resource}"


def _dynamodb(action, _, body):
    asked = json.loads(body)
    table = arn("dynamodb", f"table/{asked.get('TableName')}")
    if action in ITEMS:
        return [(f"dynamodb:{action}", table, _leading(asked.get("Key") or asked.get("Item")))]
    if action == "Query":
        index = asked.get("IndexName")
        key = KEY.search(asked["KeyConditionExpression"])
        value = asked["ExpressionAttributeValues"][key[1]] if key else {}
        return [("dynamodb:Query", f"{table}/index/{index}" if index else table, _leading({"pk": value}))]
    if action == "BatchGetItem":
        return [
            ("dynamodb:BatchGetItem", arn("dynamodb", f"table/{name}"), _leading(key))
            for name, keys in asked["RequestItems"].items()
            for key in keys["Keys"]
        ]
    if action == "TransactWriteItems":
        parts = [next(iter(part.items())) for part in asked["TransactItems"]]
        return [
            (
                f"dynamodb:{TRANSACTED[kind]}",
                arn("dynamodb", f"table/{part['TableName']}"),
                _leading(part.get("Key") or part.get("Item")),
            )
            for kind, part in parts
        ]
    raise Unknown(f"dynamodb:{action}")


def _leading(key):
    """The partition key, whatever it is called in the tables of the template."""
    value = (key or {}).get("pk") or (key or {}).get("id") or {}
    return {"dynamodb:LeadingKeys": list(value.values())[:1]} if value else {}


def _form(body):
    return {name: values[0] for name, values in urllib.parse.parse_qs(body.decode(), keep_blank_values=True).items()}


def _numbered(form, name):
    return [value for key, value in sorted(form.items()) if re.fullmatch(rf"{name}\.\d+", key)]


def _ec2(action, _, body):
    form, backend = _form(body), ec2.ec2_backends[ACCOUNT][REGION]
    if action in ("StopInstances", "StartInstances", "RebootInstances", "TerminateInstances"):
        known = {one.id: one for one in backend.all_instances()}
        return [_on(action, "instance", one, known.get(one)) for one in _numbered(form, "InstanceId")]
    if action == "CreateNetworkAcl":
        tags = {
            f"aws:RequestTag/{form[key]}": [form.get(key.removesuffix("Key") + "Value", "")]
            for key in form
            if re.fullmatch(r"TagSpecification\.\d+\.Tag\.\d+\.Key", key)
        }
        vpc = form["VpcId"]
        made = arn("ec2", "network-acl/*")
        tagged = [("ec2:CreateTags", made, {"ec2:CreateAction": ["CreateNetworkAcl"], **tags})] if tags else []
        return [(f"ec2:{action}", made, tags), _on(action, "vpc", vpc, backend.vpcs.get(vpc)), *tagged]
    acl = form.get("NetworkAclId")
    on_acl = _on(action, "network-acl", acl, backend.network_acls.get(acl))
    if action in ("CreateNetworkAclEntry", "DeleteNetworkAclEntry", "DeleteNetworkAcl"):
        return [on_acl]
    if action == "ReplaceNetworkAclAssociation":
        subnet = next((one for one in _associations(backend) if one.id == form["AssociationId"]), None)
        name = subnet.subnet_id if subnet else "*"
        found = next((one for one in backend.describe_subnets() if one.id == name), None)
        return [on_acl, _on(action, "subnet", name, found)]
    raise Unknown(f"ec2:{action}")


def _associations(backend):
    return [one for acl in list(backend.network_acls.values()) for one in acl.associations]


def _on(action, kind, name, found):
    """An action of EC2 on one resource, with its tags when it is there."""
    tags = {f"aws:ResourceTag/{tag}": [value] for tag, value in _tags(found)}
    return f"ec2:{action}", arn("ec2", f"{kind}/{name}"), tags


def _tags(found):
    return [(tag["key"], tag["value"]) for tag in found.get_tags()] if found else []


def _ssm(action, _, body):
    if action != "SendCommand":
        raise Unknown(f"ssm:{action}")
    asked = json.loads(body)
    known = {one.id: one for one in ec2.ec2_backends[ACCOUNT][REGION].all_instances()}
    found = [("ssm:SendCommand", arn("ssm", f"document/{asked['DocumentName']}"), {})]
    for name in asked["InstanceIds"]:
        tags = _tags(known.get(name))
        context = {f"{key}/{tag}": [value] for tag, value in tags for key in ("ssm:resourceTag", "aws:ResourceTag")}
        found.append(("ssm:SendCommand", arn("ec2", f"instance/{name}"), context))
    return found


def _scheduler(action, environ, body):
    path = urllib.parse.unquote(environ["PATH_INFO"]).strip("/").split("/")
    query = urllib.parse.parse_qs(environ.get("QUERY_STRING", ""))
    verb = action.partition(" ")[0]
    if path == ["schedules"] and verb == "GET":
        return [("scheduler:ListSchedules", arn("scheduler", "schedule/*/*"), {})]
    if len(path) != 2 or path[0] != "schedules":
        raise Unknown(f"scheduler:{action}")
    asked = json.loads(body) if body else {}
    group = asked.get("GroupName") or query.get("groupName", ["default"])[0]
    name = {"POST": "CreateSchedule", "PUT": "UpdateSchedule", "GET": "GetSchedule", "DELETE": "DeleteSchedule"}[verb]
    found = [(f"scheduler:{name}", arn("scheduler", f"schedule/{group}/{path[1]}"), {})]
    if "Target" in asked:
        passed = {"iam:PassedToService": ["scheduler.amazonaws.com"]}
        found.append(("iam:PassRole", asked["Target"]["RoleArn"], passed))
    return found


def _sns(action, _, body):
    if action != "Publish":
        raise Unknown(f"sns:{action}")
    asked = json.loads(body) if body.startswith(b"{") else _form(body)
    topic = sns_backends[ACCOUNT][REGION].topics.get(asked["TopicArn"])
    found = [("sns:Publish", asked["TopicArn"], {})]
    key = topic.kms_master_key_id if topic else None
    if key:
        whole = kms_backends[ACCOUNT][REGION].keys.get(str(key).rpartition("/")[2])
        # A key of AWS's own is not asked.
        found += [(f"kms:{one}", whole.arn, {}) for one in ("GenerateDataKey", "Decrypt")] if whole else []
    return found


def _s3(action, environ, _):
    if not action.startswith("PUT "):
        raise Unknown(f"s3:{action}")
    return [("s3:PutObject", f"arn:aws:s3:::{urllib.parse.unquote(environ['PATH_INFO']).strip('/')}", {})]


def _states(action):
    """Only the machine knows for which of its tasks a token stands; ours has one that waits."""
    machines = stepfunctions_parser_backends[ACCOUNT][REGION].state_machines
    waiting = [one.arn for one in machines if "waitForTaskToken" in str(one.definition)]
    return [(f"states:{action}", one, {}) for one in waiting]
