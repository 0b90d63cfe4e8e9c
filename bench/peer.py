"""Stormdrill beside Chaos Toolkit: the same stop of the same instances, on the same local AWS, one after the other.

Chaos Toolkit runs as its users start it: `chaos run`, with its own AWS extension, from a Python environment of its own.
"""

import json
import os
import pathlib
import subprocess
import sys
import threading
import time

import deploy
from drill import Stack

ROOT = pathlib.Path(__file__).resolve().parents[1]
HERE = ROOT / "bench/chaostoolkit"
RUN_SECONDS = 600
# The shortest stop of ours that is looked at three times; theirs lasts no time.
SHORT = 3
# A breach that nobody stops would last for this.
LONGEST = 60
# Datapoints before anything begins.
BEFORE = 10
METRIC = {"namespace": "Peer", "metric_name": "Running", "dimension_name": "Service", "dimension_value": "phantoms"}
PHANTOMS = [{"Name": "tag:Service", "Values": ["phantoms"]}]


def compare(functions, sizes, local, say):
    """The table: whole runs around a stop that ends at once, and how long a breach that is seen goes on."""
    chaos = installed(say)
    lines = ["| instances | run: ours | Chaos Toolkit | calls: ours | Chaos Toolkit | breach to undo: ours | Chaos Toolkit |"]
    lines.append("| --- |" + " --- |" * 6)
    for size in sizes:
        with local("--phantoms", str(size)) as aws:
            outputs = deploy.deploy(ROOT / "template.yaml", code=functions, parameters={"Environments": "lab"})
            deploy.prove_undo(outputs["RunsTableName"])
            stack = Stack(aws, outputs, None)
            with Watched(aws) as watched:
                say(f"a stop of {size} instances, ours and Chaos Toolkit's")
                whole = [timed(aws, lambda: ours(stack, f"{SHORT}s", None)), timed(aws, lambda: theirs(chaos, 0))]
                watched.forget()
                ours(stack, f"{LONGEST}s", size)
                seen = [watched.breach_to_undo("stormdrill-recover", "stormdrill-rollback")]
                watched.forget()
                theirs(chaos, LONGEST)
                seen.append(watched.breach_to_undo("chaostoolkit"))
        cells = [f"{seconds:.1f} s" for seconds, _ in whole] + [str(calls) for _, calls in whole] + [f"{one:.1f} s" for one in seen]
        lines.append(f"| {size} | {cells[0]} | {cells[1]} | {cells[2]} | {cells[3]} | {cells[4]} | {cells[5]} |")
    return (
        "## Beside Chaos Toolkit\n\n"
        "Run: from the start to the end of a whole run around a stop that ends at once (ours: after three seconds, with three looks). Calls: what each "
        "asked of AWS in it.\nBreach to undo: from the first datapoint that is out of tolerance to `StartInstances`, with a look "
        "every second in both.\nOurs keeps a ledger, leases, an alarm clock and an undo that outlives it; Chaos Toolkit keeps "
        "nothing, and what it stopped stays stopped when its process dies.\n\n" + "\n".join(lines)
    )


