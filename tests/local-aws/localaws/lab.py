"""The lab: real, sealed hosts, reached through the `drill-lab` command line and nothing else.

One lab in a home of its own: raised, looked at, its hosts' power switched, scripts run as the SSM agent runs them.
`fleet` shows its hosts as EC2 instances, `commands` runs documents on them, `measures` reads its client.
"""

import json
import os
import secrets
import subprocess
import threading
from dataclasses import dataclass

STDOUT_LIMIT, STDERR_LIMIT = 24_000, 8_000
# As the SSM agent does it: the script is a file, in a folder of its own, and its shebang counts.
# After `exec` nothing on the host has the script's text in its arguments, where a fault's pattern could find it.
LAY_DOWN = 'umask 077; mkdir -p "$1" && printf %s "$2" >"$1/_script.sh" && chmod 700 "$1/_script.sh" && cd "$1" && exec ./_script.sh'
ORCHESTRATION = "/var/lib/amazon/ssm/document/orchestration"


@dataclass
class Ended:
    """How a script ended, in SSM's words."""

    status: str
    code: int
    stdout: str
    stderr: str


class Lab:
    """A running lab, or the place where one would be."""

    def __init__(self, program, home):
        self.program, self.home = program, home
        self.lock, self.last = threading.Lock(), {"hosts": [], "groups": [], "lately": None}

    def up(self, order_hosts, rate):
        self._run("up", "--detach", "--order-hosts", str(order_hosts), "--rate", str(rate), timeout=150)
        return self.look()

    def down(self):
        done = subprocess.run([self.program, "down", "--home", self.home], capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            print(f"lab: {done.stderr}", flush=True)

    def look(self):
        """The state of everything, fresh."""
        with self.lock:
            self.last = json.loads(self._run("status", "--json").stdout)
            return self.last

    def host(self, instance_id):
        """One host, as last seen; nothing when there is none."""
        return next((host for host in self.last["hosts"] if host["instance_id"] == instance_id), None)

    def power(self, action, instance_id):
        """`start`, `stop`, `reboot`, `terminate`."""
        self._run("host", action, instance_id, timeout=60)

    def exec(self, instance_id, *command, timeout=10):
        """A short command's standard output."""
        return self._run("exec", instance_id, "--", *command, timeout=timeout).stdout

    def script(self, instance_id, step, cancelled):
        """Runs one step of a document to its end, its limit, or until `cancelled` is set."""
        folder = f"{ORCHESTRATION}/{secrets.token_hex(8)}"
        environment = [f"{name}={value}" for name, value in step.environment.items()]
        laid = ["env", *environment, "/bin/sh", "-c", LAY_DOWN, "sh", folder, step.script]
        process = subprocess.Popen(
            [self.program, "exec", "--home", self.home, instance_id, "--", *laid],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        ended = _watched(process, step.timeout_seconds, cancelled)
        if ended.code == 4 and not ended.stdout and _lost(ended.stderr):
            ended = Ended("Terminated", -1, "", ended.stderr)
        try:
            self.exec(instance_id, "rm", "-rf", folder)
        except (subprocess.SubprocessError, OSError):
            # The host went away under the script, and took the folder along.
            pass
        return ended

    def _run(self, command, *arguments, timeout=20):
        done = subprocess.run(
            [self.program, command, "--home", self.home, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode != 0:
            raise subprocess.SubprocessError(f"drill-lab {command} {' '.join(arguments[:2])}: {done.stderr.strip()}")
        return done


def _lost(stderr):
    """Whether `drill-lab exec` says that it lost the host, rather than the script its result."""
    return stderr.strip().splitlines()[-1:] != [] and stderr.strip().splitlines()[-1].startswith("drill-lab: ")


def _watched(process, limit, cancelled):
    """Waits; at the limit, or when cancelled, the client goes, and the agent kills the script's whole group."""
    outputs = {}

    def read(name, pipe, keep):
        kept = b""
        while chunk := pipe.read1(8192):
            kept += chunk[: keep - len(kept)]
        outputs[name] = kept.decode("utf-8", "replace")

    readers = [
        threading.Thread(target=read, args=("stdout", process.stdout, STDOUT_LIMIT), daemon=True),
        threading.Thread(target=read, args=("stderr", process.stderr, STDERR_LIMIT), daemon=True),
    ]
    for reader in readers:
        reader.start()
    status, waited = None, 0.0
    while True:
        try:
            code = process.wait(timeout=0.05)
            break
        except subprocess.TimeoutExpired:
            waited += 0.05
        if status is None and (cancelled.is_set() or waited > limit):
            status = "Cancelled" if cancelled.is_set() else "TimedOut"
            process.kill()
    for reader in readers:
        reader.join()
    status = status or ("Success" if code == 0 else "Failed")
    return Ended(status, code if status in ("Success", "Failed") else -1, outputs["stdout"], outputs["stderr"])


def program():
    """The `drill-lab` to use: $DRILL_LAB, or what this workspace has built; nothing when there is none."""
    here = os.path.dirname(os.path.abspath(__file__))
    root = os.path.normpath(os.path.join(here, "../../.."))
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(root, "target"))
    for path in (
        os.environ.get("DRILL_LAB"),
        os.path.join(target, "debug/drill-lab"),
        os.path.join(root, "target/debug/drill-lab"),
    ):
        if path and os.access(path, os.X_OK):
            return path
    return None
