"""SSM Run Command that runs: our documents, on the lab's hosts, to their real ends.

A command is accepted as a whole or not at all; each instance has an invocation of its own, delivered when its agent
answers, given up at its limit. What runs when the agent is cut off goes on, and its result comes when it is heard again.
Replaces moto's SendCommand and adds the actions that it lacks.
"""

import datetime
import hashlib
import threading
import time
import uuid

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult, EmptyResult
from moto.ssm.responses import SimpleSystemManagerResponse

from . import background, documents, stopping
from .clockwork import clock
from .lags import lags

MOST_INSTANCES, COMMENT = 50, 100
PLUGIN_OUTPUT, STDOUT_SHOWN, STDERR_SHOWN = 2_500, 24_000, 8_000
DETAILS = {"TimedOut": "Execution Timed Out", "Terminated": "Terminated", "Undeliverable": "Undeliverable"}
OVER = ("Success", "Failed", "Cancelled", "TimedOut", "Terminated", "Undeliverable")
_lab, _heard, _commands, _lock = None, None, {}, threading.RLock()


def install(lab, heard=lambda _: True):
    """From now on commands run; `heard` says of an instance whether its agent can be reached through the network."""
    global _lab, _heard
    _lab, _heard = lab, heard
    for action in (
        send_command,
        list_commands,
        list_command_invocations,
        get_command_invocation,
        cancel_command,
        describe_instance_information,
    ):
        setattr(SimpleSystemManagerResponse, action.__name__, action)


class Invocation:
    """One command on one instance."""

    def __init__(self, command, host):
        self.command, self.instance_id, self.name = command, host["instance_id"], host["name"]
        self.cancelled, self.plugins = threading.Event(), []
        # From when on it was so, the newest last: its status, the details, and how many plugins had ended.
        self.course = []
        self.end("Pending", "Pending")

    def run(self):
        try:
            self._run()
        except Exception as error:
            self.end("Failed", "Failed")
            print(f"commands: {self.command.id} on {self.instance_id}: {error!r}", flush=True)

    def _run(self):
        steps = self.command.steps
        limit = self.command.requested + self.command.timeout + sum(step.timeout_seconds for step in steps)
        while not self._reachable():
            if self.cancelled.wait(0.1) or stopping.is_set():
                return self.end("Cancelled", "Cancelled")
            if time.time() > limit:
                return self.end("TimedOut", "Delivery Timed Out")
        self.end("InProgress", "InProgress")
        ended = "Success"
        for step in steps:
            began = _now()
            result = _lab.script(self.instance_id, step, Told(self))
            while not _heard(self.instance_id):
                if stopping.wait(0.1):
                    return None
            details = DETAILS.get(result.status, result.status)
            shown = "Failed" if result.status == "Terminated" else result.status
            self.plugins.append(
                {
                    "Name": step.name,
                    "Status": shown,
                    "StatusDetails": details,
                    "ResponseCode": result.code,
                    "ResponseStartDateTime": began,
                    "ResponseFinishDateTime": _now(),
                    "StandardOutput": result.stdout,
                    "StandardError": result.stderr,
                }
            )
            if result.status != "Success":
                ended = result.status
            if result.status in ("Cancelled", "TimedOut", "Terminated"):
                break
        return self.end("Failed" if ended == "Terminated" else ended, DETAILS.get(ended, ended))

    def _reachable(self):
        host = _lab.host(self.instance_id)
        return bool(host and _online(host))

    @property
    def status(self):
        """What it is; what is shown of it may lag."""
        return self.course[-1][1]

    @property
    def details(self):
        return self.course[-1][2]

    def end(self, status, details):
        with _lock:
            self.course.append((clock.now(), status, details, len(self.plugins)))

    def known(self):
        """What reads know of it by now; nothing when they do not know it yet."""
        until = lags.read_until()
        return next((status for at, *status in reversed(list(self.course)) if at <= until), None)

    def shown(self, with_plugins):
        status, details, ended = self.known()
        invocation = {
            "CommandId": self.command.id,
            "InstanceId": self.instance_id,
            "InstanceName": self.name,
            "Comment": self.command.comment,
            "DocumentName": self.command.document,
            "DocumentVersion": self.command.version,
            "RequestedDateTime": self.command.requested,
            "Status": status,
            "StatusDetails": details,
            "CommandPlugins": [],
        }
        if with_plugins:
            invocation["CommandPlugins"] = [_plugin(plugin) for plugin in self.plugins[:ended]]
        return invocation