def installed(say):
    """The `chaos` command, in an environment of its own: its boto3 is another one."""
    venv = ROOT / "target/venvs/chaostoolkit"
    wanted, made = (HERE / "requirements.txt").read_text(encoding="ascii"), venv / ".made-from"
    if not made.exists() or made.read_text(encoding="ascii") != wanted:
        say("installing Chaos Toolkit")
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        pip = [venv / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--requirement", HERE / "requirements.txt"], check=True)
        made.write_text(wanted, encoding="ascii")
    return venv / "bin/chaos"


def timed(aws, run):
    """How many seconds it took, and how many calls it made."""
    aws.ask("traffic", {})
    began = time.monotonic()
    run()
    took = time.monotonic() - began
    return took, sum(sum(operations.values()) for operations in aws.ask("traffic")["calls"].values())


def ours(stack, duration, stops):
    """A whole run; when it is to be stopped, by what the metric says."""
    guard = [{"probe": "running", "below": stops, "for_samples": 1}] if stops else "none"
    document = {
        "id": "peer",
        "title": "All of them stop",
        "hypothesis": "Nobody notices.",
        "environments": ["lab"],
        "targets": {"all": {"kind": "ec2-instance", "tags": {"Service": "phantoms"}, "pick": {"percent": 100}}},
        "faults": [{"name": "stop", "kind": "instance-stop", "on": "all", "duration": duration}],
        "steady_state": [
            {
                "name": "running",
                "cloudwatch": {
                    "namespace": "Peer",
                    "metric": "Running",
                    "dimensions": {"Service": "phantoms"},
                    "statistic": "Minimum",
                    "period": "1s",
                },
                "tolerance": {"at_least": 0},
            }
        ],
        "guards": {"max_blast_radius": "100%", "stop_when": guard},
        "observe": {"every": "1s", "baseline_samples": 1, "min_samples": 1},
        "recovery": {"within": "10s", "check_every": "1s"},
    }
    run = stack.start(document)
    run.ended(RUN_SECONDS)
    because = run.record()["ending"]["because"]
    assert because == ("breached" if stops else "completed"), (because, run.record(), run.described().get("cause"))


def theirs(chaos, seconds):
    """A whole run of Chaos Toolkit: its steady state before, during and after, the stop, a pause, and the rollback."""
    probe = {
        "type": "probe",
        "name": "running",
        "tolerance": {"type": "range", "range": [1, 1_000_000]},
        "provider": {
            "type": "python",
            "module": "chaosaws.cloudwatch.probes",
            "func": "get_metric_statistics",
            "arguments": {**METRIC, "duration": 2, "statistic": "Minimum"},
        },
    }
    document = {
        "version": "1.0.0",
        "title": "All of them stop",
        "description": "Nobody notices.",
        "steady-state-hypothesis": {"title": "They run", "probes": [probe]} if seconds else {"title": "None", "probes": []},
        # In steps of a second: a pause is not cut short, and between two of them a deviation ends the method.
        "method": [action("stop_instances", filters=PHANTOMS), *[action("pause_for_a_while", duration=1)] * seconds],
        "rollbacks": [action("start_instances", filters=PHANTOMS)],
    }
    folder = ROOT / "target/bench"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "chaostoolkit.json"
    path.write_text(json.dumps(document), encoding="ascii")
    strategy = ["--hypothesis-strategy", "continuously", "--hypothesis-frequency", "1", "--fail-fast"] if seconds else []
    done = subprocess.run(
        [chaos, "--no-version-check", "run", *strategy, "--rollback-strategy", "always", path],
        cwd=folder,
        env={**os.environ, "AWS_SDK_UA_APP_ID": "chaostoolkit"},
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode == (1 if seconds else 0), done.stdout + done.stderr


def action(name, **arguments):
    provider = {"type": "python", "module": "chaosaws.ec2.actions", "func": name, "arguments": arguments}
    return {"type": "action", "name": name, "provider": provider}


class Watched:
    """Says every half second how many run, as a service's own metric would, and remembers when that was too few."""

    def __init__(self, aws):
        self.aws, self.over, self.breach, self.thread = aws, threading.Event(), None, None
        self.said, self.enough = 0, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self._measure, daemon=True)
        self.thread.start()
        assert self.enough.wait(RUN_SECONDS), "nothing is measured"
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _measure(self):
        cloudwatch, ec2 = self.aws.client("cloudwatch"), self.aws.client("ec2")
        while not self.over.wait(0.5):
            pages = ec2.get_paginator("describe_instances").paginate()
            states = [one["State"]["Name"] for page in pages for group in page["Reservations"] for one in group["Instances"]]
            running = states.count("running")
            cloudwatch.put_metric_data(
                Namespace=METRIC["namespace"],
                MetricData=[
                    {
                        "MetricName": METRIC["metric_name"],
                        "Dimensions": [{"Name": METRIC["dimension_name"], "Value": METRIC["dimension_value"]}],
                        "Value": float(running),
                        "StorageResolution": 1,
                    }
                ],
            )
            self.said += 1
            if self.said == BEFORE:
                self.enough.set()
            if running < len(states) and self.breach is None:
                self.breach = time.monotonic() * 1000

    def breach_to_undo(self, *callers):
        """Seconds from the first breach that could be read to the call that undoes it."""
        undone = [
            began
            for caller, operation, began, _ in self.aws.ask("traffic")["spans"]
            if caller in callers and operation == "ec2:StartInstances"
        ]
        seen = self.breach
        assert seen is not None and undone, (seen, undone)
        return (min(one for one in undone if one >= seen) - seen) / 1000

    def forget(self):
        """What was seen and called so far."""
        self.aws.ask("traffic", {})
        self.breach = None
