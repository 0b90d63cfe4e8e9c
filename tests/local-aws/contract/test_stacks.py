"""CloudFormation: a stack goes in the right order, and one that cannot go is there and says so."""

import json

import deploy
import pytest
from botocore.exceptions import ClientError
from testing import HERE


@pytest.fixture
def many(aws):
    deploy.deploy(HERE / "contract/many.yaml", "many")
    yield
    aws.client("sqs").delete_queue(QueueUrl=aws.client("sqs").get_queue_url(QueueName="many-kept")["QueueUrl"])


def status(aws):
    try:
        return aws.client("cloudformation").describe_stacks(StackName="many")["Stacks"][0]["StackStatus"]
    except ClientError as error:
        assert "does not exist" in str(error)
        return "gone"


def left(aws):
    functions = aws.client("lambda").list_functions()["Functions"]
    roles, policies = aws.client("iam").list_roles()["Roles"], aws.client("iam").list_policies(Scope="Local")["Policies"]
    buckets, queues = aws.client("s3").list_buckets()["Buckets"], aws.client("sqs").list_queues()["QueueUrls"]
    names = [one["FunctionName"] for one in functions] + [one["RoleName"] for one in roles]
    names += [one["PolicyName"] for one in policies] + [one["Name"] for one in buckets]
    names += [url.rpartition("/")[2] for url in queues]
    return {name for name in names if name.startswith("many-")}


def test_a_stack_goes_and_leaves_what_is_to_be_kept(aws, many):
    aws.client("cloudformation").delete_stack(StackName="many")

    assert (status(aws), left(aws)) == ("gone", {"many-kept"})


def test_what_is_no_value_is_no_element(aws):
    allowed = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
    never = {"Fn::If": ["Never", allowed | {"Action": "sqs:DeleteQueue"}, {"Ref": "AWS::NoValue"}]}
    policy = {"Version": "2012-10-17", "Statement": [never, allowed]}
    made = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"ManagedPolicyName": "no-value", "PolicyDocument": policy}}
    template = {"Conditions": {"Never": {"Fn::Equals": ["yes", "no"]}}, "Resources": {"Policy": made}}
    cloudformation, iam = aws.client("cloudformation"), aws.client("iam")

    cloudformation.create_stack(StackName="no-value", TemplateBody=json.dumps(template))

    arn = "arn:aws:iam::123456789012:policy/no-value"
    kept = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    assert kept["Statement"] == [allowed]
    cloudformation.delete_stack(StackName="no-value")


def test_a_queue_has_an_address_of_this_aws(aws, many):
    listed = aws.client("cloudformation").list_stack_resources(StackName="many")["StackResourceSummaries"]

    urls = [one["PhysicalResourceId"] for one in listed if one.get("LogicalResourceId") == "Kept"]

    assert urls == [aws.client("sqs").get_queue_url(QueueName="many-kept")["QueueUrl"]]
    aws.client("cloudformation").delete_stack(StackName="many")


def test_a_stack_that_cannot_go_stays_and_goes_when_it_can(aws, many):
    aws.client("s3").put_object(Bucket="many-bucket", Key="in-the-way", Body=b"")

    aws.client("cloudformation").delete_stack(StackName="many")

    assert (status(aws), left(aws)) == ("DELETE_FAILED", {"many-kept", "many-bucket"})
    listed = aws.client("cloudformation").list_stack_resources(StackName="many")["StackResourceSummaries"]
    assert "many-one" in {one["PhysicalResourceId"] for one in listed}
    assert left(aws) == {"many-kept", "many-bucket"}
    aws.client("s3").delete_object(Bucket="many-bucket", Key="in-the-way")
    aws.client("cloudformation").delete_stack(StackName="many")
    assert (status(aws), left(aws)) == ("gone", {"many-kept"})
