"""Rules and alarms reach what lets them in, and nothing else, where that is enforced; ours reach people."""

import contextlib
import datetime
import json
import uuid

import ours
import pytest
from testing import eventually

ACCOUNT = "123456789012"
OF_ACCOUNT = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
NOTICES = ["NoticeTopic", "NoticeTopicPolicy", "NoticeKey", "StuckRun", "LostWakes", "LostWakesPolicy", "StuckRunAlarm"]


@pytest.fixture
def enforced(aws):
    aws.ask("authorization", {"enforced": True})
    yield aws
    aws.ask("authorization", {"enforced": False})


def statement(service, action, condition=None):
    found = {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": "*"}
    return found | ({"Condition": condition} if condition else {})


def topic(aws, of_topic, of_key=None):
    """A topic with these statements, its key with those, and a queue that hears it."""
    key = {}
    if of_key is not None:
        policy = json.dumps({"Version": "2012-10-17", "Statement": of_key})
        key = {"KmsMasterKeyId": aws.client("kms").create_key(Policy=policy)["KeyMetadata"]["KeyId"]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": of_topic})
    named = f"t-{uuid.uuid4().hex[:8]}"
    arn = aws.client("sns").create_topic(Name=named, Attributes={"Policy": policy, **key})["TopicArn"]
    url, heard_by = aws.queue()
    aws.client("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint=heard_by)
    return arn, url


def event(aws, target, **more):
    """An event for a new rule with this target; gives the rule's name."""
    name = f"rule-{uuid.uuid4().hex[:8]}"
    aws.client("events").put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    aws.client("events").put_targets(Rule=name, Targets=[{"Id": "t", "Arn": target, **more}])
    aws.client("events").put_events(Entries=[{"Source": name, "DetailType": "Test", "Detail": "{}"}])
    return name


def counted(aws, metric, rule):
    """How often a rule is said to have done this, lately."""
    now = datetime.datetime.now(datetime.timezone.utc)
    found = aws.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Events",
        MetricName=metric,
        Dimensions=[{"Name": "RuleName", "Value": rule}],
        StartTime=now - datetime.timedelta(minutes=5),
        EndTime=now + datetime.timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in found["Datapoints"])


EVENTS, ALARMS = "events.amazonaws.com", "cloudwatch.amazonaws.com"
PUBLISH, KEY = "sns:Publish", ["kms:Decrypt", "kms:GenerateDataKey*"]


def test_a_rule_reaches_a_topic_whose_policy_and_key_have_no_condition(enforced):
    arn, url = topic(enforced, [statement(EVENTS, PUBLISH)], [statement(EVENTS, KEY)])

    rule = event(enforced, arn)

    assert enforced.heard(url)
    assert eventually(lambda: counted(enforced, "Invocations", rule)) == 1
    assert counted(enforced, "TriggeredRules", rule) == 1
    assert counted(enforced, "FailedInvocations", rule) == 0


@pytest.mark.parametrize(
    "of_topic, of_key",
    [
        ([], [statement(EVENTS, KEY)]),
        ([statement(ALARMS, PUBLISH)], [statement(EVENTS, KEY)]),
        ([statement(EVENTS, PUBLISH, OF_ACCOUNT)], [statement(EVENTS, KEY)]),
        ([statement(EVENTS, PUBLISH)], [statement(EVENTS, KEY, OF_ACCOUNT)]),
        ([statement(EVENTS, PUBLISH)], [statement(EVENTS, "kms:Decrypt")]),
        ([statement(EVENTS, PUBLISH)], []),
    ],
    ids=["no topic policy", "another service", "topic's condition", "key's condition", "half a key", "no key policy"],
)
def test_a_rule_that_is_not_let_in_is_counted_and_kept(enforced, of_topic, of_key):
    arn, url = topic(enforced, of_topic, of_key)
    lost, lost_arn = enforced.queue()
    let_in = json.dumps({"Statement": [statement(EVENTS, "sqs:SendMessage")]})
    enforced.client("sqs").set_queue_attributes(QueueUrl=lost, Attributes={"Policy": let_in})

    rule = event(enforced, arn, DeadLetterConfig={"Arn": lost_arn})

    said = enforced.heard(lost)["MessageAttributes"]
    assert said["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    assert eventually(lambda: counted(enforced, "FailedInvocations", rule)) == 1
    assert enforced.silent(url)


def test_a_queue_lets_in_the_rules_that_its_policy_names(enforced):
    url, arn = enforced.queue()
    named = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/rule-0*"
    policy = {"Statement": [statement(EVENTS, "sqs:SendMessage", {"ArnLike": {"aws:SourceArn": named}})]}
    enforced.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    client = enforced.client("events")
    for name in ("rule-01", "rule-11"):
        client.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
        client.put_targets(Rule=name, Targets=[{"Id": "t", "Arn": arn}])

    for name in ("rule-11", "rule-01"):
        client.put_events(Entries=[{"Source": name, "DetailType": "Test", "Detail": "{}"}])

    assert json.loads(enforced.heard(url)["Body"])["source"] == "rule-01"
    assert eventually(lambda: counted(enforced, "FailedInvocations", "rule-11")) == 1
    assert enforced.silent(url)


def test_a_function_needs_a_permission_for_the_rule(enforced, stack):
    function = enforced.client("lambda").get_function(FunctionName="fixture-worker")["Configuration"]["FunctionArn"]

    refused = event(enforced, function)

    assert eventually(lambda: counted(enforced, "FailedInvocations", refused)) == 1
    given = {"Action": "lambda:InvokeFunction", "Principal": EVENTS, "StatementId": "rules"}
    enforced.client("lambda").add_permission(FunctionName="fixture-worker", **given)
    assert eventually(lambda: counted(enforced, "Invocations", event(enforced, function)))
    enforced.client("lambda").remove_permission(FunctionName="fixture-worker", StatementId="rules")


def alarm(aws, arn):
    """An alarm that goes off now, and tells a topic."""
    name = f"alarm-{uuid.uuid4().hex[:8]}"
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace=name,
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[arn],
    )
    aws.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    return name


def test_an_alarm_reaches_a_topic_that_asks_for_its_account_and_name(enforced):
    named = {"ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:alarm-*"}}
    arn, url = topic(enforced, [statement(ALARMS, PUBLISH, OF_ACCOUNT | named)], [statement(ALARMS, KEY, OF_ACCOUNT)])

    name = alarm(enforced, arn)

    assert name in enforced.heard(url)["Body"]


def test_an_alarm_does_not_reach_a_topic_with_a_key_that_is_not_for_alarms(enforced):
    arn, url = topic(enforced, [statement(ALARMS, PUBLISH)], [statement(EVENTS, KEY)])

    alarm(enforced, arn)

    assert eventually(lambda: [one for one in enforced.ask("authorization")["refused"] if one["role"] == ALARMS])
    assert enforced.silent(url)


@contextlib.contextmanager
def ours_deployed(aws, name, resources):
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName=name, TemplateBody=ours.part(resources), Capabilities=["CAPABILITY_NAMED_IAM"])
    try:
        yield
    finally:
        cloudformation.delete_stack(StackName=name)


