"""CloudFormation: what moto passes over is there after a deployment, and changes and goes with its stack."""

import json

import deploy
from testing import HERE


def test_alarms_are_there(aws, stack):
    found = aws.client("cloudwatch").describe_alarms(
        AlarmNames=["fixture-errors", "fixture-any"], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )

    alarm = found["MetricAlarms"][0]
    assert (alarm["Threshold"], alarm["TreatMissingData"], alarm["AlarmArn"]) == (
        1.0,
        "notBreaching",
        stack["ErrorsArn"],
    )
    assert found["CompositeAlarms"][0]["AlarmRule"] == 'ALARM("fixture-errors") AND NOT ALARM(fixture-none)'


def test_schedules_and_their_groups_are_there(aws, stack):
    schedule = aws.client("scheduler").get_schedule(Name="fixture-sweep", GroupName="fixture-group")

    assert (schedule["State"], schedule["ScheduleExpression"]) == ("DISABLED", "rate(1 minute)")
    assert schedule["Target"]["Arn"].endswith(":function:fixture-worker")
    assert stack["GroupArn"].endswith("schedule-group/fixture-group")


def test_a_subscription_delivers(aws, stack):
    url = aws.client("sqs").get_queue_url(QueueName="fixture-heard")["QueueUrl"]

    aws.client("sns").publish(TopicArn="arn:aws:sns:us-east-1:123456789012:fixture-topic", Message="as it is")

    assert aws.heard(url, lambda message: message["Body"] == "as it is")


def test_a_topic_and_a_queue_have_their_policies(aws, stack):
    topic = aws.client("sns").get_topic_attributes(TopicArn="arn:aws:sns:us-east-1:123456789012:fixture-topic")[
        "Attributes"
    ]
    url = aws.client("sqs").get_queue_url(QueueName="fixture-heard")["QueueUrl"]

    policy = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]

    assert json.loads(policy)["Statement"][0]["Action"] == "sqs:SendMessage"
    assert json.loads(topic["Policy"])["Statement"][0]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}


def test_a_table_keeps_time_to_live_and_recovery(aws, stack):
    tables = aws.client("dynamodb")

    life = tables.describe_time_to_live(TableName="fixture-table")["TimeToLiveDescription"]
    backups = tables.describe_continuous_backups(TableName="fixture-table")["ContinuousBackupsDescription"]

    assert life == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_a_stack_changes_and_goes_with_its_kinds(aws, tmp_path):
    text = (HERE / "contract/second.yaml").read_text()
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(text)
    second.write_text(text.replace("Threshold: 5", "Threshold: 7"))

    deploy.deploy(first, "second")
    before = threshold(aws)
    deploy.deploy(second, "second")
    after = threshold(aws)
    aws.client("cloudformation").delete_stack(StackName="second")

    assert (before, after) == (5.0, 7.0)
    assert threshold(aws) is None
    groups = aws.client("scheduler").list_schedule_groups()["ScheduleGroups"]
    assert "second-group" not in [group["Name"] for group in groups]


def threshold(aws):
    found = aws.client("cloudwatch").describe_alarms(AlarmNames=["second-alarm"])["MetricAlarms"]
    return found[0]["Threshold"] if found else None
