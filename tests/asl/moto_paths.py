"""Runs scenarios through moto's Step Functions interpreter, and prints one JSON document per scenario and line.

The interpreter runs in this process; Lambda and SNS are answered from the scenario, by the account in their ARN.
Waits are real, so the scenarios run side by side.

usage: moto_paths.py MACHINE SCENARIO...
"""

import io
import json
import os
import pathlib
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
import yaml
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.config import default_user_config
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

import machine

REGION = "us-east-1"
BACKEND_ACCOUNT = "123456789012"
# No scenario waits longer than a few seconds; the rest is patience with a slow computer.
DEADLINE_SECONDS = 240
HANGS_SECONDS = 4
ENDS = ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut")


class Scenario:
    """The answers of one scenario file, given one after the other; the last one is given for ever."""

    def __init__(self, path):
        self.name = pathlib.Path(path).stem
        file = yaml.load(pathlib.Path(path).read_text(encoding="utf-8"), Loader=machine.Strict)
        self.answers = file["answers"]
        self.overrides = file.get("overrides", {})
        self.asked = {}
        self.lock = threading.Lock()

    def answer(self, name):
        with self.lock:
            count = self.asked[name] = self.asked.get(name, 0) + 1
        answers = self.answers.get(name, [{"fails": {"error": "Script.NoAnswer", "cause": name}}])
        return answers[min(count, len(answers)) - 1]

    def definition(self, path, account):
        """The machine with this scenario's ARNs and overrides."""
        definition = machine.load(path, account)
        for pointer, value in self.overrides.items():
            *parents, last = pointer.strip("/").split("/")
            place = definition
            for part in parents:
                place = place[int(part) if isinstance(place, list) else part]
            if last not in place:
                raise SystemExit(f"{self.name}: there is nothing to override at {pointer}")
            place[last] = value
        return definition


def returned(answer):
    if "verdict" in answer:
        return {
            "run_id": "run-1",
            "verdict": answer["verdict"],
            "hold_seconds": answer.get("hold_seconds", 0),
            "notice": "a drill",
        }
    if "bytes" in answer:
        return "x" * answer["bytes"]
    return answer["returns"]


class Lambda:
    """The one method of boto's Lambda client that the interpreter uses."""

    def __init__(self, scenarios):
        self.scenarios = scenarios

    def invoke(self, **request):
        account, function = request["FunctionName"].split(":")[4], request["FunctionName"].split(":")[6]
        scenario = self.scenarios[account]
        answer = scenario.answer(function)
        if "hangs" in answer:
            time.sleep(HANGS_SECONDS)
        if "fails" in answer:
            failure = answer["fails"]
            # moto calls every refusal of Lambda itself `Exception`; as an error of the function it keeps its name.
            payload = {"errorType": failure["error"], "errorMessage": failure["cause"]}
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": body(payload)}
        if function == "approval":
            token = json.loads(request["Payload"])["task_token"]
            threading.Thread(target=self.decide, args=(scenario, token), daemon=True).start()
        returns = None if "hangs" in answer else returned(answer)
        return {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": body(returns)}

    def decide(self, scenario, token):
        """Somebody answers the task token, or nobody does."""
        answer = scenario.answer("token")
        if "hangs" in answer:
            return
        backend = stepfunctions_parser_backends[BACKEND_ACCOUNT][REGION]
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            try:
                if "fails" in answer:
                    backend.send_task_failure(token, error=answer["fails"]["error"], cause=answer["fails"]["cause"])
                else:
                    backend.send_task_success(token, json.dumps(returned(answer)))
                return
            except Exception:  # The interpreter does not know the token before the function has returned.
                time.sleep(0.05)


class Sns:
    """The one method of boto's SNS client that the interpreter uses."""

    def __init__(self, scenarios):
        self.scenarios = scenarios

    def publish(self, **request):
        if not isinstance(request["Message"], str):
            raise TypeError("SNS publishes texts")
        answer = self.scenarios[request["TopicArn"].split(":")[4]].answer("notice")
        if "fails" in answer:
            code = answer["fails"]["error"].removeprefix("SNS.")
            meta = {"HTTPStatusCode": 500, "RequestId": "r"}
            refusal = {"Error": {"Code": code, "Message": answer["fails"]["cause"]}, "ResponseMetadata": meta}
            raise ClientError(refusal, "Publish")
        return dict(returned(answer))


def body(payload):
    return io.BytesIO(json.dumps(payload).encode())


class Clients:
    """Stands where the interpreter looks for boto3."""

    def __init__(self, scenarios):
        self.clients = {"lambda": Lambda(scenarios), "sns": Sns(scenarios)}

    def client(self, *_, service_name, **__):
        return self.clients[service_name]


def until_the_end(events):
    """A function that hung answers after its execution has ended, and moto writes that down too."""
    ends = [number for number, event in enumerate(events, start=1) if event["type"] in ENDS]
    return events[: ends[0]] if ends else events


def run(client, path, account, scenario):
    definition = json.dumps(scenario.definition(path, account))
    role = f"arn:aws:iam::{BACKEND_ACCOUNT}:role/machine"
    created = client.create_state_machine(name=scenario.name, definition=definition, roleArn=role)
    started = client.start_execution(
        stateMachineArn=created["stateMachineArn"], name=scenario.name, input=json.dumps({"experiment": "an-experiment"})
    )
    arn = started["executionArn"]
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (execution := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    events = until_the_end(client.get_execution_history(executionArn=arn)["events"])
    entered = [event["stateEnteredEventDetails"] for event in events if event["type"].endswith("StateEntered")]
    return {
        "scenario": scenario.name,
        "status": execution["status"],
        "error": execution.get("error"),
        "path": [state["name"] for state in entered],
        "events": [event["type"] for event in events],
    }


@mock_aws
def main(path, files):
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    scenarios = {f"{index:012}": Scenario(file) for index, file in enumerate(files, start=1)}
    client = boto3.client("stepfunctions", REGION, aws_access_key_id="a", aws_secret_access_key="s")
    boto_client.boto3 = Clients(scenarios)
    with ThreadPoolExecutor(max_workers=len(scenarios)) as pool:
        runs = [pool.submit(run, client, path, account, scenario) for account, scenario in scenarios.items()]
        for done in runs:
            print(json.dumps(done.result()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
    # Calls that hang would keep the process alive.
    sys.stdout.flush()
    os._exit(0)
