"""The experiments of this ring: the ready-made ones, shortened, with what a test wants otherwise."""

import copy
import pathlib

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Plain(yaml.SafeLoader):
    """YAML 1.2 as experiments mean it: `on` is a word."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def ready_made(name, **changes):
    """The experiment of this folder; each change replaces a field, and a fault's duration is `duration`."""
    found = yaml.load((ROOT / "experiments" / name / "experiment.yaml").read_text(encoding="utf-8"), Plain)
    duration = changes.pop("duration", None)
    found = copy.deepcopy(found) | changes
    if duration:
        for fault in found["faults"]:
            fault["duration"] = duration
    return found


def crash(**changes):
    """One of four order services dies, and nobody notices: supported."""
    return ready_made("order-service-crash", **{"duration": "30s"} | changes)


def guarded(**guards):
    """A crash with these guards besides its own."""
    return crash(guards=crash()["guards"] | guards)


def unwatched(name, **changes):
    """This ready-made experiment, for long. Nothing stops it, so that a test can."""
    never = {"max_blast_radius": "100%", "stop_when": [{"probe": "availability", "below": 0, "for_samples": 3}]}
    wide = [{"name": "availability", "cloudwatch": cloudwatch("Availability"), "tolerance": {"at_least": 0}}]
    return ready_made(name, **{"duration": "5m", "guards": never, "steady_state": wide} | changes)


def frozen(**changes):
    """The database stands still."""
    return unwatched("error-budget-abort", **changes)


def stopped(**changes):
    """The risk engine's instance is stopped."""
    fault = {"name": "stop", "kind": "instance-stop", "on": "risk-engine"}
    return unwatched("risk-engine-crash", **{"id": "risk-engine-stop", "faults": [fault]} | changes)


def partition(**changes):
    """One of two subnets is cut off. Only the verdict's own limits are left: the machine may be busy."""
    wide = [{"name": "availability", "cloudwatch": cloudwatch("Availability"), "tolerance": {"at_least": 0}}]
    never = {"max_blast_radius": "50%", "stop_when": [{"probe": "availability", "below": 0, "for_samples": 3}]}
    asked = {"guards": never, "steady_state": wide, "success": [{"recovery_time_at_most": "2m"}]}
    return ready_made("subnet-partition", **asked | changes)


def paused(**changes):
    """One of four order services stands still; there is no condition but the one that an experiment must have."""
    fault = {"name": "pause", "kind": "process-pause", "on": "order-hosts", "process": "order-service"}
    first = changes["steady_state"][0]["name"]
    never = {"max_blast_radius": "30%", "stop_when": [{"probe": first, "below": 0, "for_samples": 3}]}
    asked = {"id": "order-service-pause", "faults": [fault], "duration": "30s", "guards": never, "success": [{"recovery_time_at_most": "30s"}]}
    return ready_made("order-service-crash", **asked | changes)


def cloudwatch(metric, statistic="Average"):
    return {
        "namespace": "Orders",
        "metric": metric,
        "dimensions": {"Service": "order-service"},
        "statistic": statistic,
        "period": "1s",
    }
