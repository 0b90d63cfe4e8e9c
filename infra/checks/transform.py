"""The template as CloudFormation gets it: the SAM kinds translated, the state machines put in. Offline.

usage: transform.py TEMPLATE  (prints JSON)
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

import yaml  # noqa: E402
from boto3 import Session  # noqa: E402
from samtranslator.parser.parser import Parser  # noqa: E402
from samtranslator.translator.translator import Translator  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402


def translated(path):
    """The template of this file, without anything of SAM's."""
    template = yaml_parse(path.read_text(encoding="utf-8"))
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = f"s3://artifacts/{name}"
        if resource["Type"] == "AWS::Serverless::StateMachine":
            machine = path.parent / properties.pop("DefinitionUri")
            properties["Definition"] = yaml.safe_load(machine.read_text(encoding="utf-8"))
    # No managed policy of AWS is named in the template, so none is looked up.
    translator = Translator({}, Parser(), boto_session=Session(region_name=os.environ["AWS_DEFAULT_REGION"]))
    output = translator.translate(template, {})
    # SAM writes a definition as a list of lines in a Join; as an object it is linted too.
    for resource in output["Resources"].values():
        properties = resource.get("Properties", {})
        joined = properties.pop("DefinitionString", None)
        if joined:
            properties["Definition"] = json.loads("".join(joined["Fn::Join"][1]))
    return output


if __name__ == "__main__":
    json.dump(translated(Path(sys.argv[1]).resolve()), sys.stdout, indent=1)
