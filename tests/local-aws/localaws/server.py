"""The process: moto's server with everything installed, the clocks that tick beside it, and an orderly end.

usage: python -m localaws.server --port PORT --home FOLDER [--lab PROGRAM | --phantoms N] [--order-hosts N] [--rate N]
`local_aws.py` starts it; SIGTERM ends every environment, the lab and the folder's content.
"""

import argparse
import os
import signal
import sys
import threading
import time

from . import (
    acls,
    alarms,
    background,
    client,
    clockwork,
    commands,
    credentials,
    fleet,
    functions,
    interfaces,
    kinds,
    machines,
    measures,
    metrics,
    pages,
    paths,
    phantoms,
    rules,
    schedules,
    stacks,
    stale,
    stopping,
    tables,
)
from .authorization import authorization
from .cbor import speaking_cbor
from .control import door
from .lab import Lab
from .traffic import traffic


def main(arguments):
    parser = argparse.ArgumentParser(prog="localaws.server")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--home", required=True)
    parser.add_argument("--lab", help="the drill-lab program; without it there are no hosts")
    parser.add_argument("--phantoms", type=int, default=0, help="hosts that are only said to be there, for benchmarks")
    parser.add_argument("--order-hosts", type=int, default=4)
    parser.add_argument("--rate", type=int, default=50)
    asked = parser.parse_args(arguments)

    # moto compares times with the local time, the interpreter finds the server by this port, and moto would take the
    # first part of an address for the name of a bucket.
    os.environ |= {"TZ": "UTC", "MOTO_PORT": str(asked.port), "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"}
    time.tzset()
    kinds.install()
    functions.install(os.path.join(asked.home, "functions"))
    for module in (machines, rules, schedules, metrics, alarms, pages, acls, interfaces, stacks, stale, tables):
        module.install()
    application, server = _server(asked.port)
    signal.signal(signal.SIGTERM, lambda *_: background(server.shutdown))
    signal.signal(signal.SIGINT, lambda *_: background(server.shutdown))
    lab = None
    try:
        lab = _lab(asked)
        spoken = speaking_cbor(application, client("cloudwatch"))
        server.app = door(traffic.passing(authorization.passing(spoken)), lambda: _status(asked, lab))
        background(clockwork.clock.run, name="clockwork")
        background(alarms.run, name="alarms")
        server.serve_forever(poll_interval=0.1)
    finally:
        stopping.set()
        functions.close()
        if lab:
            lab.down()


def _server(port):
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    class Quiet(MotoRequestHandler):
        """No line for each request, and connections that live for several."""

        protocol_version = "HTTP/1.1"

        def log_request(self, *_):
            pass

    application = DomainDispatcherApplication(create_backend_app)
    return application, make_server("127.0.0.1", port, application, threaded=True, request_handler=Quiet)


def _lab(asked):
    if asked.phantoms:
        hosts = phantoms.Phantoms(asked.phantoms)
        phantoms.install(hosts)
        return hosts
    if not asked.lab:
        return None
    lab = Lab(asked.lab, os.path.join(asked.home, "lab"))
    try:
        lab.up(asked.order_hosts, asked.rate)
    except Exception:
        lab.down()
        raise
    fleet.install(lab)
    fleet.copy()
    commands.install(lab, paths.agent_is_heard)
    background(fleet.run, name="fleet")
    background(measures.run, lab, name="measures")
    return lab


def _status(asked, lab):
    return {
        "pid": os.getpid(),
        "port": asked.port,
        "environment": credentials(),
        "lab": {
            "home": lab.home,
            "hosts": lab.last["hosts"],
            "groups": lab.last["groups"],
            "lately": lab.last["lately"],
        }
        if lab
        else None,
        "threads": threading.active_count(),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
    # Everything of ours has ended; Python would need seconds to take moto apart.
    sys.stdout.flush()
    os._exit(0)
