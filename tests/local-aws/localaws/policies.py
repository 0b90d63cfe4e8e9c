"""What IAM decides about one request: explicit denial wins, and without an allowing statement the answer is no.

For the operators that our template uses; a statement with any other is an error, not a yes.
"""

import functools
import json
import re

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends

from . import ACCOUNT


class Unevaluated(ValueError):
    """A statement that this module does not understand."""


def allows(role, action, resource, context):
    """Whether the policies of this role, by its name, allow this."""
    return decides(statements(role), action, resource, context)


def statements(role):
    """The statements of a role's own policies and of the managed ones that are attached to it; none when it is not there."""
    backend = iam_backends[ACCOUNT]["aws"]
    try:
        found = backend.get_role(role)
    except NotFoundException:
        return []
    documents = [*found.policies.values(), *map(_default, found.managed_policies.values())]
    read = [json.loads(one) if isinstance(one, str) else one for one in documents]
    return [statement for document in read for statement in listed(document["Statement"])]


def _default(policy):
    return next(one.document for one in policy.versions if one.version_id == policy.default_version_id)


def decides(statements, action, resource, context):
    """The decision by these statements. `context` has a list of values for each key that is there."""
    applying = [one for one in statements if _applies(one, action, resource, context)]
    return bool(applying) and all(one["Effect"] == "Allow" for one in applying)


def _applies(statement, action, resource, context):
    unknown = set(statement) - {"Sid", "Effect", "Action", "Resource", "Condition"}
    if unknown:
        raise Unevaluated(f"a statement has {unknown.pop()}")
    return (
        any(_like(pattern.lower(), action.lower()) for pattern in listed(statement["Action"]))
        and any(_like(pattern, resource) for pattern in listed(statement["Resource"]))
        and all(
            _holds(operator, context.get(key), [str(one) for one in listed(wanted)])
            for operator, keys in (statement.get("Condition") or {}).items()
            for key, wanted in keys.items()
        )
    )


def _holds(operator, known, wanted):
    """Whether one condition holds of the values of its key; a key that is not there has none."""
    if operator == "Null":
        return all((word.lower() == "true") == (known is None) for word in wanted)
    qualifier, _, plain = operator.rpartition(":")
    tests = {"StringEquals": str.__eq__, "ArnEquals": _like, "Bool": _same_truth, "StringLike": _like, "ArnLike": _like}
    if plain not in tests or qualifier not in ("", "ForAnyValue", "ForAllValues"):
        raise Unevaluated(f"a condition has the operator {operator}")
    met = [any(tests[plain](pattern, one) for pattern in wanted) for one in known or []]
    if qualifier == "ForAllValues":
        # A key that is not there satisfies it.
        return all(met)
    return any(met) if qualifier else met[:1] == [True]


def _same_truth(one, other):
    return one.lower() == other.lower()


def listed(value):
    return value if isinstance(value, list) else [value]


def _like(pattern, text):
    return _pattern(pattern).fullmatch(text) is not None


@functools.cache
def _pattern(text):
    """`*` is any text, `?` any one character."""
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(letter) or re.escape(letter) for letter in text), re.DOTALL)
