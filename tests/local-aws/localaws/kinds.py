"""Kinds of CloudFormation that moto passes over: alarms, schedules, subscriptions, policies of queues and topics, TTL.

Each is created, replaced and deleted with its stack, through the backend of its own service, with resolved properties.
`install()` must run before moto's CloudFormation has listed the kinds that it knows.
"""

import json

from moto.core.common_models import CloudFormationModel
from moto.iam.models import Role, iam_backends
from moto.sqs.models import Queue
from moto.utilities.utils import get_partition

from . import client, endpoint


class Kind:
    """What every kind has in common: its name comes from a property or is generated."""

    TYPE, NAME = "", "Name"

    def __init__(self, name, properties, physical=None, attributes=None):
        self.name, self.properties = name, properties
        self._physical, self._attributes = physical or name, attributes or {}

    @property
    def physical_resource_id(self):
        return self._physical

    @classmethod
    def cloudformation_name_type(cls):
        return cls.NAME

    @classmethod
    def cloudformation_type(cls):
        return cls.TYPE

    @classmethod
    def has_cfn_attr(cls, attr):
        return attr in ("Arn", "Name")

    def get_cfn_attribute(self, attribute_name):
        return self._attributes[attribute_name]

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **_):
        return cls.made(resource_name, typed(cloudformation_json.get("Properties", {})))

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name, **_
    ):
        original_resource.removed()
        return cls.made(original_resource.name, typed(cloudformation_json.get("Properties", {})))

    @classmethod
    def delete_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **_):
        cls(resource_name, typed(cloudformation_json.get("Properties", {}))).removed()

    def delete(self, account_id=None, region=None):
        self.removed()


def typed(properties):
    """Properties as APIs want them: templates may write numbers and booleans as text."""
    if isinstance(properties, dict):
        return {name: NUMBERS[name](value) if name in NUMBERS else typed(value) for name, value in properties.items()}
    if isinstance(properties, list):
        return [typed(value) for value in properties]
    return properties


def truth(value):
    return value if isinstance(value, bool) else str(value).lower() == "true"


NUMBERS = {
    "Period": int,
    "EvaluationPeriods": int,
    "DatapointsToAlarm": int,
    "Threshold": float,
    "MaximumRetryAttempts": int,
    "MaximumEventAgeInSeconds": int,
    "MaximumWindowInMinutes": int,
    "ActionsEnabled": truth,
    "ReturnData": truth,
    "RawMessageDelivery": truth,
}


def pick(properties, *leave_out):
    return {name: value for name, value in properties.items() if name not in leave_out}


class Alarm(Kind, CloudFormationModel):
    TYPE, NAME = "AWS::CloudWatch::Alarm", "AlarmName"

    @classmethod
    def made(cls, name, properties):
        client("cloudwatch").put_metric_alarm(**pick(properties | {"AlarmName": name}))
        arn = client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["AlarmArn"]
        return cls(name, properties, attributes={"Arn": arn})

    def removed(self):
        client("cloudwatch").delete_alarms(AlarmNames=[self.name])


class CompositeAlarm(Kind, CloudFormationModel):
    TYPE, NAME = "AWS::CloudWatch::CompositeAlarm", "AlarmName"

    @classmethod
    def made(cls, name, properties):
        client("cloudwatch").put_composite_alarm(**pick(properties | {"AlarmName": name}))
        arn = client("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][
            0
        ]
        return cls(name, properties, attributes={"Arn": arn["AlarmArn"]})

    def removed(self):
        client("cloudwatch").delete_alarms(AlarmNames=[self.name])


class ScheduleGroup(Kind, CloudFormationModel):
    TYPE = "AWS::Scheduler::ScheduleGroup"

    @classmethod
    def made(cls, name, properties):
        arn = client("scheduler").create_schedule_group(Name=name)["ScheduleGroupArn"]
        return cls(name, properties, attributes={"Arn": arn})

    def removed(self):
        client("scheduler").delete_schedule_group(Name=self.name)


class Schedule(Kind, CloudFormationModel):
    TYPE = "AWS::Scheduler::Schedule"

    @classmethod
    def made(cls, name, properties):
        arn = client("scheduler").create_schedule(**pick(properties | {"Name": name}))["ScheduleArn"]
        return cls(name, properties, attributes={"Arn": arn})

    def removed(self):
        group = {"GroupName": self.properties["GroupName"]} if "GroupName" in self.properties else {}
        schedules = client("scheduler")
        try:
            schedules.delete_schedule(Name=self.name, **group)
        except schedules.exceptions.ResourceNotFoundException:
            # It went with its group, or after it had fired.
            pass