class Told:
    """Whether the agent was told that its command is cancelled: it must be heard for that."""

    def __init__(self, invocation):
        self.invocation = invocation

    def is_set(self):
        return self.invocation.cancelled.is_set() and _heard(self.invocation.instance_id)


class Command:
    """What was sent."""

    def __init__(self, get, document, version, steps, hosts):
        self.id, self.document, self.version, self.steps = str(uuid.uuid4()), document, version, steps
        self.comment, self.parameters = get("Comment", ""), get("Parameters", {})
        self.timeout, self.requested = int(get("TimeoutSeconds") or 3600), _now()
        self.concurrency, self.errors = get("MaxConcurrency", "50"), get("MaxErrors", "0")
        self.invocations = [Invocation(self, host) for host in hosts]

    def shown(self):
        states = [invocation.status for invocation in self.invocations]
        over = all(state in OVER for state in states)
        # Deliveries that timed out count as nothing: a command may be a success that reached one of five.
        counted = [one.status for one in self.invocations if one.details not in ("Delivery Timed Out", "Undeliverable")]
        if not over:
            status = "Cancelling" if any(one.cancelled.is_set() for one in self.invocations) else "InProgress"
        else:
            status = next((bad for bad in ("TimedOut", "Failed", "Cancelled") if bad in counted), "Success")
        return {
            "CommandId": self.id,
            "DocumentName": self.document,
            "DocumentVersion": self.version,
            "Comment": self.comment,
            "Parameters": self.parameters,
            "InstanceIds": [invocation.instance_id for invocation in self.invocations],
            "RequestedDateTime": self.requested,
            "ExpiresAfter": self.requested + self.timeout,
            "Status": status,
            "StatusDetails": status,
            "MaxConcurrency": self.concurrency,
            "MaxErrors": self.errors,
            "TargetCount": len(states),
            "CompletedCount": sum(state in OVER for state in states),
            "ErrorCount": sum(state in ("Failed", "TimedOut") for state in counted),
            "DeliveryTimedOutCount": sum(one.details == "Delivery Timed Out" for one in self.invocations),
            "TimeoutSeconds": self.timeout,
        }


def send_command(self):
    get = self._get_param
    ids = get("InstanceIds", [])
    if get("Targets"):
        raise JsonRESTError("UnsupportedOperation", "this AWS sends to InstanceIds, not to Targets")
    if not 1 <= len(ids) <= MOST_INSTANCES:
        raise JsonRESTError(
            "ValidationException",
            f"1 validation error detected: 'instanceIds' has {len(ids)} members, 1 to 50 are allowed",
        )
    if len(set(ids)) != len(ids):
        raise JsonRESTError("DuplicateInstanceId", "You can't specify an instance ID in more than one association.")
    if len(get("Comment", "")) > COMMENT:
        raise JsonRESTError(
            "ValidationException", "1 validation error detected: 'comment' must have length less than or equal to 100"
        )
    if get("TimeoutSeconds") is not None and not 30 <= int(get("TimeoutSeconds")) <= 2_592_000:
        raise JsonRESTError(
            "ValidationException", "1 validation error detected: 'timeoutSeconds' must be from 30 to 2592000"
        )
    document = _document(self, get)
    try:
        steps = documents.steps(document.content, get("Parameters", {}))
    except documents.Refused as refused:
        raise JsonRESTError(refused.code, refused.message) from None
    _lab.look()
    hosts = [_lab.host(instance_id) for instance_id in ids]
    bad = [one for one, host in zip(ids, hosts) if not host or host["state"] == "terminated"]
    if bad:
        raise JsonRESTError("InvalidInstanceId", f"Instances {bad} not in a valid state for account")
    command = Command(get, document.name, document.document_version, steps, hosts)
    _commands[command.id] = command
    for invocation in command.invocations:
        background(invocation.run, name=f"command-{command.id}")
    return ActionResult({"Command": command.shown()})


def _document(self, get):
    """The document in the version asked for; its content may be pinned by its hash."""
    version = get("DocumentVersion")
    known = self.ssm_backend._documents
    if get("DocumentName") not in known:
        raise JsonRESTError("InvalidDocument", f"Document with name {get('DocumentName')} does not exist.")
    versions = known[get("DocumentName")]
    if version in (None, "$DEFAULT"):
        document = versions.get_default_version()
    else:
        document = versions.get_latest_version() if version == "$LATEST" else versions.find_by_version(version)
    if document is None:
        raise JsonRESTError("InvalidDocumentVersion", f"Document version {version} does not exist.")
    wanted = get("DocumentHash")
    if wanted and wanted.lower() != hashlib.sha256(document.content.encode()).hexdigest():
        raise JsonRESTError("InvalidDocumentContent", "The document's hash is not the one given.")
    return document


