"""Execution environments: a packaged `bootstrap` behind a Lambda runtime API of its own.

A call gets an idle environment or a new one; time limits, crashes and failed starts end as Lambda ends them.
It knows nothing of moto; `functions` connects the two. What a start costs and memory peaks are kept for benchmarks.
"""

import contextlib
import json
import os
import queue
import secrets
import signal
import subprocess
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Lambda gives the init phase 10 seconds, whatever the function's own limit.
INIT_SECONDS = 10
TAIL_BYTES = 4096
# By this name in their environment, `local_aws.py down` finds environments whose server was killed.
MARK = "STORMDRILL_LOCAL_AWS"
API = "/2018-06-01/runtime/"


@dataclass(frozen=True)
class Function:
    """What an environment is made from. Another value is another environment."""

    arn: str
    name: str
    version: str
    handler: str
    memory_mib: int
    timeout_seconds: int
    code: str
    variables: tuple


@dataclass
class Outcome:
    """How an invocation ended: `error` is what `X-Amz-Function-Error` says."""

    payload: bytes
    error: str | None
    request_id: str
    millis: float
    alive: bool = True
    tail: str = ""


@dataclass
class Measured:
    """What an environment took."""

    function: str
    version: str
    pid: int | None = None
    init_millis: float | None = None
    peak_kib: int = 0
    invocations: int = 0
    durations_millis: list = field(default_factory=list)
    # When each invocation ended, on the clock of `traffic`.
    ends_millis: list = field(default_factory=list)
    ended: str | None = None


def failure(kind, message):
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


