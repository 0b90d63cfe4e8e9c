"""The lab's hosts as EC2 instances and as an Auto Scaling group, with their own ids, addresses, tags and states.

The lab is the truth: states are copied from it, and stop, start, reboot and terminate go to it.
Each host is in a subnet of the lab's VPC: members of groups in turn in two zones, whatever measures or serves them in a
third. Instances that are not the lab's stay moto's own. Replaces the verbs of moto's EC2 backend and of its groups.
How long it takes to stop and to start is the lab's, or what `lags` says.
"""

import collections
import threading

from moto.autoscaling import models as autoscaling
from moto.autoscaling.exceptions import ValidationError
from moto.ec2 import models as ec2
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import instances

from . import ACCOUNT, REGION, background, stale, stopping
from .clockwork import clock
from .lags import lags

LOOK_SECONDS = 0.5
CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
STATES = {"booting": "pending"}
# In which states EC2 refuses a call.
WRONG = {
    "start": ("stopping", "terminated"),
    "stop": ("pending", "terminated"),
    "reboot": ("pending", "stopping"),
}
# The lab is one bridge, so a host's address says nothing of its subnet: these blocks are only there to be told apart.
VPC_BLOCK, SHARED = "10.83.0.0/16", "lab-shared"
SUBNETS = {"lab-a": ("a", "10.83.64.0/20"), "lab-b": ("b", "10.83.80.0/20"), SHARED: ("c", "10.83.96.0/20")}
_lock = threading.RLock()
# One call at a time acts on an instance: the second of two starts finds it started.
_acting = collections.defaultdict(threading.RLock)
# What takes its time: the state to show, and which call it is of.
_under_way = {}
_lab = None


def install(lab):
    """From now on the verbs act on the lab's hosts."""
    global _lab
    _lab = lab
    for verb in ("start", "stop", "reboot", "terminate"):
        _switch(verb)
    _group_verbs()


def run():
    """Copies the lab's state for ever."""
    while not stopping.wait(LOOK_SECONDS):
        try:
            copy()
        except Exception as error:  # A lab on its way down does not answer.
            if not stopping.is_set():
                print(f"fleet: {error}", flush=True)


def copy():
    """Looks at the lab and copies what it says."""
    with _lock:
        # Under the lock: an older look must not be copied after a newer one.
        seen = _lab.look()
        backend = ec2.ec2_backends[ACCOUNT][REGION]
        known = {instance.id: instance for instance in backend.all_instances()}
        for host in seen["hosts"]:
            instance = known.get(host["instance_id"]) or _instance(backend, host, _subnet(backend, host, seen))
            state = _shown(host)
            if instance.state != state:
                stale.note_instances()
                instance._state.name, instance._state.code = state, CODES[state]
            if state == "terminated":
                # Its network interface goes with it.
                backend.enis.pop(instance.nics[0].id, None)
        for group in seen["groups"]:
            _group(backend, group, seen["hosts"])


def _shown(host):
    """A host's state, in EC2's words and at EC2's pace."""
    if host["state"] != "terminated" and host["instance_id"] in _under_way:
        return _under_way[host["instance_id"]][0]
    return STATES.get(host["state"], host["state"])


def subnets(backend):
    """The subnets of the lab's VPC by their names; they are made at the first look."""
    name = [{"Key": "Name", "Value": "lab"}]
    found = backend.describe_vpcs(filters={"tag:Name": ["lab"]})
    vpc = found[0] if found else backend.create_vpc(VPC_BLOCK, tags=name)
    there = {
        subnet.get_filter_value("tag:Name"): subnet for subnet in backend.describe_subnets(filters={"vpc-id": vpc.id})
    }
    for name, (zone, block) in SUBNETS.items():
        if name not in there:
            # What measures and serves has not opted in to drills, and neither has its subnet.
            tags = {"Name": name}
            if name != SHARED:
                tags |= {"Service": "order-service", "StormdrillReady": "lab"}
            there[name] = backend.create_subnet(
                vpc.id, block, availability_zone=f"{REGION}{zone}", tags={"subnet": tags}
            )
    return there


def _subnet(backend, host, seen):
    """Where a new host goes: a member of a group to the zone where the fewest of its group run."""
    there = subnets(backend)
    if not host["group"]:
        return there[SHARED]
    mates = {one["instance_id"] for one in seen["hosts"] if one["group"] == host["group"]}
    running = [one.subnet_id for one in backend.all_instances() if one.id in mates and one.state != "terminated"]
    return min((there[name] for name in SUBNETS if name != SHARED), key=lambda one: running.count(one.id))


def _instance(backend, host, subnet):
    """A new instance with the host's id: moto draws ids itself, so it is given the right one to draw."""
    draw = instances.random_instance_id
    instances.random_instance_id = lambda: host["instance_id"]
    try:
        reservation = backend.run_instances(
            "ami-12c6146b",
            1,
            None,
            [],
            instance_type="t3.micro",
            is_instance_type_default=False,
            region_name=REGION,
            subnet_id=subnet.id,
            tags={"instance": dict(host["tags"])},
            launch_template=None,
        )
    finally:
        instances.random_instance_id = draw
    instance = reservation.instances[0]
    nic = instance.nics[0]
    nic.private_ip_address = host["address"]
    nic.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": host["address"]}]
    return instance


