"""SSM documents: what a command document demands of its parameters, and the scripts that it becomes.

Schema 2.2 with `aws:runShellScript` steps; parameters are checked as by the service, and given as `ENV_VAR` or pasted.
A document that this AWS could not run is refused when it is sent, not passed over.
"""

import json
import re
from dataclasses import dataclass

import yaml

# Anything outside of 5..172,800 seconds silently becomes an hour in the agent.
DEFAULT_TIMEOUT = 3600


class Refused(Exception):
    """What the service would refuse: its code and why."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


@dataclass
class Step:
    """One script, ready to run."""

    name: str
    script: str
    environment: dict
    timeout_seconds: int


def steps(content, given):
    """The scripts of a document with these parameters (`{name: [value]}`)."""
    document = json.loads(content) if content.lstrip().startswith("{") else yaml.safe_load(content)
    if str(document.get("schemaVersion")) != "2.2":
        raise Refused("InvalidDocument", f"schemaVersion {document.get('schemaVersion')} is not a command document")
    values = parameters(document.get("parameters") or {}, given)
    made = []
    for step in document["mainSteps"]:
        if step["action"] != "aws:runShellScript":
            raise Refused("InvalidDocument", f"this AWS runs aws:runShellScript, not {step['action']}")
        platform = (step.get("precondition") or {}).get("StringEquals", ["platformType", "Linux"])
        if "Linux" not in platform:
            continue
        made.append(_step(step, document.get("parameters") or {}, values))
    return made


def _step(step, declared, values):
    def paste(text):
        for name, value in values.items():
            if declared[name].get("interpolationType") != "ENV_VAR":
                written = value if isinstance(value, str) else json.dumps(value)
                text = re.sub(r"\{\{\s*%s\s*\}\}" % re.escape(name), lambda _, written=written: written, text)
        return text

    inputs = step["inputs"]
    lines = inputs["runCommand"]
    environment = {
        f"SSM_{name}": value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
        if declared[name].get("interpolationType") == "ENV_VAR"
    }
    try:
        timeout = int(paste(str(inputs.get("timeoutSeconds", DEFAULT_TIMEOUT))))
    except ValueError:
        timeout = DEFAULT_TIMEOUT
    timeout = timeout if 5 <= timeout <= 172_800 else DEFAULT_TIMEOUT
    return Step(step["name"], "\n".join(paste(line) for line in lines) + "\n", environment, timeout)


def parameters(declared, given):
    """The value of every parameter, checked."""
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise Refused("InvalidParameters", f"Parameters {unknown} are not defined in the document")
    values = {}
    for name, rule in declared.items():
        several = rule["type"] == "StringList"
        if name in given:
            value = list(given[name]) if several else "".join(given[name][:1])
            if not several and len(given[name]) != 1:
                raise Refused("InvalidParameters", f"Parameter {name} takes one value and was given {len(given[name])}")
        elif "default" in rule:
            value = rule["default"] if several else str(rule["default"])
        else:
            raise Refused("InvalidParameters", f"Parameter {name} has no value and no default")
        for each in value if several else [value]:
            _check(name, rule, each)
        values[name] = value
    return values


def _check(name, rule, value):
    pattern, allowed = rule.get("allowedPattern"), rule.get("allowedValues")
    if pattern is not None and not re.fullmatch(pattern, value):
        raise Refused("InvalidParameters", f"Parameter {name} does not match {pattern}")
    if allowed and value not in [str(each) for each in allowed]:
        raise Refused("InvalidParameters", f"Parameter {name} must be one of {allowed}")
    if not int(rule.get("minChars", 0)) <= len(value) <= int(rule.get("maxChars", 100_000)):
        raise Refused("InvalidParameters", f"Parameter {name} has {len(value)} characters")
