"""The whole stack, deployed into one local AWS for all tests of this ring.

The functions are those of `sam build` where STORMDRILL_FUNCTIONS says so, else the ones that the tests' build has made.
"""

import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/local-aws"))

import deploy  # noqa: E402
from drill import Stack  # noqa: E402
from experiments import guarded  # noqa: E402
from monitor import watching  # noqa: E402
from testing import raised  # noqa: E402


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    code = os.environ.get("STORMDRILL_FUNCTIONS")
    code = pathlib.Path(code) if code else pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
    with raised(tmp_path_factory.mktemp("e2e") / "home", order_hosts=4, rate=50) as aws:
        if aws.without_hosts:
            pytest.skip(aws.without_hosts)
        with watching() as monitor:
            parameters = {"Environments": "lab", "AllowTermination": "yes", "PrometheusUrl": monitor.prometheus_url}
            outputs = deploy.deploy(ROOT / "template.yaml", code=code, parameters=parameters)
            url, arn = aws.queue()
            aws.client("sns").subscribe(TopicArn=outputs["NoticeTopicArn"], Protocol="sqs", Endpoint=arn)
            stack = Stack(aws, outputs, url, monitor)
            monitor.count = lambda: sum(letter not in "TZ" for letter in stack.processes("order-service", "order-service"))
            yield stack


@pytest.fixture
def monitor(stack):
    """What can be asked besides AWS; it speaks again for the next test."""
    yield stack.monitor
    stack.monitor.silent = False


@pytest.fixture(autouse=True)
def undisturbed(stack):
    """No test leaves a disturbance to the next one."""
    yield
    stack.disturb()


@pytest.fixture(scope="session", autouse=True)
def unanswered(stack):
    """A run that nobody answers. It waits a minute, the shortest time that there is, beside the other tests."""
    return stack.start(guarded(approval={"within": "1m"}))


@pytest.fixture(scope="session", autouse=True)
def given_up(stack):
    """A run that was stopped while it waited for an answer."""
    run = stack.start(guarded(approval={"within": "10m"}))
    run.reaches(lambda run: "AwaitApproval" in run.states(), "the question")
    run.stop()
    return run
