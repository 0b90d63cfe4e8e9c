"""What tests ask of a local AWS: it is raised for them, asked, and seen to be gone without a trace.

Nothing waits without a limit.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request
import uuid

import boto3
import local_aws
import yaml
from botocore.config import Config
from localaws import lab as labs

HERE = pathlib.Path(__file__).resolve().parent


class Tags(yaml.SafeLoader):
    """YAML whose tags are left out: only the text after them matters here."""


Tags.add_multi_constructor("!", lambda loader, tag, node: loader.construct_scalar(node))


def document_of_ours(name):
    """One of our SSM documents, as it is deployed."""
    text = (HERE.parents[1] / "infra/generated/documents.yaml").read_text(encoding="utf-8")
    resources = yaml.load(text, Loader=Tags)["Resources"].values()
    return next(
        one["Properties"]["Content"] for one in resources if one["Properties"]["Name"].rpartition("}")[2] == name
    )


class Aws:
    """What tests ask of the local AWS."""

    def __init__(self, environment, without_hosts):
        self.environment, self.without_hosts, self.clients, self.unread = environment, without_hosts, {}, {}

    def client(self, service, **settings):
        key = (service, *sorted(settings.items()))
        if key not in self.clients:
            config = Config(retries={"total_max_attempts": 1}, inject_host_prefix=False, **settings)
            # By its own address: two may run beside each other.
            self.clients[key] = boto3.client(service, config=config, endpoint_url=self.environment["AWS_ENDPOINT_URL"])
        return self.clients[key]

    def ask(self, what, body=None):
        """The control door."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.environment['AWS_ENDPOINT_URL']}/local-aws/{what}", data, 30) as answer:
            return json.load(answer)

    def invoke(self, function="fixture-worker", event=None, **more):
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event or {}), **more)
        payload = answer["Payload"].read()
        return answer.get("FunctionError"), json.loads(payload) if payload else None

    def queue(self):
        """A new queue: its URL and its ARN."""
        url = self.client("sqs").create_queue(QueueName=f"q-{uuid.uuid4().hex[:12]}")["QueueUrl"]
        return url, f"arn:aws:sqs:us-east-1:123456789012:{url.rpartition('/')[2]}"

    def heard(self, url, wanted=lambda message: True, seconds=10):
        """The first message of a queue that is wanted; the others stay to be heard."""
        unread = self.unread.setdefault(url, [])

        def look():
            got = self.client("sqs").receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
            )
            unread.extend(got.get("Messages", []))
            found = next((message for message in unread if wanted(message)), None)
            if found:
                unread.remove(found)
            return found

        return eventually(look, seconds)

    def silent(self, url):
        """Whether nothing has come, by a message that was sent after whatever might have come."""
        self.client("sqs").send_message(QueueUrl=url, MessageBody="the end")
        return self.heard(url)["Body"] == "the end"


def eventually(look, seconds=10):
    """What `look` finds, as soon as it finds something; it must, in so many seconds."""
    limit = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < limit, f"nothing came in {seconds} s"
        time.sleep(0.02)
    return found


def launcher(*arguments, **settings):
    return subprocess.run(
        [sys.executable, str(HERE / "local_aws.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        **settings,
    )


@contextlib.contextmanager
def raised(home, order_hosts, rate):
    """A local AWS in this home, with the lab's hosts where this machine can have them."""
    why = None if labs.program() else "no drill-lab is built"
    hosts = ["--order-hosts", str(order_hosts), "--rate", str(rate)]
    with reached(home, *(["--no-lab"] if why else hosts), unless="--no-lab") as aws:
        aws.without_hosts = aws.without_hosts or why
        yield aws


@contextlib.contextmanager
def reached(home, *arguments, unless=None):
    """A local AWS that was started with these arguments; `unless` it does not come up, with this one instead."""
    why = None
    up = launcher("up", "--home", str(home), "--port", "0", *arguments)
    if up.returncode and unless:
        why = f"the lab does not come up here: {up.stderr.strip().splitlines()[-1]}"
        up = launcher("up", "--home", str(home), "--port", "0", unless)
    assert up.returncode == 0, up.stderr
    lines = [line.removeprefix("export ") for line in up.stdout.splitlines() if line.startswith("export ")]
    environment = {name: value.strip("'") for name, value in (line.split("=", 1) for line in lines)}
    before = dict(os.environ)
    os.environ |= environment
    try:
        yield Aws(environment, why)
    finally:
        os.environ.clear()
        os.environ |= before
        log, state = (home / "server.log").read_text(errors="replace"), json.loads((home / "state.json").read_text())
        ended = launcher("down", "--home", str(home))
    assert ended.returncode == 0, ended.stderr
    assert not home.exists()
    assert processes(str(home)) == []
    assert local_aws.answer(state["port"]) is None
    assert "Traceback" not in log, log[log.index("Traceback") - 1000 :][:6000]


def processes(word):
    """Command lines and environments of processes that name this home: the server, functions, the lab's parts."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if word.encode() in text and int(entry.name) != os.getpid():
            found.append(text)
    return found
