"""Lambda: what was uploaded runs, and ends as Lambda ends it."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

from testing import eventually


def test_the_packaged_bootstrap_runs_with_its_context(aws, stack):
    before = time.time() * 1000

    error, answer = aws.invoke(event={"do": "greet", "text": "grüß Gott"})

    assert error is None
    assert answer["event"] == {"do": "greet", "text": "grüß Gott"}
    assert answer["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:fixture-worker"
    assert 19_000 < answer["deadline_ms"] - before < 25_000
    endpoint = aws.environment["AWS_ENDPOINT_URL"]
    expected = {"AWS_LAMBDA_FUNCTION_NAME": "fixture-worker", "AWS_ENDPOINT_URL": endpoint, "GREETING": "good day"}
    assert answer["environment"] == expected


def test_an_environment_is_used_again(aws, stack):
    _, first = aws.invoke()
    _, second = aws.invoke()

    assert second["pid"] == first["pid"]
    assert second["invocations"] == first["invocations"] + 1
    assert second["request_id"] != first["request_id"]


def test_calls_at_the_same_time_have_environments_of_their_own(aws, stack, tmp_path):
    event = {"do": "meet", "others": 3, "place": str(tmp_path)}

    with ThreadPoolExecutor(3) as together:
        answers = list(together.map(lambda _: aws.invoke(event=event), range(3)))

    assert [error for error, _ in answers] == [None] * 3
    assert len({answer["pid"] for _, answer in answers}) == 3


def test_a_handled_error_is_an_answer_with_the_header(aws, stack):
    error, answer = aws.invoke(event={"do": "fail"})

    assert (error, answer) == ("Unhandled", {"errorType": "Fixture.Refused", "errorMessage": "on request"})


def test_a_process_that_ends_is_an_error_and_the_next_call_gets_a_new_one(aws, stack):
    error, answer = aws.invoke("fixture-brief", {"do": "exit", "code": 3})
    _, after = aws.invoke("fixture-brief")

    assert error == "Unhandled"
    assert answer["errorType"] == "Runtime.ExitError"
    assert answer["errorMessage"].endswith("Runtime exited with error: exit status 3")
    assert after["invocations"] == 1


def test_a_killed_process_says_by_which_signal(aws, stack):
    _, answer = aws.invoke(event={"do": "die"})

    assert answer["errorMessage"].endswith("Runtime exited with error: signal: kill")


def test_half_an_answer_is_none(aws, stack):
    error, answer = aws.invoke("fixture-brief", {"do": "stutter"})

    assert (error, answer["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert "signal: kill" in answer["errorMessage"]


def test_the_time_limit_ends_the_call_and_the_environment(aws, stack):
    error, answer = aws.invoke("fixture-brief", {"do": "hang"})
    _, after = aws.invoke("fixture-brief")

    assert (error, answer["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert answer["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert after["invocations"] == 1


def test_a_function_that_cannot_start_says_so(aws, stack):
    error, answer = aws.invoke("fixture-broken")

    assert (error, answer["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert answer["errorMessage"].endswith("exit status 7")


def test_what_is_printed_is_in_the_logs_service(aws, stack):
    aws.invoke(event={"do": "log", "line": "a line to be found"})

    def messages():
        found = aws.client("logs").filter_log_events(logGroupName="/aws/lambda/fixture-worker")["events"]
        texts = [event["message"] for event in found]
        return texts if "a line to be found" in texts else None

    texts = eventually(messages)
    at = texts.index("a line to be found")
    assert texts[at - 1] == "handling log"
    assert any(text.startswith("START RequestId: ") for text in texts)
    assert any("\tMax Memory Used: " in text for text in texts)


def test_the_tail_of_the_log_comes_along_when_asked_for(aws, stack):
    import base64

    answer = aws.client("lambda").invoke(
        FunctionName="fixture-worker", LogType="Tail", Payload=b'{"do":"exit","code":1}'
    )

    assert "handling exit" in base64.b64decode(answer["LogResult"]).decode()


def test_start_times_and_memory_are_kept_for_benchmarks(aws, stack):
    _, answer = aws.invoke()

    environments = {one["pid"]: one for one in aws.ask("environments")}
    measured = environments[answer["pid"]]
    assert 0 < measured["init_millis"] < 10_000
    assert 1_000 < measured["peak_kib"] < 1_000_000
    assert len(measured["durations_millis"]) == measured["invocations"] == answer["invocations"]


def test_an_asynchronous_failure_goes_to_its_destination(aws, stack):
    queue = aws.client("sqs").get_queue_url(QueueName="fixture-lost")["QueueUrl"]

    answer = aws.client("lambda").invoke(
        FunctionName="fixture-worker", InvocationType="Event", Payload=b'{"do":"fail","id":"async"}'
    )

    assert answer["StatusCode"] == 202
    record = json.loads(aws.heard(queue)["Body"])
    assert record["requestPayload"] == {"do": "fail", "id": "async"}
    assert record["responsePayload"]["errorType"] == "Fixture.Refused"
    assert record["requestContext"]["approximateInvokeCount"] == 1


def test_an_asynchronous_call_is_tried_again_and_then_a_dead_letter(aws, stack):
    queue = aws.client("sqs").get_queue_url(QueueName="fixture-dead")["QueueUrl"]

    aws.client("lambda").invoke(
        FunctionName="fixture-forlorn", InvocationType="Event", Payload=b'{"do":"fail","id":"dead"}'
    )

    assert json.loads(aws.heard(queue)["Body"]) == {"do": "fail", "id": "dead"}
    found = aws.client("logs").filter_log_events(logGroupName="/aws/lambda/fixture-forlorn")["events"]
    assert [event["message"] for event in found].count("handling fail") == 2


def test_reserved_concurrency_of_nothing_throttles(aws, stack):
    functions = aws.client("lambda")
    functions.put_function_concurrency(FunctionName="fixture-brief", ReservedConcurrentExecutions=0)
    try:
        functions.invoke(FunctionName="fixture-brief", Payload=b"{}")
        code = None
    except functions.exceptions.TooManyRequestsException as refused:
        code = refused.response["ResponseMetadata"]["HTTPStatusCode"]
    finally:
        functions.delete_function_concurrency(FunctionName="fixture-brief")

    assert code == 429
    assert aws.invoke("fixture-brief")[0] is None


def test_new_code_replaces_warm_environments(aws, stack):
    _, before = aws.invoke("fixture-brief")
    aws.client("lambda").update_function_configuration(
        FunctionName="fixture-brief", Environment={"Variables": {"GREETING": "new"}}
    )

    _, after = aws.invoke("fixture-brief")

    assert after["environment"]["GREETING"] == "new"
    assert after["pid"] != before["pid"]
    assert not os.path.exists(f"/proc/{before['pid']}/root")


def test_lambda_measures_itself_and_reads_embedded_metrics(aws, stack):
    import datetime

    line = json.dumps(
        {
            "_aws": {
                "Timestamp": int(time.time() * 1000),
                "CloudWatchMetrics": [
                    {"Namespace": "Embedded", "Dimensions": [["Who"]], "Metrics": [{"Name": "Beat"}]}
                ],
            },
            "Who": "worker",
            "Beat": 42,
        }
    )
    aws.invoke(event={"do": "log", "line": line})
    now = datetime.datetime.now(datetime.timezone.utc)

    def value(namespace, metric, dimension, named):
        stat = {
            "Metric": {
                "Namespace": namespace,
                "MetricName": metric,
                "Dimensions": [{"Name": dimension, "Value": named}],
            },
            "Period": 60,
            "Stat": "Maximum",
        }
        found = aws.client("cloudwatch").get_metric_data(
            MetricDataQueries=[{"Id": "m", "MetricStat": stat}],
            StartTime=now - datetime.timedelta(minutes=5),
            EndTime=now + datetime.timedelta(minutes=1),
        )
        return found["MetricDataResults"][0]["Values"]

    assert eventually(lambda: value("Embedded", "Beat", "Who", "worker")) == [42.0]
    assert eventually(lambda: value("AWS/Lambda", "Invocations", "FunctionName", "fixture-worker"))[0] == 1.0