class Subscription(Kind, CloudFormationModel):
    TYPE, NAME = "AWS::SNS::Subscription", None

    @classmethod
    def made(cls, name, properties):
        attributes = {}
        for wanted in ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "DeliveryPolicy"):
            if wanted in properties:
                value = properties[wanted]
                attributes[wanted] = value if isinstance(value, str) else json.dumps(value)
        arn = client("sns").subscribe(
            TopicArn=properties["TopicArn"],
            Protocol=properties["Protocol"],
            Endpoint=properties["Endpoint"],
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        return cls(arn, properties, physical=arn)

    def removed(self):
        client("sns").unsubscribe(SubscriptionArn=self.name)


class EventInvokeConfig(Kind, CloudFormationModel):
    TYPE, NAME = "AWS::Lambda::EventInvokeConfig", None

    @classmethod
    def made(cls, name, properties):
        given = pick(properties, "Qualifier")
        client("lambda").put_function_event_invoke_config(**given)
        return cls(properties["FunctionName"], properties)

    def removed(self):
        client("lambda").delete_function_event_invoke_config(FunctionName=self.properties["FunctionName"])


class QueuePolicy(Kind, CloudFormationModel):
    TYPE, NAME = "AWS::SQS::QueuePolicy", None

    @classmethod
    def made(cls, name, properties):
        for queue in properties["Queues"]:
            client("sqs").set_queue_attributes(
                QueueUrl=queue, Attributes={"Policy": json.dumps(properties["PolicyDocument"])}
            )
        return cls(name, properties)

    def removed(self):
        pass


class TopicPolicy(Kind, CloudFormationModel):
    TYPE, NAME = "AWS::SNS::TopicPolicy", None

    @classmethod
    def made(cls, name, properties):
        for topic in properties["Topics"]:
            policy = json.dumps(properties["PolicyDocument"])
            client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
        return cls(name, properties)

    def removed(self):
        pass


def install():
    """Keeps what tables say of time to live and recovery; the classes above are found by being there."""
    from moto.dynamodb.models import table

    create = table.Table.create_from_cloudformation_json.__func__

    def created(cls, name, template, account_id, region_name, **kwargs):
        made = create(cls, name, template, account_id, region_name, **kwargs)
        properties = template["Properties"]
        if properties.get("TimeToLiveSpecification"):
            made.ttl["TimeToLiveStatus"] = (
                "ENABLED" if truth(properties["TimeToLiveSpecification"]["Enabled"]) else "DISABLED"
            )
            made.ttl["AttributeName"] = properties["TimeToLiveSpecification"]["AttributeName"]
        recovery = properties.get("PointInTimeRecoverySpecification", {})
        if truth(recovery.get("PointInTimeRecoveryEnabled", False)):
            client("dynamodb").update_continuous_backups(
                TableName=made.name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
            )
        return made

    table.Table.create_from_cloudformation_json = classmethod(created)
    # The URL of a stack's queue; moto's would lead to the real AWS.
    Queue.physical_resource_id = property(lambda queue: f"{endpoint()}/{queue.account_id}/{queue.name}")
    _attach_managed_policies()
    _read_json_as_json()
    _find_templates_by_address()


def _attach_managed_policies():
    """The managed policies of a role, which moto leaves out. Those of AWS itself are not there."""
    create, delete = Role.create_from_cloudformation_json.__func__, Role.delete_from_cloudformation_json.__func__

    def created(cls, name, template, account_id, region_name, **kwargs):
        role = create(cls, name, template, account_id, region_name, **kwargs)
        backend = iam_backends[account_id][role.partition]
        for arn in template["Properties"].get("ManagedPolicyArns", []):
            if arn in backend.managed_policies:
                backend.attach_role_policy(arn, role.name)
        return role

    def deleted(cls, name, template, account_id, region_name):
        role = iam_backends[account_id][get_partition(region_name)].get_role(name)
        for policy in list(role.managed_policies.values()):
            policy.detach_from(role)
        delete(cls, name, template, account_id, region_name)

    Role.create_from_cloudformation_json = classmethod(created)
    Role.delete_from_cloudformation_json = classmethod(deleted)


def _find_templates_by_address():
    """A template's URL at this AWS's own address has its bucket in the path; moto sees that in `localhost` only."""
    from moto.cloudformation import models, responses

    theirs = models.get_stack_from_s3_url

    def get_stack_from_s3_url(template_url, **whose):
        return theirs(template_url.replace("//127.0.0.1:", "//localhost:"), **whose)

    models.get_stack_from_s3_url = responses.get_stack_from_s3_url = get_stack_from_s3_url


def _read_json_as_json():
    """moto reads a template of JSON as YAML: the same answer, after many seconds for our documents."""
    from moto.cloudformation.models import Stack

    as_yaml = Stack.parse_template

    def parse_template(template):
        return json.loads(template) if template.lstrip().startswith("{") else as_yaml(template)

    Stack.parse_template = staticmethod(parse_template)
