"""Functions and universal targets do what their roles allow, and nothing else, where that is enforced."""

import contextlib
import datetime
import json

import deploy
import pytest
from botocore.exceptions import ClientError
from testing import HERE, eventually

KEY = {"pk": {"S": "a"}}


@pytest.fixture(scope="module")
def function(aws):
    deploy.deploy(HERE / "contract/authorized.yaml", "authorized", parameters={"Ready": "lab,staging"})
    yield lambda service: aws.client(service, user_agent_appid="authorized")
    aws.client("cloudformation").delete_stack(StackName="authorized")


@pytest.fixture
def enforced(aws, function):
    """Clients whose calls are the function's, while its role counts."""
    aws.ask("authorization", {"enforced": True})
    yield function
    aws.ask("authorization", {"enforced": False})


@contextlib.contextmanager
def denied(code, action):
    with pytest.raises(ClientError) as error:
        yield
    said = error.value.response["Error"]
    assert said["Code"] == code
    assert f"not authorized to perform: {action} on resource:" in said["Message"]


def instance(aws, **tags):
    given = [{"Key": key, "Value": value} for key, value in tags.items()]
    made = aws.client("ec2").run_instances(
        ImageId="ami-12c6146b",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": given}] if given else [],
    )
    return made["Instances"][0]["InstanceId"]


def test_nothing_is_refused_until_it_is_enforced(aws, function):
    assert aws.ask("authorization")["enforced"] is False
    assert "TableNames" in function("dynamodb").list_tables()


def test_people_are_not_asked(aws, enforced):
    aws.client("dynamodb").delete_item(TableName="authorized", Key=KEY)


def test_a_call_without_a_grant_is_refused(aws, enforced):
    table = enforced("dynamodb")

    table.put_item(TableName="authorized", Item=KEY)
    assert table.get_item(TableName="authorized", Key=KEY)["Item"] == KEY
    with denied("AccessDeniedException", "dynamodb:DeleteItem"):
        table.delete_item(TableName="authorized", Key=KEY)
    assert aws.ask("authorization")["refused"][-1]["action"] == "dynamodb:DeleteItem"
    with denied("AccessDeniedException", "dynamodb:GetItem"):
        table.get_item(TableName="another", Key=KEY)


def test_each_part_of_a_transaction_needs_its_own_grant(enforced):
    key = {"TableName": "authorized", "Key": KEY}
    check = {"ConditionCheck": {**key, "ConditionExpression": "attribute_not_exists(gone)"}}
    put = {"Put": {"TableName": "authorized", "Item": {"pk": {"S": "b"}}}}

    enforced("dynamodb").transact_write_items(TransactItems=[check, put])

    with denied("AccessDeniedException", "dynamodb:DeleteItem"):
        enforced("dynamodb").transact_write_items(TransactItems=[check, {"Delete": key}])


def test_a_denial_by_key_wins(enforced):
    with denied("AccessDeniedException", "dynamodb:PutItem"):
        enforced("dynamodb").put_item(TableName="authorized", Item={"pk": {"S": "LEVER"}})


def test_tags_decide_which_instance_may_be_harmed(aws, enforced):
    ready, plain = instance(aws, Ready="staging"), instance(aws)
    other, protected = instance(aws, Ready="production"), instance(aws, Ready="lab", Protected="yes")

    enforced("ec2").stop_instances(InstanceIds=[ready])

    for refused in ([plain], [other], [protected], [ready, plain]):
        with denied("UnauthorizedOperation", "ec2:StopInstances"):
            enforced("ec2").stop_instances(InstanceIds=refused)
    with pytest.raises(ClientError) as dry:
        enforced("ec2").stop_instances(InstanceIds=[ready], DryRun=True)
    assert dry.value.response["Error"]["Code"] == "DryRunOperation"
    with denied("UnauthorizedOperation", "ec2:StopInstances"):
        enforced("ec2").stop_instances(InstanceIds=[plain], DryRun=True)


def test_the_tags_of_a_request_decide_what_may_be_made(aws, enforced):
    vpc = aws.client("ec2").create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    tags = [{"ResourceType": "network-acl", "Tags": [{"Key": "Unit", "Value": "a"}]}]

    made = enforced("ec2").create_network_acl(VpcId=vpc, TagSpecifications=tags)["NetworkAcl"]["NetworkAclId"]

    with denied("UnauthorizedOperation", "ec2:CreateNetworkAcl"):
        enforced("ec2").create_network_acl(VpcId=vpc)
    with denied("UnauthorizedOperation", "ec2:DeleteNetworkAcl"):
        enforced("ec2").delete_network_acl(NetworkAclId=made)


def test_every_service_says_it_in_its_own_way(enforced):
    with denied("AuthorizationError", "sns:Publish"):
        enforced("sns").publish(TopicArn="arn:aws:sns:us-east-1:123456789012:nobody", Message="x")
    with denied("AccessDenied", "autoscaling:DescribeAutoScalingGroups"):
        enforced("autoscaling").describe_auto_scaling_groups()
    with denied("AccessDenied", "s3:PutObject"):
        enforced("s3").put_object(Bucket="nobody", Key="x", Body=b"")
    with denied("AccessDeniedException", "ssm:SendCommand"):
        enforced("ssm").send_command(DocumentName="nobody", InstanceIds=["i-0123456789abcdef0"])
    with denied("AccessDeniedException", "cloudwatch:DescribeAlarms"):
        enforced("cloudwatch").describe_alarms()


def test_a_call_that_nobody_has_thought_of_is_refused(enforced):
    with pytest.raises(ClientError) as error:
        enforced("dynamodb").list_tables()
    assert "cannot authorise" in error.value.response["Error"]["Message"]


def schedule(aws, client, name, instance, role="authorized", group="default"):
    client.create_schedule(
        Name=name,
        GroupName=group,
        ScheduleExpression=f"at({datetime.datetime.now(datetime.timezone.utc):%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:scheduler:::aws-sdk:ec2:stopInstances",
            "RoleArn": f"arn:aws:iam::123456789012:role/{role}",
            "Input": json.dumps({"InstanceIds": [instance]}),
        },
    )


def fired(aws, name):
    found = [one for one in aws.ask("schedules")["firings"] if one["schedule"].endswith(f"/{name}")]
    return found[-1]["error_code"] or "done" if found else None


def test_a_universal_target_does_what_its_role_may(aws, enforced):
    ready, plain = instance(aws, Ready="lab"), instance(aws)

    schedule(aws, aws.client("scheduler"), "may", ready)
    schedule(aws, aws.client("scheduler"), "may-not", plain)
    schedule(aws, aws.client("scheduler"), "is-nobody", ready, role="nobody")

    assert eventually(lambda: fired(aws, "may")) == "done"
    assert eventually(lambda: fired(aws, "may-not")) == "UnauthorizedOperation"
    assert eventually(lambda: fired(aws, "is-nobody")) == "UnauthorizedOperation"


def test_who_arms_a_schedule_must_be_allowed_to_pass_its_role(aws, enforced):
    scheduler, some = enforced("scheduler"), "i-0123456789abcdef0"

    schedule(aws, scheduler, "by-function", some)

    with denied("AccessDeniedException", "iam:PassRole"):
        schedule(aws, scheduler, "by-function-2", some, role="another")
    with denied("AccessDeniedException", "scheduler:CreateSchedule"):
        schedule(aws, scheduler, "by-function", some, group="another")
