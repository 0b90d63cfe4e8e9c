"""What functions ask is counted, and goes wrong where a test wants it to."""

import json

import pytest
from botocore.exceptions import ClientError

ASKED = "unsigned:GET /moto-api"


@pytest.fixture
def disturb(aws):
    """Sets what goes wrong; nothing does afterwards."""

    def these(*disturbances, **more):
        return aws.ask("traffic", {"disturbances": disturbances, **more})

    these()
    yield these
    these()


@pytest.fixture
def caller(aws):
    """A client whose calls are a function's."""
    return lambda service: aws.client(service, user_agent_appid="caller")


def test_calls_are_counted_by_function_and_operation(aws, stack, caller, disturb):
    caller("dynamodb").list_tables()
    caller("dynamodb").list_tables()
    caller("sns").list_topics()
    caller("s3").list_buckets()
    aws.client("dynamodb").list_tables()
    aws.invoke(event={"do": "ask", "path": "moto-api/config"})

    calls = aws.ask("traffic")["calls"]

    assert calls["caller"] == {"dynamodb:ListTables": 2, "sns:ListTopics": 1, "s3:GET /": 1}
    assert calls["fixture-worker"] == {ASKED: 1}
    spans = aws.ask("traffic")["spans"]
    assert [span[:2] for span in spans] == [
        ["caller", "dynamodb:ListTables"],
        ["caller", "dynamodb:ListTables"],
        ["caller", "sns:ListTopics"],
        ["caller", "s3:GET /"],
        ["fixture-worker", ASKED],
    ]
    assert all(began <= ended <= later[2] for (_, _, began, ended), later in zip(spans, spans[1:]))
    aws.ask("traffic", {})
    assert aws.ask("traffic")["calls"] == {}


def test_a_call_is_refused_as_often_as_was_asked(caller, disturb):
    disturb({"operation": "dynamodb:ListTables", "do": "refuse", "times": 2})

    for _ in range(2):
        with pytest.raises(ClientError) as refused:
            caller("dynamodb").list_tables()
        assert refused.value.response["Error"]["Code"] == "ThrottlingException"
    caller("dynamodb").list_tables()


def test_a_function_dies_after_its_call_was_served(aws, stack, disturb):
    disturb({"operation": ASKED, "do": "kill", "function": "fixture-worker"})

    error, said = aws.invoke(event={"do": "ask", "path": "moto-api/config"})

    assert (error, said["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert "signal: kill" in said["errorMessage"]
    assert aws.ask("traffic")["waiting"] == []
    assert aws.invoke(event={"do": "ask", "path": "moto-api/config"})[0] is None


def test_a_disturbance_that_nobody_knows_is_refused(aws, disturb):
    from urllib.error import HTTPError

    with pytest.raises(HTTPError) as refused:
        disturb({"operation": ASKED, "do": "explode"})

    assert "refuse or kill" in json.load(refused.value)["error"]
