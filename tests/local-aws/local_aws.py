"""Starts, shows and ends the local AWS: moto with what it lacks, and the lab's hosts as its instances.

usage: local_aws.py up [--port N] [--no-lab] [--order-hosts N] [--rate N] | env | status | down   (all: --home FOLDER)
What runs is written into the home (target/local-aws); `down` leaves no process, namespace or file of it.
"""

import argparse
import json
import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from localaws import lab as labs
from localaws.runtime import MARK

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RAISING_SECONDS, GOING_SECONDS = 120, 60


def main(arguments):
    parser = argparse.ArgumentParser(prog="local_aws.py", description=__doc__.splitlines()[0])
    home = argparse.ArgumentParser(add_help=False)
    home.add_argument(
        "--home", type=pathlib.Path, default=ROOT / "target/local-aws", help="where what runs is written down"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    raising = commands.add_parser("up", parents=[home], help="start everything and print how to reach it")
    raising.add_argument("--port", type=int, default=4566, help="0 takes a free one (default: 4566)")
    raising.add_argument("--lab", help="the drill-lab program (default: $DRILL_LAB or the one built here)")
    raising.add_argument("--no-lab", action="store_true", help="no hosts")
    raising.add_argument("--phantoms", type=int, help="so many hosts that are only said to be there, for benchmarks")
    raising.add_argument("--order-hosts", type=int, default=4)
    raising.add_argument("--rate", type=int, default=50, help="orders a second")
    commands.add_parser("env", parents=[home], help="print the environment for clients, for `eval`")
    commands.add_parser("status", parents=[home], help="say what runs, as JSON")
    commands.add_parser("down", parents=[home], help="end everything")
    asked = parser.parse_args(arguments)
    asked.home = asked.home.resolve()
    return {"up": up, "env": env, "status": status, "down": down}[asked.command](asked)


def up(asked):
    if running(asked.home):
        print(f"a local AWS runs in {asked.home} already: end it with `local_aws.py down`", file=sys.stderr)
        return 2
    sweep(asked.home)
    without = asked.no_lab or asked.phantoms
    program = None if without else asked.lab or labs.program()
    if not program and not without:
        print(
            "no drill-lab is built: `cargo build -p drill-lab`, or `--no-lab` for an AWS without hosts", file=sys.stderr
        )
        return 2
    port = asked.port or free_port()
    asked.home.mkdir(parents=True, exist_ok=True)
    log = asked.home / "server.log"
    command = [sys.executable, "-m", "localaws.server", "--port", str(port), "--home", str(asked.home)]
    if program:
        # A copy: a build must not take the program away from a lab that runs.
        program = shutil.copy2(program, asked.home / "drill-lab")
        command += [
            "--lab",
            str(program),
            "--order-hosts",
            str(asked.order_hosts),
            "--rate",
            str(asked.rate),
        ]
    if asked.phantoms:
        command += ["--phantoms", str(asked.phantoms)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        MARK: str(asked.home)
    }
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, cwd=HERE, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    state = {"pid": server.pid, "started": started(server.pid), "port": port, "program": str(program or "")}
    (asked.home / "state.json").write_text(json.dumps(state), encoding="utf-8")
    patience = time.monotonic() + RAISING_SECONDS
    while time.monotonic() < patience:
        if server.poll() is not None:
            break
        if answer(port):
            print(f"# The local AWS answers at http://127.0.0.1:{port}; its log is {log}.")
            return env(asked)
        time.sleep(0.05)
    print(f"the local AWS did not come up:\n{log.read_text(errors='replace')[-4000:]}", file=sys.stderr)
    down(asked)
    return 1


def env(asked):
    state = running(asked.home)
    found = answer(state["port"]) if state else None
    if not found:
        print(f"no local AWS runs in {asked.home}: start one with `local_aws.py up`", file=sys.stderr)
        return 2
    for name, value in (found["environment"] | {"AWS_PAGER": ""}).items():
        print(f"export {name}={shlex.quote(value)}")
    print(f"# The AWS command line is {pathlib.Path(sys.executable).parent / 'aws'}.")
    return 0


def status(asked):
    state = running(asked.home)
    print(json.dumps(answer(state["port"]) if state else None, indent=2))
    return 0 if state else 1


def down(asked):
    state = running(asked.home)
    if state:
        os.kill(state["pid"], signal.SIGTERM)
        patience = time.monotonic() + GOING_SECONDS
        while running(asked.home) and time.monotonic() < patience:
            time.sleep(0.05)
        if running(asked.home):
            os.kill(state["pid"], signal.SIGKILL)
    left = sweep(asked.home)
    if left:
        print(f"still there: {', '.join(left)}", file=sys.stderr)
        return 3
    print("the local AWS is gone")
    return 0


def sweep(home):
    """Ends what a dead server left and removes the home; gives what could not be ended."""
    left = []
    record = read(home)
    lab = home / "lab"
    if lab.exists() and record.get("program"):
        ended = subprocess.run(
            [record["program"], "down", "--home", str(lab)], capture_output=True, text=True, check=False
        )
        if ended.returncode != 0:
            left.append(ended.stderr.strip())
    patience = time.monotonic() + 10
    while (processes := marked(home)) and time.monotonic() < patience:
        for pid in processes:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.02)
    left += [f"process {pid}" for pid in marked(home)]
    if not left:
        shutil.rmtree(home, ignore_errors=True)
    return left + ([str(home)] if not left and home.exists() else [])


def marked(home):
    """Processes that carry this home in their environment: the server's and its functions'."""
    found, own = [], {os.getpid(), os.getppid()}
    wanted = {f"{MARK}={home}".encode(), f"{MARK}={home}/functions".encode()}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in own:
            try:
                variables = (entry / "environ").read_bytes().split(b"\0")
                alive = (entry / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
            except OSError:
                continue
            if alive and wanted & set(variables):
                found.append(int(entry.name))
    return found


def read(home):
    try:
        return json.loads((home / "state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def running(home):
    """The record of the server that lives; one that died, or whose number another process has, is none."""
    record = read(home)
    return record if record and started(record["pid"]) == record["started"] else None


def started(pid):
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def answer(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/local-aws/status", timeout=5) as response:
            return json.load(response)
    except (urllib.error.URLError, OSError, ValueError):
        return None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