@pytest.mark.parametrize(
    ("name", "namespace", "metric", "dimension", "of"),
    [
        ("CleanupThrottledAlarm", "AWS/Lambda", "Throttles", "FunctionName", "JanitorFunction"),
        ("CleanupThrottledAlarm", "AWS/Lambda", "Throttles", "FunctionName", "RollbackFunction"),
        ("SideMachinesAlarm", "AWS/States", "ExecutionsFailed", "StateMachineArn", "AftermathMachine"),
        ("SideMachinesAlarm", "AWS/States", "ExecutionsFailed", "StateMachineArn", "ScheduledStartMachine"),
    ],
)
def test_our_alarms_over_two_metrics_need_datapoints_of_one(aws, name, namespace, metric, dimension, of):
    with ours_deployed(aws, "two", ["NoticeTopic", name]):
        now = datetime.datetime.now(datetime.timezone.utc)
        named = [{"Name": dimension, "Value": ours.made_up(of)}]
        # Whichever minute is looked at.
        moments = [now - datetime.timedelta(minutes=minute) for minute in range(3)]
        data = [{"MetricName": metric, "Dimensions": named, "Value": 1, "Timestamp": moment} for moment in moments]
        aws.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)

        aws.ask("alarms", {})

        alarms = aws.client("cloudwatch").describe_alarms(AlarmNamePrefix="two-")["MetricAlarms"]
        assert [one["StateValue"] for one in alarms] == ["ALARM"]


def stuck(aws):
    detail = {"stateMachineArn": ours.made_up("ExperimentMachine"), "status": "FAILED", "error": "stuck", "name": "run-7"}
    entry = {"Source": "aws.states", "DetailType": "Step Functions Execution Status Change", "Detail": json.dumps(detail)}
    aws.client("events").put_events(Entries=[entry])


def test_our_rule_and_our_alarms_tell_people_of_a_stuck_run(enforced):
    with ours_deployed(enforced, "notices", NOTICES):
        arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:notices-lost-wakes"
        found = enforced.client("cloudformation").describe_stack_resource(
            StackName="notices", LogicalResourceId="NoticeTopic"
        )["StackResourceDetail"]["PhysicalResourceId"]
        url, queue = enforced.queue()
        enforced.client("sns").subscribe(TopicArn=found, Protocol="sqs", Endpoint=queue)

        stuck(enforced)
        assert enforced.heard(url, lambda message: "run run-7 is STUCK" in message["Body"])

        enforced.client("cloudwatch").set_alarm_state(
            AlarmName="notices-stuck-run", StateValue="ALARM", StateReason="a test"
        )
        assert enforced.heard(url, lambda message: "notices-stuck-run" in message["Body"])

        # With the topic closed to the rule, the notice is kept where our queue's policy lets it in.
        enforced.client("sns").set_topic_attributes(
            TopicArn=found, AttributeName="Policy", AttributeValue=json.dumps({"Statement": []})
        )
        stuck(enforced)
        lost = enforced.client("sqs").get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        assert "run run-7 is STUCK" in enforced.heard(lost)["Body"]
        assert eventually(lambda: counted(enforced, "FailedInvocations", "notices-stuck-run")) == 1
