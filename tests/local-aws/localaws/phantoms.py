"""Hosts that are only said to be there: what a bank has, for counting what is asked of AWS about ten thousand of them.

They answer documents as hosts do, and nothing happens anywhere. No test of what a drill does may stand on them.
"""

import collections
import copy
import json
import threading
import time
import types

from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT_ID
from moto.core.responses import ActionResult
from moto.dynamodb import models as tables
from moto.dynamodb.models.table import Table
from moto.ec2.responses.instances import InstanceResponse

from . import commands
from .lab import Ended

_copying = threading.Lock()
TAGS = {"Service": "phantoms", "StormdrillReady": "lab"}


def install(phantoms):
    """From now on they are the instances that there are, and the hosts that commands go to."""

    def page(response, each):
        get = response._get_param
        ids, size, first = get("InstanceIds", []), int(get("MaxResults") or 0), int(get("NextToken") or 0)
        hosts = [phantoms.hosts[one] for one in ids] or list(phantoms.hosts.values())
        last = first + size if size else len(hosts)
        return [each(host) for host in hosts[first:last]], str(last) if last < len(hosts) else None

    def describe_instances(self):
        instances, more = page(self, _instance)
        found = {"ReservationId": "r-0", "OwnerId": ACCOUNT_ID, "Instances": instances}
        return ActionResult({"Reservations": [found], "NextToken": more})

    def describe_instance_status(self):
        statuses, more = page(self, _status)
        return ActionResult({"InstanceStatuses": statuses, "NextToken": more})

    def turn(state):
        def answer(self):
            self.error_on_dryrun()
            asked = self._get_param("InstanceIds", [])
            return ActionResult({_TURNED[state]: [_turned(phantoms.hosts[one], state) for one in asked]})

        return answer

    InstanceResponse.stop_instances, InstanceResponse.start_instances = turn("stopped"), turn("running")
    InstanceResponse.describe_instances = describe_instances
    InstanceResponse.describe_instance_status = describe_instance_status
    commands.install(phantoms)
    _light_transactions()


def _light_transactions():
    """Transactions without an update in them: moto copies the whole table, with everything in it, for each item."""
    whole = tables.DynamoDBBackend.transact_write_items

    def transact(backend, items):
        if any("Update" in item for item in items):
            return whole(backend, items)
        with _copying:
            known = {}
            tables.copy = types.SimpleNamespace(deepcopy=lambda value: _copied(value, known))
            try:
                return whole(backend, items)
            finally:
                tables.copy = copy

    tables.DynamoDBBackend.transact_write_items = transact


def _copied(value, known):
    """A table as it was at the first copy. Its items are the same ones: puts and deletes replace an item and change none."""
    if not isinstance(value, Table):
        return copy.deepcopy(value)
    if id(value) not in known:
        # Not by its own constructor: moto keeps everything that was made that way.
        table = known[id(value)] = object.__new__(Table)
        table.__dict__ |= value.__dict__
        # By key, and below it by sort key where the table has one.
        kept = {key: dict(found) if isinstance(found, dict) else found for key, found in value.items.items()}
        table.items = collections.defaultdict(dict, kept)
    return known[id(value)]


class Phantoms:
    """So many of them, in the place of a lab."""

    home = "nowhere"

    def __init__(self, count):
        self.lock, self.units = threading.Lock(), collections.defaultdict(set)
        self.hosts = {f"i-{number:017x}": _host(number) for number in range(1, count + 1)}
        self.last = {"hosts": list(self.hosts.values()), "groups": [], "lately": None}

    def look(self):
        return self.last

    def host(self, instance_id):
        return self.hosts.get(instance_id)

    def script(self, instance_id, step, cancelled):
        """What a host would say at the end of this step."""
        unit, now = step.environment.get("SSM_Unit", "-"), int(time.time())
        with self.lock:
            units = self.units[instance_id]
            if step.name == "probe":
                answer = {"outcome": "alive", "time": now, "booted": now - 3600, "units": sorted(units)}
                answer["capabilities"] = ["iptables", "stress-ng", "fallocate", "bounds", "netem"]
            elif step.name == "revert":
                answer = {"unit": unit, "outcome": "reverted" if unit in units else "absent"}
                units.discard(unit)
            else:
                answer = {"unit": unit, "outcome": "already" if unit in units else "landed"}
                units.add(unit)
        return Ended("Success", 0, json.dumps({"stormdrill": 1} | answer) + "\n", "")

    def down(self):
        pass


def _host(number):
    return {
        "instance_id": f"i-{number:017x}",
        "name": f"phantom-{number}",
        "state": "running",
        "agent_online": True,
        "address": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
    }


_TURNED = {"stopped": "StoppingInstances", "running": "StartingInstances"}


def _state(host):
    return {"Name": host["state"], "Code": {"running": 16, "stopped": 80}[host["state"]]}


def _turned(host, state):
    """It is so at once."""
    before, host["state"] = _state(host), state
    return {"InstanceId": host["instance_id"], "PreviousState": before, "CurrentState": _state(host)}


def _instance(host):
    return {
        "InstanceId": host["instance_id"],
        "InstanceType": "t3.micro",
        "State": _state(host),
        "Placement": {"AvailabilityZone": "us-east-1a"},
        "PrivateIpAddress": host["address"],
        "Tags": [{"Key": key, "Value": value} for key, value in TAGS.items()],
    }


def _status(host):
    well = {"Status": "ok"}
    return {
        "InstanceId": host["instance_id"],
        "InstanceState": _state(host),
        "InstanceStatus": well,
        "SystemStatus": well,
    }
