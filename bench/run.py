"""Counts what a run asks of AWS and what its functions cost, and compares them with peers in the same run.

usage: run.py [--functions FOLDER] [--hello PROGRAM] [--targets 10,1000,10000] [--write FILE]
The functions are those that `sam build` made. Everything runs on a local AWS on this machine; targets are phantoms.
"""

import argparse
import contextlib
import io
import pathlib
import platform
import ssl
import statistics
import sys
import tempfile
import threading
import uuid
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/local-aws"), str(ROOT / "tests/e2e")]

import deploy  # noqa: E402
import peer  # noqa: E402
import testing  # noqa: E402
from drill import Stack  # noqa: E402

PHASES = ["prepare", "inject", "observe", "recover", "rollback", "validate", "report"]
FUNCTIONS = ["approval", *PHASES, "janitor"]
STARTS, RUN_SECONDS, DELAY_MILLIS = 9, 3600, 10
LAMBDA = {"Role": "arn:aws:iam::123456789012:role/bench", "Runtime": "provided.al2023", "Handler": "bootstrap"}


def main(arguments):
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__.splitlines()[0])
    parser.add_argument("--functions", type=pathlib.Path, default=ROOT / ".aws-sam/build")
    parser.add_argument("--hello", type=pathlib.Path, default=ROOT / "target/release/hello")
    parser.add_argument("--targets", default="10,1000,10000")
    parser.add_argument("--peer-targets", default="1,50,500", help="stops of this many instances, beside Chaos Toolkit")
    parser.add_argument("--no-starts", action="store_true", help="leave out what functions cost")
    parser.add_argument("--write", type=pathlib.Path, help="the page whose part between the marks is replaced")
    asked = parser.parse_args(arguments)
    sizes = [int(size) for size in asked.targets.split(",")]
    parts = [machine()] if asked.no_starts else [machine(), starts(asked.functions, asked.hello)]
    runs = {size: run(asked.functions, size) for size in sizes}
    slow = run(asked.functions, sizes[0], delay_millis=DELAY_MILLIS)
    parts += [calls(runs), memory(runs), trips(slow, sizes[0]), history(runs[sizes[0]])]
    if asked.peer_targets:
        parts.append(peer.compare(asked.functions, [int(size) for size in asked.peer_targets.split(",")], local, say))
    page = "\n\n".join(parts) + "\n"
    print(page)
    if asked.write:
        put(asked.write, page)
    return 0


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def machine():
    model = next(
        line.partition(":")[2].strip()
        for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines()
        if line.startswith("model name")
    )
    cores = len([line for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("processor")])
    return f"Measured on {cores} cores of {model}, Linux {platform.release()}, Python {platform.python_version()}."


# ---------------------------------------------------------------- what a function costs


def starts(functions, hello):
    """Cold starts, memory and size of every function, beside the smallest one and one in Python."""
    programs = {name: functions / f"{name.capitalize()}Function" / "bootstrap" for name in FUNCTIONS}
    packages = {name: packed(path.read_bytes()) for name, path in programs.items()}
    packages["hello world in Rust"] = packed(hello.read_bytes())
    python = (ROOT / "bench/python/bootstrap").read_text(encoding="utf-8").splitlines(keepends=True)
    packages["six clients with boto3"] = packed("".join([f"#!{sys.executable}\n", *python[1:]]).encode())
    with local("--no-lab") as aws:
        aws.client("iam").create_role(RoleName="bench", AssumeRolePolicyDocument="{}")
        measured = {name: cold(aws, package) for name, package in packages.items()}
    base, peer = measured["hello world in Rust"], measured["six clients with boto3"]
    lines = ["| function | start | × hello world | Python takes × | peak memory | zip |", "| --- | --- | --- | --- | --- | --- |"]
    for name, (millis, kib) in measured.items():
        size = "" if name.endswith("boto3") else f"{len(packages[name]) / 1e6:.1f} MB"
        lines.append(
            f"| {name} | {millis:.1f} ms | {millis / base[0]:.1f} | {peer[0] / millis:.0f} | {kib / 1024:.1f} MiB | {size} |"
        )
    return f"## A function's start\n\nThe median of {STARTS} starts, on the same runtime API in the same run.\n\n" + "\n".join(lines)


