"""What experiments may ask besides AWS, on this machine: a Prometheus and a service's own page, both told by real hosts.

They serve at an address of this machine that is not its loopback: functions do not ask their own. It is one of those that
documents use, so nothing leaves the machine.
"""

import contextlib
import http.server
import json
import subprocess
import threading
import time
import urllib.parse

ADDRESS = "192.0.2.83"
QUERY = 'sum(up{job="orders"})'


class Monitor:
    """How many order services run, seen from their hosts, in the words of Prometheus and as a status."""

    def __init__(self):
        self.url, self.silent, self.count = None, False, None

    @property
    def prometheus_url(self):
        return f"{self.url}/prometheus"

    def prometheus(self, query):
        """The answer to an instant query; a query of anything else finds no series, as the real one does."""
        value = self.count() if query == QUERY and not self.silent else None
        found = [] if value is None else [{"metric": {}, "value": [time.time(), str(value)]}]
        return {"status": "success", "data": {"resultType": "vector", "result": found}}


@contextlib.contextmanager
def watching():
    """A monitor that serves; nothing of it stays."""
    monitor = Monitor()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            known = self.path == "/prometheus/api/v1/query"
            self.reply(200 if known else 404, monitor.prometheus(form["query"][0]) if known else {})

        def do_GET(self):
            """`/orders/N`: at least so many of them run."""
            least = int(self.path.removeprefix("/orders/"))
            self.reply(200 if monitor.count() >= least else 503, {})

        def reply(self, status, body):
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    subprocess.run(["ip", "address", "replace", f"{ADDRESS}/32", "dev", "lo"], check=True)
    try:
        with http.server.ThreadingHTTPServer((ADDRESS, 0), Handler) as server:
            monitor.url = f"http://{ADDRESS}:{server.server_port}"
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield monitor
            server.shutdown()
    finally:
        subprocess.run(["ip", "address", "delete", f"{ADDRESS}/32", "dev", "lo"], check=True)
