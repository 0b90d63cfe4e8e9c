"""Universal targets of EventBridge Scheduler: any call of any service, as Scheduler wants it written.

`arn:aws:scheduler:::aws-sdk:SERVICE:apiAction`. The service is its SDK's id, the action the operation with a small first
letter, and parameters are spelt as the SDK for Java spells them, with a capital first letter, at every depth. `check` is
what CreateSchedule looks at; the Input is looked at when it fires and not before.
"""

import functools
import gzip
import json
import pathlib
import re

import botocore

from . import client

# Actions that only read have no place in a schedule, says Scheduler: those that begin with one of these words.
READS = re.compile(
    "(get|describe|list|poll|receive|search|scan|query|select|read|lookup|discover|validate|batchGet|batchDescribe"
    "|batchRead|transactGet|adminGet|adminList|testMigration|retrieve|testConnection|translateDocument|isAuthorized"
    "|invokeModel)([A-Z0-9]|$)"
)
SERVICE_ID = re.compile(rb'"serviceId"\s*:\s*"([^"]+)"')


class InvalidInput(ValueError):
    """The Input is not what the action takes. AWS's own word for it is not known."""


def check(arn):
    """Whether there is such a target, and it may be one; says so by a ValueError when not."""
    word, action = arn.split(":")[-2:]
    name = _names().get(word)
    if name is None:
        raise ValueError(f"{word} is not a supported service for a target.")
    if READS.match(action):
        raise ValueError(f"{action} only reads, and is not a supported api for a target.")
    if action not in _actions(name):
        raise ValueError(f"{action} is not a supported api for service {word}.")


def call(arn, text, role=None):
    """Makes the call, as this role. An Input that is not spelt as it must be is an InvalidInput, whatever the service would say."""
    check(arn)
    word, action = arn.split(":")[-2:]
    name = _names()[word]
    operation, target = _actions(name)[action], client(name)
    try:
        given = json.loads(text or "{}")
    except ValueError as error:
        raise InvalidInput(f"Input is not JSON: {error}") from None
    shape = target.meta.service_model.operation_model(operation).input_shape
    if shape is None and given:
        raise InvalidInput(f"{action} takes no parameters")
    method = next(name for name, api in target.meta.method_to_api_mapping.items() if api == operation)
    parameters = _named(shape, given, "Input") if shape else {}
    getattr(client(name, role) if role else target, method)(**parameters)


def spelt(name):
    """A name of a service's model as Scheduler takes it: `DBInstanceIdentifier` is `DbInstanceIdentifier`."""
    end = 1
    # A run of capitals is one word; its last capital begins the next word when a small letter follows.
    while end < len(name) and name[end].isupper() and not name[end + 1 : end + 2].islower():
        end += 1
    return name[0].upper() + name[1:end].lower() + name[end:]


def _named(shape, value, where):
    """The value with the names of the service's model in the place of Scheduler's."""
    if shape.type_name == "structure":
        if not isinstance(value, dict):
            raise InvalidInput(f"{where} is not an object")
        known = {spelt(name): name for name in shape.members}
        wrong = [name for name in value if name not in known]
        if wrong:
            near = [name for name in known if name.lower() == wrong[0].lower()]
            raise InvalidInput(f"{where} has no {wrong[0]}" + (f": it is spelt {near[0]}" if near else ""))
        return {known[key]: _named(shape.members[known[key]], one, f"{where}.{key}") for key, one in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [_named(shape.member, one, f"{where}[{number}]") for number, one in enumerate(value)]
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: _named(shape.value, one, f"{where}.{key}") for key, one in value.items()}
    return value


@functools.cache
def _names():
    """botocore's name of each service by its SDK's id, without all that is no letter or number.

    The id stands at the beginning of a model; reading all models whole would take a quarter of a minute.
    """
    names = {}
    for folder in sorted((pathlib.Path(botocore.__file__).parent / "data").iterdir()):
        models = sorted(folder.glob("*/service-2.json.gz"))
        if models:
            with gzip.open(models[-1]) as model:
                found = SERVICE_ID.search(model.read(4096))
            if found:
                names[re.sub("[^a-z0-9]", "", found[1].decode().lower())] = folder.name
    return names


@functools.cache
def _actions(name):
    operations = client(name).meta.service_model.operation_names
    return {operation[0].lower() + operation[1:]: operation for operation in operations}
