"""Step Functions: machines of a template run the functions of the same template."""

import json
import pathlib
import shutil

import deploy
from botocore.exceptions import ClientError
from testing import eventually

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:fixture-machine"


def ended(aws, arn):
    def look():
        execution = aws.client("stepfunctions").describe_execution(executionArn=arn)
        return execution if execution["status"] != "RUNNING" else None

    return eventually(look, 20)


def run(aws, machine, event, **more):
    started = aws.client("stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps(event), **more)
    return ended(aws, started["executionArn"])


def test_a_definition_from_s3_in_yaml_runs_with_its_substitutions(aws, stack):
    execution = run(aws, stack["MachineArn"], {"do": "greet"})

    assert stack["MachineArn"] == ARN
    assert execution["status"] == "SUCCEEDED"
    assert json.loads(execution["output"])["event"] == {"do": "greet"}


def test_an_error_of_a_function_keeps_its_name(aws, stack):
    execution = run(aws, ARN, {"do": "fail"})

    assert json.loads(execution["output"]) == {"caught": "Fixture.Refused"}


def test_an_execution_without_a_name_gets_one_of_its_own(aws, stack):
    names = {run(aws, ARN, {"do": "greet"})["name"] for _ in range(2)}

    assert len(names) == 2
    assert all(len(name) == 36 for name in names)


def test_a_machine_starts_another_and_waits_for_it(aws, stack):
    execution = run(aws, ARN.replace("fixture-machine", "fixture-parent"), {})

    assert execution["status"] == "SUCCEEDED", execution
    assert json.loads(execution["output"])["Output"]["event"] == {"do": "greet"}


def test_a_rejected_definition_does_not_spoil_the_next(aws, stack):
    machines = aws.client("stepfunctions")
    mixed = {
        "QueryLanguage": "JSONata",
        "StartAt": "A",
        "States": {"A": {"Type": "Pass", "QueryLanguage": "JSONPath", "InputPath": "$", "End": True}},
    }
    good = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    try:
        machines.create_state_machine(
            name="rejected", definition=json.dumps(mixed), roleArn="arn:aws:iam::123456789012:role/x"
        )
        rejected = False
    except ClientError:
        rejected = True

    created = machines.create_state_machine(
        name="after", definition=json.dumps(good), roleArn="arn:aws:iam::123456789012:role/x"
    )

    assert rejected
    assert json.loads(run(aws, created["stateMachineArn"], {"a": 1})["output"]) == {"a": 1}
    assert run(aws, ARN, {"do": "greet"})["status"] == "SUCCEEDED"


def test_every_change_of_an_execution_is_an_event(aws, stack):
    url, arn = aws.queue()
    events = aws.client("events")
    pattern = {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"stateMachineArn": [ARN], "status": ["RUNNING", "ABORTED"]},
    }
    events.put_rule(Name="executions", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="executions", Targets=[{"Id": "q", "Arn": arn}])

    started = aws.client("stepfunctions").start_execution(stateMachineArn=ARN, name="stopped", input='{"do":"hang"}')
    running = json.loads(aws.heard(url)["Body"])
    aws.client("stepfunctions").stop_execution(executionArn=started["executionArn"])
    aborted = json.loads(aws.heard(url, lambda message: "ABORTED" in message["Body"])["Body"])
    events.remove_targets(Rule="executions", Ids=["q"])

    assert running["detail"]["status"] == "RUNNING"
    assert running["detail"]["name"] == "stopped"
    assert aborted["detail"]["executionArn"] == started["executionArn"]
    assert aborted["resources"] == [started["executionArn"]]
    assert aborted["detail"]["input"] == '{"do": "hang"}'


def test_a_stack_that_is_deployed_again_runs_its_new_definition(aws, stack, tmp_path):
    again = tmp_path / "again"
    shutil.copytree(FIXTURES, again)
    machine = again / "machine.asl.yaml"
    before = machine.read_text(encoding="utf-8")
    machine.write_text(before + "Comment: deployed again\n", encoding="utf-8")

    deploy.deploy(again / "template.yaml", "fixture", parameters={"Greeting": "good day"})

    found = json.loads(aws.client("stepfunctions").describe_state_machine(stateMachineArn=ARN)["definition"])
    assert found["Comment"] == "deployed again"
    assert run(aws, ARN, {"do": "greet"})["status"] == "SUCCEEDED"
    deploy.deploy(FIXTURES / "template.yaml", "fixture", parameters={"Greeting": "good day"})


def test_a_machine_that_is_deleted_takes_its_executions_along(aws, stack):
    machines, (url, arn) = aws.client("stepfunctions"), aws.queue()
    wait = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}}
    role = "arn:aws:iam::123456789012:role/fixture"
    machine = machines.create_state_machine(name="brief", definition=json.dumps(wait), roleArn=role)["stateMachineArn"]
    pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [machine], "status": ["ABORTED"]}}
    aws.client("events").put_rule(Name="brief", EventPattern=json.dumps(pattern))
    aws.client("events").put_targets(Rule="brief", Targets=[{"Id": "q", "Arn": arn}])
    execution = machines.start_execution(stateMachineArn=machine)["executionArn"]

    machines.delete_state_machine(stateMachineArn=machine)

    assert json.loads(aws.heard(url)["Body"])["detail"]["executionArn"] == execution
    assert machine not in [one["stateMachineArn"] for one in machines.list_state_machines()["stateMachines"]]
