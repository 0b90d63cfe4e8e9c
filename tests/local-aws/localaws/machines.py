"""Step Functions: templates land in the interpreter, executions have names, and their changes are events.

Definitions come from S3 or from the template, as JSON or YAML, with their substitutions; nested executions work.
Replaces private names of moto's interpreter, which is otherwise taken as it is: JSONPath, no JSONata.
"""

import datetime
import json
import time
import uuid

import yaml
from moto.core.config import default_user_config
from moto.stepfunctions import models
from moto.stepfunctions.parser import models as interpreter
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_sfn as nested
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
from moto.stepfunctions.parser.backend import execution

from . import background, client, observed

ENDS = {
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
    "SUCCEEDED": "ExecutionsSucceeded",
}

STARTING_SECONDS = 10


def install():
    """From now on state machines run, wherever they came from."""
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    models.stepfunctions_backends = interpreter.stepfunctions_parser_backends
    models.StateMachine.create_from_cloudformation_json = classmethod(_create)
    models.StateMachine.update_from_cloudformation_json = classmethod(_update)
    models.StateMachine.delete_from_cloudformation_json = classmethod(_delete)
    _name_executions()
    _end_with_their_machine()
    _tell_of_changes()
    _nest_executions()
    _forget_rejected_definitions()


def definition(properties, account_id):
    """The text that the interpreter gets, as JSON."""
    text = properties.get("DefinitionString")
    if text is None and "DefinitionS3Location" in properties:
        from moto.s3.models import s3_backends

        place = properties["DefinitionS3Location"]
        version = place.get("Version")
        text = (
            s3_backends[account_id]["aws"].get_object(place["Bucket"], place["Key"], version_id=version).value.decode()
        )
    if text is None:
        text = properties.get("Definition", {})
    if not isinstance(text, str):
        text = json.dumps(text)
    for name, value in (properties.get("DefinitionSubstitutions") or {}).items():
        text = text.replace("${%s}" % name, str(value))
    return json.dumps(yaml.safe_load(text))


def _create(cls, name, template, account_id, region_name, **_):
    properties = template["Properties"]
    backend = interpreter.stepfunctions_parser_backends[account_id][region_name]
    tags = [{"key": tag["Key"], "value": tag["Value"]} for tag in properties.get("Tags", [])]
    return backend.create_state_machine(
        properties.get("StateMachineName", name),
        definition(properties, account_id),
        properties.get("RoleArn", ""),
        tags=tags,
    )


def _update(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
    properties = cloudformation_json["Properties"]
    backend = interpreter.stepfunctions_parser_backends[account_id][region_name]
    return backend.update_state_machine(
        original_resource.arn, definition=definition(properties, account_id), role_arn=properties.get("RoleArn")
    )


def _delete(cls, name, template, account_id, region_name, **_):
    interpreter.stepfunctions_parser_backends[account_id][region_name].delete_state_machine(name)


def _name_executions():
    start = interpreter.StepFunctionsParserBackend.start_execution

    def start_execution(backend, state_machine_arn, name=None, *rest, **named):
        return start(backend, state_machine_arn, name or str(uuid.uuid4()), *rest, **named)

    interpreter.StepFunctionsParserBackend.start_execution = start_execution


def _end_with_their_machine():
    """Executions of a machine that is deleted end at their next transition, says AWS; here they end at once."""
    delete = interpreter.StepFunctionsParserBackend.delete_state_machine

    def delete_state_machine(backend, arn):
        found = next((one for one in backend.state_machines if one.arn == arn), None)
        for run in list(found.executions) if found else []:
            run.stop(datetime.datetime.now(datetime.timezone.utc), None, None)
        delete(backend, arn)

    interpreter.StepFunctionsParserBackend.delete_state_machine = delete_state_machine


def _tell_of_changes():
    """Events for every change; a stopped execution is ABORTED at once, though its last task goes on to its end."""
    reflect = execution.BaseExecutionWorkerCommunication._reflect_execution_status
    start, stop = execution.Execution.start, execution.Execution.stop

    def reflected(self):
        if self.execution.exec_status == ExecutionStatus.ABORTED:
            return
        reflect(self)
        background(_changed, _event(self.execution), self.execution.state_machine.arn)

    def stopped(self, stop_date, error, cause):
        if self.exec_status != ExecutionStatus.RUNNING:
            return
        # Its worker has only just been started: what is stopped is made by the worker's own thread.
        limit = time.monotonic() + STARTING_SECONDS
        while self.exec_worker.env is None and time.monotonic() < limit:
            time.sleep(0.01)
        stop(self, stop_date, error, cause)
        self.exec_status, self.stop_date = ExecutionStatus.ABORTED, datetime.datetime.now(datetime.timezone.utc)
        self.error, self.cause = error or None, cause or None
        background(_changed, _event(self), self.state_machine.arn)

    def started(self):
        start(self)
        background(_changed, _event(self, "RUNNING"), self.state_machine.arn)

    execution.BaseExecutionWorkerCommunication._reflect_execution_status = reflected
    execution.Execution.start = started
    execution.Execution.stop = stopped


def _event(run, status=None):
    status = status or getattr(run.exec_status, "value", run.exec_status)
    ended = status != "RUNNING"
    output = json.dumps(run.output) if ended and run.output is not None else None
    return {
        "executionArn": run.exec_arn,
        "stateMachineArn": run.state_machine.arn,
        "name": run.name,
        "status": status,
        "startDate": int(run.start_date.timestamp() * 1000),
        "stopDate": int(run.stop_date.timestamp() * 1000) if ended and run.stop_date else None,
        "input": json.dumps(run.input_data),
        "output": output,
        "inputDetails": {"included": True},
        "outputDetails": {"included": True} if output else None,
        "error": run.error if ended else None,
        "cause": run.cause if ended else None,
    }


def _changed(detail, machine):
    metric = ENDS.get(detail["status"], "ExecutionsStarted")
    observed.count("AWS/States", metric, {"StateMachineArn": machine})
    entry = {
        "Source": "aws.states",
        "DetailType": "Step Functions Execution Status Change",
        "Detail": json.dumps(detail),
        "Resources": [detail["executionArn"]],
    }
    client("events").put_events(Entries=[entry])


def _nest_executions():
    """`startExecution` and `startExecution.sync:2`: boto spells the members of Step Functions in lowerCamelCase."""
    service = nested.StateTaskServiceSfn
    normalise = service._normalise_parameters

    def spelled_for_boto(self, parameters, *rest, **named):
        normalise(self, parameters, *rest, **named)
        for name in [name for name in parameters if name[0].isupper()]:
            parameters[name[0].lower() + name[1:]] = parameters.pop(name)

    def spelled_for_states(self, response, *_, **__):
        for name in [name for name in response if isinstance(name, str) and name[0].islower()]:
            value = response.pop(name)
            response[name[0].upper() + name[1:]] = value.timestamp() if hasattr(value, "timestamp") else value

    service._normalise_parameters = spelled_for_boto
    service._normalise_response = spelled_for_states


def _forget_rejected_definitions():
    """A list of the class, not of the instance: after one rejected definition every valid one would be rejected."""
    initialise = Preprocessor.__init__

    def clean(self, *rest, **named):
        self._query_language_per_scope = []
        initialise(self, *rest, **named)

    Preprocessor.__init__ = clean
