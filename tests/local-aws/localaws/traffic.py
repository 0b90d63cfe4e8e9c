"""What functions ask of this AWS, on its way: counted, slowed down, refused, or cut short by the caller's end.

A function's calls carry its name, as the SDK's application id, so that nobody else's are touched.
"""

import collections
import io
import json
import re
import threading
import time
import urllib.parse
from dataclasses import dataclass

from . import functions

# How an SDK sends on what the function's environment says in AWS_SDK_UA_APP_ID.
CALLER = re.compile(r"\bapp/([A-Za-z0-9_-]+)")
_SERVICE = re.compile(r"Credential=[^/]+/[0-9]+/[a-z0-9-]+/([a-z0-9-]+)/aws4_request")
_RPC = re.compile(r"/service/\w+/operation/(\w+)$")


@dataclass
class Disturbance:
    """The next so many calls of one operation do not go as they should.

    `refuse`: with a ThrottlingException, and nothing happened. `kill`: it happened, and the caller is dead before it hears.
    """

    operation: str
    do: str
    function: str = ""
    times: int = 1

    def __post_init__(self):
        if self.do not in ("refuse", "kill"):
            raise ValueError(f"do is refuse or kill, not {self.do}")


class Traffic:
    """Everything between the functions and the server."""

    def __init__(self):
        self.lock = threading.Lock()
        self.calls, self.disturbances, self.delay_millis = collections.Counter(), [], 0.0
        self.spans = []

    def passing(self, application):
        """A WSGI application that answers as `application` does, unless it is told otherwise."""

        def answer(environ, start_response):
            caller = CALLER.search(environ.get("HTTP_USER_AGENT", ""))
            if not caller:
                return application(environ, start_response)
            operation = named(environ)
            began = time.monotonic()
            with self.lock:
                self.calls[(caller[1], operation)] += 1
                disturbance = self._due(caller[1], operation)
            if self.delay_millis:
                time.sleep(self.delay_millis / 1000)
            if disturbance and disturbance.do == "refuse":
                return _throttled(start_response)
            said = application(environ, start_response)
            with self.lock:
                self.spans.append((caller[1], operation, *(round(at * 1000, 3) for at in (began, time.monotonic()))))
            if disturbance:
                said = list(said)
                functions.pool.kill(caller[1])
            return said

        return answer

    def counted(self, forget=False):
        """The calls until now, by function and operation."""
        with self.lock:
            found = collections.defaultdict(dict)
            for (function, operation), count in sorted(self.calls.items()):
                found[function][operation] = count
            if forget:
                self.calls.clear()
                self.spans.clear()
        return found

    def spent(self):
        """Who called what from when to when, in milliseconds of one clock."""
        with self.lock:
            return list(self.spans)

    def disturb(self, disturbances, delay_millis):
        """From now on these, and no others."""
        with self.lock:
            self.disturbances = [Disturbance(**one) for one in disturbances]
            self.delay_millis = float(delay_millis)

    def waiting(self):
        """The disturbances that have not happened yet."""
        with self.lock:
            return [vars(one) for one in self.disturbances if one.times > 0]

    def _due(self, caller, operation):
        for one in self.disturbances:
            if one.operation == operation and one.function in ("", caller) and one.times > 0:
                one.times -= 1
                return one
        return None


def read(environ):
    """The body of a request, which can be read again."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def named(environ):
    """A call's service and operation, in whichever protocol it came; the method and the path where a path says it."""
    service = _SERVICE.search(environ.get("HTTP_AUTHORIZATION", ""))
    service = service[1] if service else "unsigned"
    target, path = environ.get("HTTP_X_AMZ_TARGET"), environ.get("PATH_INFO", "")
    if target:
        return f"{service}:{target.rpartition('.')[2]}"
    if rpc := _RPC.search(path):
        return f"{service}:{rpc[1]}"
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        action = urllib.parse.parse_qs(read(environ).decode()).get("Action", ["?"])[0]
        return f"{service}:{action}"
    # The first part of a path is an operation, but in S3 a bucket.
    first = "" if service == "s3" else path.strip("/").split("/")[0]
    return f"{service}:{environ['REQUEST_METHOD']} /{first}"


def _throttled(start_response):
    """As JSON services say it; whoever speaks another protocol reads the status."""
    body = json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"}).encode()
    headers = [("Content-Type", "application/x-amz-json-1.0"), ("Content-Length", str(len(body)))]
    start_response("400 Bad Request", headers)
    return [body]


traffic = Traffic()
