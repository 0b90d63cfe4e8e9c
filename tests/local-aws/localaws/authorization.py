"""Who may do what: the calls of functions and of the scheduler's universal targets, by the roles that they have.

Off until a test switches it on. A call is let through when the policies of the caller's role allow every action that it
needs on every resource that it is about (`needs`). A call that `needs` does not know is refused, never let through.
A function is known by the SDK's application id, a universal target by the role that its client says.
"""

import collections
import functools
import json
import re

from moto.awslambda.models import lambda_backends

from . import ACCOUNT, REGION, policies
from .needs import Unknown, needs
from .traffic import CALLER, named, read

# How the client of a universal target says whose call it is.
ROLE = re.compile(r"\blocal-role/([\w+=,.@-]+)")


class Authorization:
    """The door between the callers and the server."""

    def __init__(self):
        self.enforced = False
        # What was refused last: who asked for what, about which resource.
        self.refused = collections.deque(maxlen=200)

    def passing(self, application):
        """A WSGI application that answers as `application` does, but to those who may not ask."""

        def answer(environ, start_response):
            role = _role(environ.get("HTTP_USER_AGENT", "")) if self.enforced else None
            if role is None:
                return application(environ, start_response)
            operation = named(environ)
            try:
                missing = self._missing(role, operation, environ)
            except (Unknown, policies.Unevaluated) as error:
                missing = (operation, f"which this AWS cannot authorise: {error}")
            if missing is None:
                return application(environ, start_response)
            self.refused.append({"role": role, "action": missing[0], "resource": missing[1]})
            print(f"authorization: {role} may not {missing[0]} on {missing[1]}", flush=True)
            return _denied(operation.partition(":")[0], role, missing, environ, start_response)

        return answer

    def _missing(self, role, operation, environ):
        """The first thing that the role may not do; nothing when it may do everything that the call needs."""
        statements = policies.statements(role)
        for action, resource, context in needs(operation, environ, read(environ)):
            whole = {"aws:SecureTransport": ["true"], "aws:SourceAccount": [ACCOUNT], **context}
            if not policies.decides(statements, action, resource, whole):
                return action, resource
        return None


def _role(agent):
    """The name of the role that a call is made with; nothing for people and services, who are not asked."""
    if found := ROLE.search(agent):
        return found[1]
    caller = CALLER.search(agent)
    if not caller:
        return None
    function = lambda_backends[ACCOUNT][REGION].get_function(caller[1])
    return function.role.rpartition("/")[2]


def _denied(service, role, missing, environ, start_response):
    """As the service says it, in the protocol in which it was asked."""
    action, resource = missing
    said = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role} is not authorized to perform: {action} on resource: {resource}"
    spoken = _cbor if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor" else _json
    body, kind, more = _WAYS.get(service, spoken)(said)
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), *more]
    start_response("400 Bad Request" if service in _STATUS_400 else "403 Forbidden", headers)
    return [body]


def _json(said):
    body = json.dumps({"__type": "AccessDeniedException", "message": said}).encode()
    return body, "application/x-amz-json-1.0", [("x-amzn-ErrorType", "AccessDeniedException")]


def _xml(code, shape, said):
    error = f"<Error><Code>{code}</Code><Message>{said}</Message></Error>"
    return shape.format(error).encode(), "text/xml", []


def _cbor(said):
    def text(value):
        return b"\x79" + len(value).to_bytes(2, "big") + value

    pairs = (b"__type", b"AccessDeniedException", b"message", said.encode())
    return b"\xa2" + b"".join(text(part) for part in pairs), "application/cbor", [("smithy-protocol", "rpc-v2-cbor")]


_STATUS_400 = ("dynamodb", "ssm", "states")
_QUERY = "<ErrorResponse>{}<RequestId>local</RequestId></ErrorResponse>"
_WAYS = {
    "ec2": functools.partial(
        _xml, "UnauthorizedOperation", "<Response><Errors>{}</Errors><RequestID>local</RequestID></Response>"
    ),
    "sns": functools.partial(_xml, "AuthorizationError", _QUERY),
    "autoscaling": functools.partial(_xml, "AccessDenied", _QUERY),
    "s3": functools.partial(_xml, "AccessDenied", "{}"),
}

authorization = Authorization()
