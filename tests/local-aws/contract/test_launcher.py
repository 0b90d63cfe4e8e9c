"""The launcher: what it raises it can find again, and what it ends is gone, however the end came.

The orderly end is that of the whole session, in `conftest`.
"""

import json
import os
import signal

import pytest
from testing import HERE, eventually, launcher


@pytest.fixture
def home(tmp_path):
    """A home that is swept even when its test fails."""
    yield tmp_path / "home"
    launcher("down", "--home", str(tmp_path / "home"))


def test_everything_of_a_killed_server_is_swept(aws, home):
    import boto3
    import deploy

    raised = launcher("up", "--home", str(home), "--port", "0", "--no-lab")
    record = json.loads((home / "state.json").read_text())
    endpoint = f"http://127.0.0.1:{record['port']}"
    functions = boto3.client("lambda", endpoint_url=endpoint)
    code = {"ZipFile": deploy.zipped(HERE / "fixtures/worker")}
    role = boto3.client("iam", endpoint_url=endpoint).create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"][
        "Arn"
    ]
    functions.create_function(FunctionName="f", Runtime="provided.al2023", Role=role, Handler="bootstrap", Code=code)
    answer = json.load(functions.invoke(FunctionName="f", Payload=b"{}")["Payload"])

    twice = launcher("up", "--home", str(home), "--port", "0", "--no-lab")
    os.kill(record["pid"], signal.SIGKILL)
    lived_on = os.path.exists(f"/proc/{answer['pid']}")
    ended = launcher("down", "--home", str(home))
    again = launcher("down", "--home", str(home))

    assert raised.returncode == 0 and f"export AWS_ENDPOINT_URL={endpoint}" in raised.stdout
    assert twice.returncode == 2
    assert lived_on
    assert (ended.returncode, again.returncode) == (0, 0), ended.stderr
    assert not home.exists()
    eventually(lambda: not os.path.exists(f"/proc/{answer['pid']}"))


def test_a_deployment_to_anything_but_a_local_endpoint_is_refused(monkeypatch, capsys):
    import deploy

    codes = []
    for endpoint in ("", "https://sts.amazonaws.com", "http://localhost.example.com:80"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        codes.append(deploy.main([str(HERE / "fixtures/template.yaml")]))

    assert codes == [2, 2, 2]
    assert "for the local AWS only" in capsys.readouterr().err
