"""A state machine file as it would be deployed: YAML read strictly, placeholders filled, printed as JSON.

usage: machine.py FILE
"""

import json
import re
import sys

import yaml

ACCOUNT = "123456789012"


class Strict(yaml.SafeLoader):
    """YAML that refuses a key that is there twice."""


def _mapping(loader, node, deep=False):
    keys = [loader.construct_object(key, deep=deep) for key, _ in node.value]
    twice = {key for key in keys if keys.count(key) > 1}
    if twice:
        raise yaml.constructor.ConstructorError(None, None, f"a key is there twice: {twice}", node.start_mark)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _arn(name, account):
    kinds = [
        ("FunctionArn", f"arn:aws:lambda:us-east-1:{account}:function:"),
        ("TopicArn", f"arn:aws:sns:us-east-1:{account}:"),
        ("StateMachineArn", f"arn:aws:states:us-east-1:{account}:stateMachine:"),
        ("ExecutionArn", f"arn:aws:states:us-east-1:{account}:execution:"),
    ]
    for ending, prefix in kinds:
        if name.endswith(ending):
            return prefix + name.removesuffix(ending).lower()
    raise SystemExit(f"machine.py does not know what to put in for ${{{name}}}")


def load(path, account=ACCOUNT):
    """The machine in this file, with an ARN of this account for every placeholder."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    filled = re.sub(r"\$\{(\w+)\}", lambda found: _arn(found[1], account), text)
    return yaml.load(filled, Loader=Strict)


if __name__ == "__main__":
    json.dump(load(sys.argv[1]), sys.stdout, indent=1)