def _group(backend, group, hosts):
    groups = autoscaling.autoscaling_backends[ACCOUNT][REGION]
    if group["name"] not in groups.autoscaling_groups:
        _create_group(groups, group, hosts)
    found = groups.autoscaling_groups[group["name"]]
    found.min_size, found.max_size, found.desired_capacity = group["min"], group["max"], group["desired"]
    by_id = {host["instance_id"]: host for host in hosts}
    suspended = {each["ProcessName"] for each in found.suspended_processes}
    found.suspended_processes = sorted(suspended - {"Launch"} if group["launching"] else suspended | {"Launch"})
    states = {state.instance.id: state for state in found.instance_states}
    found.instance_states = []
    for member in group["members"]:
        host = by_id[member]
        if host["state"] == "terminated":
            continue
        instance = backend.get_instance(member)
        instance.autoscaling_group = found
        state = states.get(member) or autoscaling.InstanceState(instance, autoscaling_group=found)
        up = host["state"] == "running"
        state.lifecycle_state = "InService" if up else "Pending" if host["state"] == "booting" else "Terminating"
        state.health_status = "Healthy" if up and not host["problem"] else "Unhealthy"
        found.instance_states.append(state)


def _create_group(groups, group, hosts):
    """An empty group of moto's; its members are copied in, none is launched."""
    name = f"{group['name']}-lab"
    groups.create_launch_configuration(
        name=name,
        image_id="ami-12c6146b",
        key_name=None,
        kernel_id=None,
        ramdisk_id=None,
        security_groups=[],
        user_data=None,
        instance_type="t3.micro",
        instance_monitoring=False,
        instance_profile_name=None,
        spot_price=None,
        ebs_optimized=False,
        associate_public_ip_address=False,
        block_device_mappings=[],
    )
    tags = dict(next((host["tags"] for host in hosts if host["group"] == group["name"]), {}))
    shown = [
        {"Key": key, "Value": value} for key, value in tags.items() if key != "Name" and not key.startswith("aws:")
    ]
    there = subnets(ec2.ec2_backends[ACCOUNT][REGION])
    groups.create_auto_scaling_group(
        name=group["name"],
        availability_zones=None,
        desired_capacity=0,
        max_size=group["max"],
        min_size=0,
        launch_config_name=name,
        launch_template={},
        vpc_zone_identifier=",".join(there[name].id for name in SUBNETS if name != SHARED),
        default_cooldown=None,
        health_check_period=None,
        health_check_type="EC2",
        load_balancers=[],
        target_group_arns=[],
        placement_group=None,
        termination_policies=[],
        tags=shown,
    )


def _switch(verb):
    """One verb of EC2: the lab's hosts by the lab, all others by moto."""
    theirs = getattr(ec2.EC2Backend, f"{verb}_instances")

    def switched(backend, instance_ids):
        found = backend.get_multi_instances_by_id(instance_ids)
        ours = [instance for instance in found if _lab.host(instance.id)]
        changed = []
        others = [instance.id for instance in found if instance not in ours]
        if others:
            changed += theirs(backend, others)
        for instance in ours:
            with _acting[instance.id]:
                changed.append(_act(verb, instance))
        return changed

    setattr(ec2.EC2Backend, f"{verb}_instances", switched)


def _act(verb, instance):
    before = instances.InstanceState(instance.state, instance.state_code)
    protected = {"terminate": instance.disable_api_termination, "stop": instance.disable_api_stop}.get(verb)
    if protected in (True, "true"):
        refusal = (
            instances.OperationNotPermitted4 if verb == "terminate" else instances.OperationDisableApiStopNotPermitted
        )
        raise refusal(instance.id)
    # What is already so is no error; the lab would say that it is.
    done = {"start": ("running", "pending"), "stop": ("stopped", "stopping"), "terminate": ("terminated",)}.get(
        verb, ()
    )
    if instance.state not in done and not (verb == "reboot" and instance.state == "terminated"):
        if instance.state in WRONG.get(verb, ()):
            raise EC2ClientError(
                "IncorrectInstanceState",
                f"The instance '{instance.id}' is not in a state from which it can be {verb}ed.",
            )
        _power(verb, instance.id)
    copy()
    return instance if verb == "reboot" else (instance, before)


def _power(verb, instance_id):
    """Does it now, and shows it as done when its time has passed; a start is made only then."""
    if verb == "start" and lags.start_seconds:
        _takes("pending", lags.start_seconds, instance_id, lambda: _lab.power("start", instance_id))
        return
    if verb == "stop" and lags.stop_seconds:
        _takes("stopping", lags.stop_seconds, instance_id)
    elif verb == "terminate":
        _under_way.pop(instance_id, None)
    _lab.power(verb, instance_id)


def _takes(state, seconds, instance_id, then=None):
    """Shows this state for so long; `then` is done at its end, unless something else was begun meanwhile."""
    call = _under_way[instance_id] = (state, object())

    def end():
        if clock.wait(seconds):
            return
        with _acting[instance_id]:
            if _under_way.get(instance_id) is call:
                if then:
                    then()
                _under_way.pop(instance_id)
                copy()

    background(end, name=f"{state}-{instance_id}")


def _group_verbs():
    """Termination through the group, and processes: the lab's group launches or does not."""
    groups = autoscaling.AutoScalingBackend
    terminate = groups.terminate_instance

    def terminate_instance(backend, instance_id, should_decrement):
        if not _lab.host(instance_id):
            return terminate(backend, instance_id, should_decrement)
        instance = ec2.ec2_backends[ACCOUNT][REGION].get_instance(instance_id)
        if should_decrement:
            # The lab's group keeps its size; saying that it shrank would be a lie.
            raise ValidationError(
                "The lab's group cannot be made smaller: terminate without ShouldDecrementDesiredCapacity."
            )
        activity = autoscaling.TerminateInstanceActivity(instance, instance.autoscaling_group.desired_capacity)
        _act("terminate", instance)
        return activity

    groups.terminate_instance = terminate_instance
