"""Lambda: invocations of what was uploaded, by `runtime`, instead of by Docker.

Synchronous, asynchronous (retries, then the failure destination or the dead-letter queue), dry; reserved concurrency.
Replaces `LambdaFunction.invoke`; logs go to the logs service, and what Lambda measures goes to CloudWatch.
"""

import base64
import contextlib
import datetime
import io
import json
import os
import shutil
import tempfile
import threading
import time
import uuid
import zipfile

from moto.awslambda import models
from moto.core.exceptions import JsonRESTError

from . import background, client, credentials, observed, stopping
from .runtime import MARK, Function, Pool

pool = Pool()
# Lambda waits one minute and then two before it tries an asynchronous call again; nobody waits that long at home.
RETRY_SECONDS = (1, 2)
_folders, _folders_lock = {}, threading.Lock()
_home = None


class TooManyRequests(JsonRESTError):
    code = 429

    def __init__(self):
        super().__init__("TooManyRequestsException", "Rate Exceeded.")


class NotJson(JsonRESTError):
    code = 400

    def __init__(self, error):
        super().__init__("InvalidRequestContentException", f"Could not parse request body into json: {error}")


def install(home):
    """From now on functions run; their code is unpacked below `home`."""
    global _home
    _home = home
    os.makedirs(home, exist_ok=True)
    models.LambdaFunction.invoke = _invoke
    created = models.LambdaFunction.create_from_cloudformation_json.__func__
    models.LambdaFunction.create_from_cloudformation_json = classmethod(_keep_dead_letters(created))


def close():
    pool.close()
    shutil.rmtree(_home, ignore_errors=True)


def _keep_dead_letters(created):
    """CloudFormation's DeadLetterConfig, which moto forgets."""

    def create(cls, name, template, account_id, region_name, **kwargs):
        function = created(cls, name, template, account_id, region_name, **kwargs)
        function.dead_letters = template["Properties"].get("DeadLetterConfig", {}).get("TargetArn")
        return function

    return create


def _invoke(self, body, request_headers, response_headers):
    payload = body.encode() if isinstance(body, str) else body or b"{}"
    try:
        json.loads(payload)
    except ValueError as error:
        raise NotJson(error) from None
    kind = request_headers.get("X-Amz-Invocation-Type", "RequestResponse")
    if kind == "DryRun":
        return b""
    if kind == "Event":
        background(_asynchronously, self, payload)
        return b""
    outcome = run(self, payload)
    if outcome.error:
        response_headers["x-amz-function-error"] = outcome.error
    response_headers["x-amz-executed-version"] = "$LATEST"
    response_headers["x-amz-log-result"] = base64.b64encode(outcome.tail.encode()).decode()
    return outcome.payload


def run(function, payload):
    """One invocation of a function of moto's."""
    limit = function.reserved_concurrency
    if limit is not None and pool.in_flight(function.function_arn) >= int(limit):
        observed.count("AWS/Lambda", "Throttles", {"FunctionName": function.function_name})
        raise TooManyRequests()
    outcome = pool.invoke(_described(function), payload, lambda: _stream(function))
    name = {"FunctionName": function.function_name}
    observed.count("AWS/Lambda", "Invocations", name)
    observed.count("AWS/Lambda", "Errors", name, 1 if outcome.error else 0)
    observed.count("AWS/Lambda", "Duration", name, outcome.millis, "Milliseconds")
    return outcome


def _asynchronously(function, payload):
    settings = function.event_invoke_config[0].config if function.event_invoke_config else {}
    retries = settings.get("MaximumRetryAttempts")
    attempts = 1 + (2 if retries is None else retries)
    for attempt in range(1, attempts + 1):
        try:
            outcome = run(function, payload)
            if not outcome.error:
                return
            said = outcome.payload
        except TooManyRequests as throttled:
            said = throttled.description.encode()
        if attempt < attempts and stopping.wait(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS)) - 1]):
            return
    destination = settings.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if destination:
        _tell(destination, json.dumps(_record(function, payload, said, attempts)))
    if getattr(function, "dead_letters", None):
        _tell(function.dead_letters, payload.decode())


def _record(function, payload, said, attempts):
    return {
        "version": "1.0",
        "timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds"),
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": function.function_arn,
            "condition": "RetriesExhausted",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": json.loads(payload),
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": json.loads(said or b"null"),
    }


def _tell(arn, text):
    """A destination or a dead-letter queue: SQS or SNS. What was deleted meanwhile is told nothing, as at AWS."""
    if arn.split(":")[2] == "sqs":
        sqs = client("sqs")
        with contextlib.suppress(sqs.exceptions.QueueDoesNotExist):
            queue = sqs.get_queue_url(QueueName=arn.split(":")[5])["QueueUrl"]
            sqs.send_message(QueueUrl=queue, MessageBody=text)
    else:
        client("sns").publish(TopicArn=arn, Message=text)


def _described(function):
    folder = _unpacked(function)
    variables = {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        **credentials(),
        "AWS_SESSION_TOKEN": "local",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        # With it, `traffic` knows whose a call is.
        "AWS_SDK_UA_APP_ID": function.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name,
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "LAMBDA_TASK_ROOT": folder,
        "LAMBDA_RUNTIME_DIR": folder,
        "_HANDLER": str(function.handler),
        MARK: _home,
        # What the template says wins, as long as it is not the address of the real AWS.
        **{name: str(value) for name, value in (function.environment_vars or {}).items()},
    }
    return Function(
        arn=function.function_arn,
        name=function.function_name,
        version="$LATEST",
        handler=str(function.handler),
        memory_mib=int(function.memory_size),
        timeout_seconds=int(function.timeout),
        code=folder,
        variables=tuple(sorted(variables.items())),
    )


def _unpacked(function):
    with _folders_lock:
        folder = _folders.get(function.code_sha_256)
        if folder is None:
            folder = tempfile.mkdtemp(prefix=f"{function.function_name[:40]}-", dir=_home)
            with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as archive:
                archive.extractall(folder)
                for entry in archive.infolist():
                    mode = entry.external_attr >> 16 & 0o777
                    if mode and not entry.is_dir():
                        os.chmod(os.path.join(folder, entry.filename), mode)
            bootstrap = os.path.join(folder, "bootstrap")
            if os.path.exists(bootstrap):
                os.chmod(bootstrap, 0o755)
            _folders[function.code_sha_256] = folder
        return folder


def _stream(function):
    """A new log stream for a new environment, as a function that takes a line."""
    logs, group = function.logs_backend, function.logs_group_name
    logs.ensure_log_group(group)
    today = datetime.datetime.now(datetime.timezone.utc).strftime("%Y/%m/%d")
    stream = f"{today}/[$LATEST]{uuid.uuid4().hex}"
    logs.create_log_stream(group, stream)

    def line(text):
        logs.put_log_events(group, stream, [{"timestamp": int(time.time() * 1000), "message": text}])
        observed.embedded(text)

    return line
