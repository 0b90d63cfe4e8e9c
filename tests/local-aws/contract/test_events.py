"""EventBridge: rules reach their targets, with the inputs that they were told to make."""

import json
import uuid

from testing import eventually


def rule(aws, source, **target):
    """A rule for a source, with one target."""
    name = f"rule-{uuid.uuid4().hex[:8]}"
    aws.client("events").put_rule(Name=name, EventPattern=json.dumps({"source": [source]}))
    aws.client("events").put_targets(Rule=name, Targets=[{"Id": "t", **target}])
    return name


def put(aws, source, detail):
    answer = aws.client("events").put_events(
        Entries=[{"Source": source, "DetailType": "Test", "Detail": json.dumps(detail), "Resources": ["r1"]}]
    )
    assert answer["FailedEntryCount"] == 0


def test_an_event_reaches_a_queue_as_it_is(aws):
    url, arn = aws.queue()
    rule(aws, "to.queue", Arn=arn)

    put(aws, "to.queue", {"n": 1})

    event = json.loads(aws.heard(url)["Body"])
    assert (event["source"], event["detail-type"], event["detail"], event["resources"]) == (
        "to.queue",
        "Test",
        {"n": 1},
        ["r1"],
    )
    assert event["time"].endswith("Z") and "ingestion-time" not in event


def test_a_template_is_filled_with_text_and_json(aws):
    url, arn = aws.queue()
    transformer = {
        "InputPathsMap": {
            "name": "$.detail.name",
            "count": "$.detail.count",
            "all": "$.detail",
            "kind": "$.detail-type",
            "none": "$.detail.none",
        },
        "InputTemplate": '{"says": "run <name> is <kind>", "name": <name>, "count": <count>, "all": <all>, "none": <none>, "rule": "<aws.events.rule-name>"}',
    }
    name = rule(aws, "to.template", Arn=arn, InputTransformer=transformer)

    put(aws, "to.template", {"name": 'a "b"', "count": 2})

    expected = {
        "says": 'run a "b" is Test',
        "name": 'a "b"',
        "count": 2,
        "all": {"name": 'a "b"', "count": 2},
        "none": None,
        "rule": name,
    }
    assert json.loads(aws.heard(url)["Body"]) == expected


def test_a_fixed_input_and_a_path_replace_the_event(aws):
    fixed, fixed_arn = aws.queue()
    part, part_arn = aws.queue()
    rule(aws, "to.input", Arn=fixed_arn, Input='{"fixed":true}')
    rule(aws, "to.input", Arn=part_arn, InputPath="$.detail")

    put(aws, "to.input", {"n": 3})

    assert aws.heard(fixed)["Body"] == '{"fixed":true}'
    assert json.loads(aws.heard(part)["Body"]) == {"n": 3}


def test_an_event_reaches_a_function_a_machine_and_a_topic(aws, stack):
    url = aws.client("sqs").get_queue_url(QueueName="fixture-heard")["QueueUrl"]
    machine = stack["MachineArn"]
    rule(
        aws,
        "to.all",
        Arn="arn:aws:lambda:us-east-1:123456789012:function:fixture-worker",
        Input='{"do":"log","line":"called by a rule"}',
    )
    rule(aws, "to.all", Arn=machine, RoleArn="arn:aws:iam::123456789012:role/x", Input='{"do":"by a rule"}')
    rule(aws, "to.all", Arn="arn:aws:sns:us-east-1:123456789012:fixture-topic", Input='"told by a rule"')

    put(aws, "to.all", {})

    assert aws.heard(url)["Body"] == '"told by a rule"'
    logs = aws.client("logs")
    eventually(
        lambda: [
            e
            for e in logs.filter_log_events(logGroupName="/aws/lambda/fixture-worker")["events"]
            if e["message"] == "called by a rule"
        ]
    )
    executions = aws.client("stepfunctions")

    def started():
        found = executions.list_executions(stateMachineArn=machine)["executions"]
        inputs = [executions.describe_execution(executionArn=one["executionArn"])["input"] for one in found]
        return [text for text in inputs if "by a rule" in text]

    assert [json.loads(text) for text in eventually(started)] == [{"do": "by a rule"}]


def test_a_target_that_is_not_there_goes_to_the_dead_letters(aws):
    url, arn = aws.queue()
    missing = "arn:aws:lambda:us-east-1:123456789012:function:nobody"
    rule(aws, "to.nobody", Arn=missing, DeadLetterConfig={"Arn": arn})

    put(aws, "to.nobody", {"n": 4})

    message = aws.heard(url)
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert json.loads(message["Body"])["detail"] == {"n": 4}
    assert attributes["TARGET_ARN"] == missing
    assert attributes["ERROR_CODE"] == "ResourceNotFoundException"


def test_a_disabled_rule_and_another_source_are_silent(aws):
    url, arn = aws.queue()
    name = rule(aws, "to.silence", Arn=arn)
    aws.client("events").disable_rule(Name=name)
    put(aws, "to.silence", {})
    aws.client("events").enable_rule(Name=name)
    witness, witness_arn = aws.queue()
    rule(aws, "to.elsewhere", Arn=witness_arn)
    put(aws, "to.elsewhere", {})

    assert aws.heard(witness)
    assert aws.silent(url)


def test_a_rule_with_a_schedule_is_not_for_events(aws):
    url, arn = aws.queue()
    name = f"rule-{uuid.uuid4().hex[:8]}"
    aws.client("events").put_rule(Name=name, ScheduleExpression="rate(1 day)")
    aws.client("events").put_targets(Rule=name, Targets=[{"Id": "t", "Arn": arn}])
    other, other_arn = aws.queue()
    rule(aws, "to.other", Arn=other_arn)

    put(aws, "to.other", {})

    assert aws.heard(other)
    assert aws.silent(url)
