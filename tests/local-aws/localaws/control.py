"""The door for tests and benchmarks, beside AWS's own: `/local-aws/...` on the same port.

GET status, environments (init times, peak memory, durations of every function's environments), schedules (what is due
when, and how firings ended), traffic (the calls that functions made and from when to when, and the disturbances that are
still to come).
GET lags, POST lags {"reads_seconds": 2, "stop_seconds": 60, "start_seconds": 60, "metrics_seconds": {"AWS/": 60}} (what
is not said is off).
GET authorization (whether it is enforced, and what was refused), POST authorization {"enforced": true}.
POST clock {"advance_seconds": N}, POST schedules {"late_seconds": N} (deleted or changed so shortly before its moment, a
schedule fires as it was), POST alarms (evaluates all, now), POST traffic {"disturbances": [...], "delay_millis": N} (from
now on these; counts start anew). Answers are JSON.
"""

import dataclasses
import json

from . import alarms, functions, schedules
from .authorization import authorization
from .clockwork import clock
from .lags import lags
from .traffic import traffic

PREFIX = "/local-aws/"


def door(application, status):
    """Wraps the server's application; `status()` says what runs."""

    def answer(environ, start_response):
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if not path.startswith(PREFIX):
            return application(environ, start_response)
        try:
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            found = ask(method, path.removeprefix(PREFIX), json.loads(body or b"{}"), status)
            code, text = (
                ("200 OK", json.dumps(found))
                if found is not None
                else ("404 Not Found", '{"error":"no such question"}')
            )
        except (ValueError, KeyError, TypeError) as error:
            code, text = "400 Bad Request", json.dumps({"error": repr(error)})
        start_response(code, [("Content-Type", "application/json"), ("Content-Length", str(len(text.encode())))])
        return [text.encode()]

    return answer


def ask(method, what, body, status):
    """One question; nothing when it is not one."""
    if (method, what) == ("GET", "status"):
        return status()
    if (method, what) == ("GET", "environments"):
        return [dataclasses.asdict(measured) for measured in list(functions.pool.measured)]
    if (method, what) == ("GET", "schedules"):
        return {
            "now": clock.now().isoformat(),
            "due": [[key[0], due.isoformat() if due else None] for key, due in list(clock.due.items())],
            "firings": list(schedules.firings),
        }
    if (method, what) == ("POST", "schedules"):
        clock.late_seconds = float(body["late_seconds"])
        return {"late_seconds": clock.late_seconds}
    if (method, what) == ("GET", "traffic"):
        return {"calls": traffic.counted(), "spans": traffic.spent(), "waiting": traffic.waiting()}
    if (method, what) == ("POST", "traffic"):
        traffic.disturb(body.get("disturbances", []), body.get("delay_millis", 0))
        return {"calls": traffic.counted(forget=True), "waiting": traffic.waiting()}
    if (method, what) == ("POST", "lags"):
        lags.turn(**body)
    if what == "lags":
        return lags.shown()
    if (method, what) == ("POST", "authorization"):
        authorization.enforced = bool(body["enforced"])
    if what == "authorization":
        return {"enforced": authorization.enforced, "refused": list(authorization.refused)}
    if (method, what) == ("POST", "clock"):
        return {"fired": clock.push(float(body["advance_seconds"])), "now": clock.now().isoformat()}
    if (method, what) == ("POST", "alarms"):
        return alarms.evaluate()
    return None
