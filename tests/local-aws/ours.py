"""Parts of our own template, to be tried without the functions: a few resources, with the rest of the stack made up."""

import json
import pathlib
import re

from samtranslator.yaml_helper import yaml_parse

TEMPLATE = pathlib.Path(__file__).resolve().parents[2] / "template.yaml"
# `${Name}` and `${Name.Arn}`; those of AWS itself have a colon.
VARIABLE = re.compile(r"\$\{(\w+)(?:\.\w+)?\}")


def made_up(name):
    """The ARN of a resource that is not there."""
    return f"arn:aws:states:us-east-1:123456789012:stateMachine:{name}"


def part(names):
    """A template with these resources of ours; what they refer to beyond themselves is made up."""
    whole = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    kept = {name: whole["Resources"][name] for name in names}
    known = {*kept, *whole["Parameters"]}

    def cut(value):
        if isinstance(value, list):
            return [cut(one) for one in value]
        if not isinstance(value, dict):
            return value
        if (named := value.get("Ref")) and len(value) == 1 and named not in known and "::" not in named:
            return made_up(named)
        if (asked := value.get("Fn::GetAtt")) and len(value) == 1:
            named = (asked if isinstance(asked, list) else asked.split("."))[0]
            return value if named in known else made_up(named)
        if isinstance(text := value.get("Fn::Sub"), str):
            found = VARIABLE.sub(lambda one: one[0] if one[1] in known else made_up(one[1]), text)
            return {"Fn::Sub": found}
        return {key: cut(one) for key, one in value.items()}

    return json.dumps({"Parameters": whole["Parameters"], "Resources": cut(kept)}, default=str)