def cold(aws, package):
    """The median start of a package in milliseconds, and its highest memory in KiB."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    say(f"starting {name} {STARTS} times")
    client = aws.client("lambda")
    client.create_function(FunctionName=name, Code={"ZipFile": package}, Timeout=60, MemorySize=256, **LAMBDA)
    for number in range(STARTS):
        # Another environment variable is another environment.
        client.update_function_configuration(
            FunctionName=name, Environment={"Variables": {"BENCH": str(number), **variables()}}
        )
        client.invoke(FunctionName=name, Payload=b"{}")
    started = [one for one in aws.ask("environments") if one["function"] == name]
    assert len(started) == STARTS and all(one["init_millis"] for one in started), started
    return statistics.median(one["init_millis"] for one in started), max(one["peak_kib"] for one in started)


def variables():
    """What the template gives to functions; nothing of it is called.

    Besides, where the root certificates are: in one file, and a folder that holds no others, as on Lambda's Amazon Linux.
    Debian has each of them in a file of its own too, and all those would be read as well.
    """
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    names = {word.rstrip(":") for word in text.split() if word.startswith("STORMDRILL_")}
    roots, folder = ssl.get_default_verify_paths().cafile, ROOT / "target/no-roots"
    folder.mkdir(parents=True, exist_ok=True)
    return {name: "arn:aws:sns:us-east-1:123456789012:bench" if "ARN" in name else "123456789012" for name in names} | {
        "STORMDRILL_FAULTS": "host",
        "STORMDRILL_PROMETHEUS_URL": "",
        **({"SSL_CERT_FILE": roots, "SSL_CERT_DIR": str(folder)} if roots else {}),
    }


def packed(program):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packing:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr, entry.compress_type = 0o100755 << 16, zipfile.ZIP_DEFLATED
        packing.writestr(entry, program)
    return archive.getvalue()


# ---------------------------------------------------------------- what a run asks of AWS


def run(functions, targets, delay_millis=0):
    """One run on this number of phantoms: the calls, the environments and the history."""
    say(f"a run on {targets} targets" + (f", every call {delay_millis} ms later" if delay_millis else ""))
    with local("--phantoms", str(targets)) as aws:
        outputs = deploy.deploy(ROOT / "template.yaml", code=functions, parameters={"Environments": "lab"})
        deploy.prove_undo(outputs["RunsTableName"])
        with measuring(aws):
            aws.ask("traffic", {"delay_millis": delay_millis})
            drill = Stack(aws, outputs, None).start(experiment(targets), name=f"bench-{targets}")
            drill.ends("SUCCEEDED", seconds=RUN_SECONDS)
        traffic = aws.ask("traffic")
        pages = aws.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=drill.arn)
        events = [event for page in pages for event in page["events"]]
        return {
            "calls": {name.removeprefix("stormdrill-"): ops for name, ops in traffic["calls"].items()},
            "spans": traffic["spans"],
            "environments": aws.ask("environments"),
            "events": events,
        }


def experiment(targets):
    """The processors of every phantom are busy, long enough to reach all of them; one metric stays true."""
    metric = {"namespace": "Bench", "metric": "Steady", "statistic": "Average", "period": "1s"}
    return {
        "id": "bench",
        "title": "Everybody is busy",
        "hypothesis": "Nobody notices.",
        "environments": ["lab"],
        "targets": {"all": {"kind": "ec2-instance", "tags": {"Service": "phantoms"}, "pick": {"percent": 100}}},
        "faults": [{"name": "busy", "kind": "cpu-stress", "on": "all", "load": "50%", "duration": f"{max(30, targets // 20)}s"}],
        "steady_state": [{"name": "steady", "cloudwatch": metric, "tolerance": {"at_least": 0}}],
        "guards": {"max_blast_radius": "100%", "stop_when": [{"probe": "steady", "below": 0, "for_samples": 3}]},
        "observe": {"every": "5s", "baseline_samples": 2},
        "recovery": {"within": f"{max(60, targets // 25)}s", "check_every": "5s"},
    }


@contextlib.contextmanager
def measuring(aws):
    """The metric, every second."""
    over, cloudwatch = threading.Event(), aws.client("cloudwatch")

    def measure():
        while not over.wait(1):
            cloudwatch.put_metric_data(
                Namespace="Bench", MetricData=[{"MetricName": "Steady", "Value": 1.0, "StorageResolution": 1}]
            )

    thread = threading.Thread(target=measure, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def local(*arguments):
    with tempfile.TemporaryDirectory() as folder, testing.reached(pathlib.Path(folder) / "home", *arguments) as aws:
        yield aws


def calls(runs):
    sizes = list(runs)
    lines = ["| phase | call | " + " | ".join(f"{size:,} targets" for size in sizes) + " |"]
    lines.append("| --- | --- |" + " --- |" * len(sizes))
    for phase in PHASES:
        operations = sorted({operation for found in runs.values() for operation in found["calls"].get(phase, {})})
        for operation in operations:
            counts = [found["calls"].get(phase, {}).get(operation, 0) for found in runs.values()]
            lines.append(f"| {phase} | {operation} | " + " | ".join(f"{count:,}" for count in counts) + " |")
    totals = [sum(sum(ops.values()) for ops in found["calls"].values()) for found in runs.values()]
    lines.append("| all | | " + " | ".join(f"{total:,}" for total in totals) + " |")
    return "## What a run asks of AWS\n\nOne fault on every target; the calls of each phase, all its turns together.\n\n" + "\n".join(lines)


def memory(runs):
    lines = ["| phase | " + " | ".join(f"{size:,} targets" for size in runs) + " |", "| --- |" + " --- |" * len(runs)]
    for phase in PHASES:
        peaks = [peak(found["environments"], phase) for found in runs.values()]
        if any(peaks):
            lines.append(f"| {phase} | " + " | ".join(f"{kib / 1024:.1f} MiB" for kib in peaks) + " |")
    return "## Peak memory by targets\n\n" + "\n".join(lines)


def peak(environments, phase):
    return max((one["peak_kib"] for one in environments if one["function"] == f"stormdrill-{phase}"), default=0)


def trips(found, targets):
    """How many calls of a turn were made one after the other, from the calls themselves."""
    lines = ["| phase | turns | calls of a turn | of those in a row | the most in a row |", "| --- | --- | --- | --- | --- |"]
    for phase in PHASES:
        rows = [(len(calls), in_a_row(calls)) for calls in turns(found, phase)]
        if rows:
            calls, row = (statistics.median(one) for one in zip(*rows))
            lines.append(f"| {phase} | {len(rows)} | {calls:.0f} | {row:.0f} | {max(row for _, row in rows)} |")
    return (
        f"## Round trips\n\n{targets} targets, every call {DELAY_MILLIS} ms longer: a call that began before another one had ended "
        "was made beside it, and the others in a row.\nCalls that ask again whether something has happened are among them.\n\n"
        + "\n".join(lines)
    )


def turns(found, phase):
    """The calls of every turn, each from when to when."""
    function = f"stormdrill-{phase}"
    spans = sorted((began, ended) for caller, _, began, ended in found["spans"] if caller == function)
    for one in found["environments"]:
        if one["function"] == function:
            for millis, over in zip(one["durations_millis"], one["ends_millis"]):
                yield [(began, ended) for began, ended in spans if over - millis <= began and ended <= over]


def in_a_row(spans):
    """The longest row of calls of which each began when the one before had ended."""
    row, over = 0, float("-inf")
    for began, ended in sorted(spans, key=lambda span: span[1]):
        if began >= over:
            row, over = row + 1, ended
    return row


def history(found):
    events = found["events"]
    entered = [number for number, event in enumerate(events) if event.get("stateEnteredEventDetails", {}).get("name") == "Observe"]
    transitions = sum("stateEnteredEventDetails" in event for event in events)
    turns = [later - earlier for earlier, later in zip(entered, entered[1:])]
    inside = [
        sum("stateEnteredEventDetails" in event for event in events[earlier:later])
        for earlier, later in zip(entered, entered[1:])
    ]
    turn, states = statistics.median(turns), statistics.median(inside)
    other, others = len(events) - sum(turns), transitions - sum(inside)
    lines = ["| a look every | history events in an hour | state transitions in an hour |", "| --- | --- | --- |"]
    for every in (5, 10, 30, 60):
        looks = 3600 / every
        lines.append(f"| {every} s | {other + looks * turn:,.0f} | {others + looks * states:,.0f} |")
    return (
        f"## History\n\nA look costs {turn:.0f} events and {states:.0f} transitions; everything else of this run, {other} and {others}.\n"
        "A plan whose looks would not fit into a history takes several samples at a look.\n\n" + "\n".join(lines)
    )


def put(path, page):
    """Replaces what is between the marks."""
    text = path.read_text(encoding="utf-8")
    begin, end = "<!-- measured: begin -->\n", "<!-- measured: end -->"
    head, _, rest = text.partition(begin)
    path.write_text(head + begin + "\n" + page + "\n" + end + rest.partition(end)[2], encoding="utf-8")
    say(f"written into {path}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