def list_commands(self):
    wanted = self._get_param("CommandId")
    commands = [_command(wanted)] if wanted else list(_commands.values())
    return ActionResult({"Commands": [command.shown() for command in commands]})


def list_command_invocations(self):
    get = self._get_param
    wanted, instance, details = get("CommandId"), get("InstanceId"), get("Details", False)
    commands = [_command(wanted)] if wanted else list(_commands.values())
    every = [
        one
        for command in commands
        for one in command.invocations
        if instance in (None, one.instance_id) and one.known()
    ]
    size, first = int(get("MaxResults") or 50), int(get("NextToken") or 0)
    answer = {"CommandInvocations": [one.shown(str(details).lower() == "true") for one in every[first : first + size]]}
    if first + size < len(every):
        answer["NextToken"] = str(first + size)
    return ActionResult(answer)


def get_command_invocation(self):
    get = self._get_param
    command = _command(get("CommandId"))
    found = next((one for one in command.invocations if one.instance_id == get("InstanceId") and one.known()), None)
    if found is None:
        raise JsonRESTError(
            "InvocationDoesNotExist", "The command ID and managed node ID you specified didn't match any invocations."
        )
    plugins = [plugin for plugin in found.plugins[: found.known()[2]] if get("PluginName") in (None, plugin["Name"])]
    plugin = plugins[-1] if plugins else {}
    return ActionResult(
        found.shown(False)
        | {
            "PluginName": plugin.get("Name", command.steps[0].name),
            "ResponseCode": plugin.get("ResponseCode", -1),
            "StandardOutputContent": plugin.get("StandardOutput", "")[:STDOUT_SHOWN],
            "StandardErrorContent": plugin.get("StandardError", "")[:STDERR_SHOWN],
        }
    )


def cancel_command(self):
    ids = self._get_param("InstanceIds", [])
    for invocation in _command(self._get_param("CommandId")).invocations:
        if not ids or invocation.instance_id in ids:
            with _lock:
                if invocation.status not in OVER:
                    invocation.cancelled.set()
    return EmptyResult()


def describe_instance_information(self):
    get = self._get_param
    wanted = None
    for named in get("Filters", []) + get("InstanceInformationFilterList", []):
        if (named.get("Key") or named.get("key")) == "InstanceIds":
            wanted = named.get("Values") or named.get("valueSet")
    size, first = int(get("MaxResults") or 10), int(get("NextToken") or 0)
    hosts = [
        host
        for host in _lab.look()["hosts"]
        if host["state"] != "terminated" and (wanted is None or host["instance_id"] in wanted)
    ]
    answer = {"InstanceInformationList": [_agent(host) for host in hosts[first : first + size]]}
    if first + size < len(hosts):
        answer["NextToken"] = str(first + size)
    return ActionResult(answer)


def _agent(host):
    return {
        "InstanceId": host["instance_id"],
        "PingStatus": "Online" if _online(host) else "ConnectionLost",
        "LastPingDateTime": _now(),
        "AgentVersion": "3.3.2746.0",
        "IsLatestVersion": True,
        "PlatformType": "Linux",
        "PlatformName": "Debian GNU/Linux",
        "PlatformVersion": "12",
        "ResourceType": "EC2Instance",
        "IPAddress": host["address"],
        "ComputerName": host["name"],
    }


def _online(host):
    return host["agent_online"] and host["state"] == "running" and _heard(host["instance_id"])


def _plugin(plugin):
    """As in a list: one text, cut short."""
    output = plugin["StandardOutput"]
    if plugin["StandardError"]:
        output += "\n----------ERROR-------\n" + plugin["StandardError"]
    shown = {name: value for name, value in plugin.items() if not name.startswith("Standard")}
    return shown | {"Output": output[:PLUGIN_OUTPUT]}


def _command(wanted):
    if wanted not in _commands:
        raise JsonRESTError("InvalidCommandId", f"There is no command {wanted}.")
    return _commands[wanted]


def _now():
    return datetime.datetime.now(datetime.timezone.utc).timestamp()
