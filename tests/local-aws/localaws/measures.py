"""What the lab measures, in CloudWatch: the load client's seconds and the load balancer's health checks.

Names and units are those that the lab itself uses (`Orders`, `AWS/ApplicationELB`); each order's latency is one value.
What cannot be read is missing, never zero.
"""

import datetime
import json
import subprocess

from . import observed, stopping

# Where the demo fleet's client and load balancer answer.
CLIENT_PORT, BALANCER_PORT = 9090, 80
SERVICE = {"Service": "order-service"}
# bash speaks HTTP where nothing else does; the answer's body is after the first empty line.
GET = 'exec 3<>"/dev/tcp/$1/$2" && printf "GET %s HTTP/1.0\\r\\nHost: lab\\r\\n\\r\\n" "$3" >&3 && cat <&3'


def run(lab):
    """Reads every second, for ever."""
    after = 0
    while not stopping.wait(1):
        try:
            after = read(lab, after)
        except (subprocess.SubprocessError, ValueError, OSError, KeyError):
            # The client's host is down, or not up yet: nothing is known of this second.
            continue


def read(lab, after):
    """Puts what is new; gives the number to go on with."""
    client = next(host for host in lab.last["hosts"] if host["name"] == "order-client" and host["state"] == "running")
    measurements = get(lab, client["instance_id"], "127.0.0.1", CLIENT_PORT, f"/measurements/{after}")
    for second in measurements["seconds"]:
        note(second)
    balancers(lab, client)
    return 0 if measurements["next"] < after else measurements["next"]


def note(second):
    at = datetime.datetime.fromisoformat(second["at"].replace("Z", "+00:00"))
    for metric in ("requests", "accepted", "rejected", "errors", "dropped"):
        observed.put("Orders", metric.capitalize(), SERVICE, [second[metric]], at=at)
    if second["requests"] > 0:
        lost = second["errors"] + second["dropped"]
        share = max(0.0, (second["requests"] - lost) / second["requests"] * 100)
        observed.put("Orders", "Availability", SERVICE, [share], "Percent", at)
    observed.put("Orders", "Latency", SERVICE, second["latencies"], "Milliseconds", at)


def balancers(lab, client):
    """Healthy and unhealthy targets, as each group's load balancer has them."""
    for balancer in (host for host in lab.last["hosts"] if host["name"] == "order-lb" and host["state"] == "running"):
        targets = get(lab, client["instance_id"], balancer["address"], BALANCER_PORT, "/targets")
        healthy = sum(target["health"].lower() == "healthy" for target in targets)
        for group in lab.last["groups"]:
            named = {"TargetGroup": group["name"]}
            observed.count("AWS/ApplicationELB", "HealthyHostCount", named, healthy)
            observed.count("AWS/ApplicationELB", "UnHealthyHostCount", named, len(targets) - healthy)


def get(lab, instance_id, address, port, path):
    answer = lab.exec(instance_id, "bash", "-c", GET, "bash", address, str(port), path)
    head, _, body = answer.replace("\r\n", "\n").partition("\n\n")
    if " 200 " not in head.partition("\n")[0] + " ":
        raise ValueError(f"{path}: {head[:80]}")
    return json.loads(body)
