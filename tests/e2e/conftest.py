"""The whole stack, deployed into one local AWS for all tests of this ring.

Tests that end more than a run have an AWS of their own. Their files are called `test_alone_*`, so that they come first,
when the other one is not there yet.
"""

import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/local-aws"))

import deploy  # noqa: E402
from drill import LAGS, Stack, functions  # noqa: E402
from experiments import guarded  # noqa: E402
from monitor import watching  # noqa: E402
from testing import raised  # noqa: E402


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    with raised(tmp_path_factory.mktemp("e2e") / "home", order_hosts=4, rate=50) as aws:
        if aws.without_hosts:
            pytest.skip(aws.without_hosts)
        aws.ask("lags", LAGS)
        with watching() as monitor:
            parameters = {"Environments": "lab", "AllowTermination": "yes", "PrometheusUrl": monitor.prometheus_url}
            parameters["Faults"] = "host,ec2-instance,subnet"
            outputs = deploy.deploy(ROOT / "template.yaml", code=functions(), parameters=parameters)
            deploy.prove_undo(outputs["RunsTableName"])
            url, arn = aws.queue()
            aws.client("sns").subscribe(TopicArn=outputs["NoticeTopicArn"], Protocol="sqs", Endpoint=arn)
            stack = Stack(aws, outputs, url, monitor)
            monitor.count = lambda: sum(letter not in "TZ" for letter in stack.processes("order-service", "order-service"))
            # Nobody answers this one. It waits a minute, the shortest time that there is, beside the other tests.
            stack.unanswered = stack.start(guarded(approval={"within": "1m"}))
            stack.given_up = given_up(stack)
            yield stack


def given_up(stack):
    """A run that was stopped while it waited for an answer."""
    run = stack.start(guarded(approval={"within": "10m"}))
    run.reaches(lambda run: "AwaitApproval" in run.states(), "the question")
    run.stop()
    return run


@pytest.fixture
def monitor(stack):
    """What can be asked besides AWS; it speaks again for the next test."""
    yield stack.monitor
    stack.monitor.silent = False


@pytest.fixture(autouse=True)
def undisturbed(request):
    """No test leaves a disturbance to the next one."""
    yield
    if "stack" in request.fixturenames:
        request.getfixturevalue("stack").disturb()