class Environment:
    """One process and the runtime API that only it talks to."""

    def __init__(self, function, log):
        self.function, self.log = function, log
        self.inbox, self.outbox = queue.Queue(), queue.Queue()
        self.ready, self.closing = threading.Event(), threading.Lock()
        self.current = None
        self.tail = b""
        # Before the process: a small one asks for its first call before this one goes on.
        self.measured = Measured(function.name, function.version)
        self.api = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.api.daemon_threads = True
        threading.Thread(target=self.api.serve_forever, args=(0.05,), daemon=True).start()
        self.began = time.monotonic()
        try:
            self.process = self._start()
        except OSError:
            self._close_api()
            raise
        self.measured.pid = self.process.pid
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _start(self):
        return subprocess.Popen(
            [os.path.join(self.function.code, "bootstrap")],
            cwd=self.function.code,
            env=dict(self.function.variables) | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.api.server_port}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def invoke(self, payload):
        """Runs one invocation; a dead environment says so in the outcome and is closed by its owner."""
        request_id, limit = str(uuid.uuid4()), self.function.timeout_seconds
        if not self._initialised():
            return self._died(request_id, "init", 0.0)
        self.log(f"START RequestId: {request_id} Version: {self.function.version}")
        began, deadline = time.monotonic(), time.time() + limit
        self.current = request_id
        self.inbox.put((request_id, payload, int(deadline * 1000)))
        outcome = self._outcome(request_id, began + limit)
        self.current = None
        millis = (time.monotonic() - began) * 1000
        self._note(millis)
        if outcome is None:
            outcome = self._died(request_id, "invoke", millis)
        elif outcome == "late":
            outcome = self._late(request_id, millis)
        else:
            body, error = outcome
            outcome = Outcome(body, error, request_id, millis)
        self._report(outcome)
        outcome.tail = self.tail[-TAIL_BYTES:].decode("utf-8", "replace")
        return outcome

    def close(self, why="closed"):
        """Ends the process and its group, and the API."""
        with self.closing:
            if self.measured.ended:
                return
            self.measured.ended = why
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.reader.join(2)
        self._close_api()

    def _close_api(self):
        self.inbox.put(None)
        self.api.shutdown()
        self.api.server_close()

    def lives(self):
        return self.process.poll() is None

    def _initialised(self):
        limit = self.began + INIT_SECONDS
        while not self.ready.wait(0.01):
            if not self.lives() or not self.outbox.empty() or time.monotonic() > limit:
                return self.ready.is_set()
        return True

    def _outcome(self, request_id, limit):
        """What the function answered; `late` at its limit, nothing when it died."""
        while True:
            try:
                answered, body, error = self.outbox.get(timeout=0.01)
                if answered == request_id:
                    return body, error
            except queue.Empty:
                pass
            if time.monotonic() > limit:
                return "late"
            if not self.lives() and self.outbox.empty():
                return None

    def _died(self, request_id, phase, millis):
        """The outcome when there is nobody left to answer."""
        said = None if self.outbox.empty() else self.outbox.get()
        if said:
            body, why = said[1], "failed to initialise"
        elif self.lives():
            body = failure(
                "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {INIT_SECONDS:.2f} seconds"
            )
            why = "timed out in init"
        else:
            code = self.process.wait()
            if code == 0:
                why = "Runtime exited without providing a reason"
            else:
                how = (
                    f"signal: {signal.Signals(-code).name.removeprefix('SIG').lower()}"
                    if code < 0
                    else f"exit status {code}"
                )
                why = f"Runtime exited with error: {how}"
            body = failure("Runtime.ExitError", f"RequestId: {request_id} Error: {why}")
        self.close(f"{phase}: {why}")
        return Outcome(
            body, "Unhandled", request_id, millis, alive=False, tail=self.tail[-TAIL_BYTES:].decode("utf-8", "replace")
        )

    def _late(self, request_id, millis):
        limit = f"{self.function.timeout_seconds:.2f}"
        self.close("timed out")
        self.log(f"{request_id} Task timed out after {limit} seconds")
        body = failure("Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {limit} seconds")
        return Outcome(body, "Unhandled", request_id, millis, alive=False)

    def _note(self, millis):
        self.measured.invocations += 1
        self.measured.durations_millis.append(round(millis, 3))
        self.measured.ends_millis.append(round(time.monotonic() * 1000, 3))
        try:
            with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
                peak = next((int(line.split()[1]) for line in status if line.startswith("VmHWM:")), 0)
            self.measured.peak_kib = max(self.measured.peak_kib, peak)
        except OSError:
            pass

    def _report(self, outcome):
        first = self.measured.invocations == 1 and self.measured.init_millis is not None
        init = f"\tInit Duration: {self.measured.init_millis:.2f} ms" if first else ""
        self.log(f"END RequestId: {outcome.request_id}")
        self.log(
            f"REPORT RequestId: {outcome.request_id}\tDuration: {outcome.millis:.2f} ms\tBilled Duration: "
            f"{int(outcome.millis) + 1} ms\tMemory Size: {self.function.memory_mib} MB\t"
            f"Max Memory Used: {max(1, self.measured.peak_kib // 1024)} MB{init}"
        )

    def _read(self):
        for line in self.process.stdout:
            self.tail = (self.tail + line)[-2 * TAIL_BYTES :]
            self.log(line.decode("utf-8", "replace").rstrip("\n"))

    def _handler(environment):
        # `self` is a request in the class below; the environment goes by its name.
        class Api(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle(self):
                # A process that is killed leaves in the middle of a sentence.
                with contextlib.suppress(ConnectionError):
                    super().handle()

            def do_GET(self):
                if self.path != f"{API}invocation/next":
                    return self.answer(404, b'{"errorType":"NotFound"}')
                if not environment.ready.is_set():
                    environment.measured.init_millis = round((time.monotonic() - environment.began) * 1000, 3)
                    environment.ready.set()
                call = environment.inbox.get()
                if call is None:
                    self.close_connection = True
                    return None
                request_id, payload, deadline = call
                root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
                return self.answer(
                    200,
                    payload,
                    {
                        "Lambda-Runtime-Aws-Request-Id": request_id,
                        "Lambda-Runtime-Deadline-Ms": str(deadline),
                        "Lambda-Runtime-Invoked-Function-Arn": environment.function.arn,
                        "Lambda-Runtime-Trace-Id": f"Root={root};Parent={secrets.token_hex(8)};Sampled=0",
                    },
                )

            def do_POST(self):
                body = self.body()
                if self.path == f"{API}init/error":
                    environment.outbox.put((None, body, "Unhandled"))
                    return self.answer(202, b'{"status":"OK"}')
                request_id, _, what = self.path.removeprefix(f"{API}invocation/").partition("/")
                if what not in ("response", "error"):
                    return self.answer(404, b'{"errorType":"NotFound"}')
                if request_id != environment.current:
                    return self.answer(400, b'{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}')
                environment.outbox.put((request_id, body, None if what == "response" else "Unhandled"))
                return self.answer(202, b'{"status":"OK"}')

            def body(self):
                if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                    return self.exactly(int(self.headers.get("Content-Length") or 0))
                body = b""
                while size := int(self.line().split(b";")[0], 16):
                    body += self.exactly(size)
                    self.line()
                while self.line().strip():
                    pass
                return body

            def line(self):
                return self.whole(self.rfile.readline(), 1)

            def exactly(self, size):
                return self.whole(self.rfile.read(size), size)

            def whole(self, found, size):
                if len(found) < size:
                    raise ConnectionAbortedError("half an answer is none")
                return found

            def answer(self, status, body, headers=None):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        return Api


class Pool:
    """All environments. One of them serves one call at a time; a free one is used again."""

    def __init__(self):
        self.lock = threading.Lock()
        self.idle, self.busy, self.measured = {}, {}, []

    def invoke(self, function, payload, log):
        try:
            environment = self._take(function, log)
        except OSError as error:
            request_id = str(uuid.uuid4())
            body = failure("Runtime.InvalidEntrypoint", f"RequestId: {request_id} Error: {error}")
            return Outcome(body, "Unhandled", request_id, 0.0, alive=False)
        outcome = environment.invoke(payload)
        with self.lock:
            self.busy[function.arn].remove(environment)
            if outcome.alive:
                self.idle.setdefault(function, []).append(environment)
        if not outcome.alive:
            environment.close()
        return outcome

    def kill(self, name):
        """Ends the processes of a function that are at work, as a crash would: their callers hear of it."""
        with self.lock:
            working = [one for some in self.busy.values() for one in some if one.function.name == name]
        for environment in working:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(environment.process.pid, signal.SIGKILL)

    def in_flight(self, arn):
        with self.lock:
            return len(self.busy.get(arn, ()))

    def close(self):
        with self.lock:
            every = [one for some in (*self.idle.values(), *self.busy.values()) for one in some]
            self.idle, self.busy = {}, {}
        for environment in every:
            environment.close("shut down")

    def _take(self, function, log):
        with self.lock:
            outdated = [other for other in self.idle if other.arn == function.arn and other != function]
            stale = [environment for other in outdated for environment in self.idle.pop(other)]
            waiting = self.idle.get(function, [])
            environment = waiting.pop() if waiting else None
            if environment and not environment.lives():
                stale.append(environment)
                environment = None
            environment = environment or Environment(function, log())
            self.busy.setdefault(function.arn, []).append(environment)
            if environment.measured not in self.measured:
                self.measured.append(environment.measured)
        for old in stale:
            old.close("replaced")
        return environment
