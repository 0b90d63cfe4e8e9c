"""One local AWS for all contract tests: raised once, with a lab where this machine can have one, ended at the end.

`aws` gives clients and polls; `hosts` skips what needs hosts, and says why.
"""

import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE))

from testing import raised  # noqa: E402


@pytest.fixture(scope="session")
def aws(tmp_path_factory):
    with raised(tmp_path_factory.mktemp("local-aws") / "home", order_hosts=2, rate=20) as local:
        yield local


@pytest.fixture(scope="session")
def stack(aws):
    """The fixture's template, deployed: its outputs."""
    import deploy

    return deploy.deploy(HERE / "fixtures/template.yaml", "fixture", parameters={"Greeting": "good day"})


@pytest.fixture
def hosts(aws):
    """The lab's order hosts that run."""
    if aws.without_hosts:
        pytest.skip(aws.without_hosts)
    wanted = [
        {"Name": "tag:Service", "Values": ["order-service"]},
        {"Name": "instance-state-name", "Values": ["running"]},
    ]
    found = aws.client("ec2").describe_instances(Filters=wanted)["Reservations"]
    return [instance["InstanceId"] for reservation in found for instance in reservation["Instances"]]
