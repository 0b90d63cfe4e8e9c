"""Reads of what was: DynamoDB without ConsistentRead, and EC2's describe calls, as far behind as `lags` says.

A read that lags is answered from a copy in which the latest changes are taken back; writes, conditions and strongly
consistent reads see what is. In EC2 that is the state of instances, and network ACLs with their entries and associations.
"""

import collections
import copy

from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.responses import DynamoHandler
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import InstanceState
from moto.ec2.responses._base_response import EC2BaseResponse

from . import ACCOUNT, REGION
from .lags import Journal, lags

_items, _instances = Journal(), Journal()


def install():
    """From now on changes are noted, and reads may lag."""
    for verb in ("put_item", "update_item", "delete_item"):
        setattr(DynamoDBBackend, verb, _noted(getattr(DynamoDBBackend, verb)))
    for verb in ("get_item", "query", "scan", "batch_get_item"):
        setattr(DynamoHandler, verb, _lagging(getattr(DynamoHandler, verb)))
    DynamoHandler.dynamodb_backend = property(_tables)
    EC2BaseResponse.ec2_backend = property(_ec2)


def note_instances():
    """Call it ahead of a change in EC2."""
    if lags.reads_seconds:
        backend = ec2_backends[ACCOUNT][REGION]
        states = {one.id: (one._state.name, one._state.code) for one in backend.all_instances()}
        acls = {
            name: _copied(acl, network_acl_entries=list(acl.network_acl_entries), _associations=dict(acl._associations))
            for name, acl in list(backend.network_acls.items())
        }
        _instances.note((states, acls))


def _ec2(response):
    backend = ec2_backends[response.current_account][response.region]
    if not response._get_action().startswith("Describe"):
        note_instances()
        return backend
    before = _instances.since(lags.read_until()) if lags.reads_seconds else []
    return _as_it_was(backend, *before[0]) if before else backend


def _as_it_was(backend, states, acls):
    """A copy of EC2 with these states and network ACLs; what came later is not there, and what went is."""
    reservations = collections.OrderedDict()
    for name, reservation in list(backend.reservations.items()):
        instances = [
            _copied(one, _state=InstanceState(*states[one.id])) for one in reservation.instances if one.id in states
        ]
        if instances:
            reservations[name] = _copied(reservation, instances=instances)
    return _copied(backend, reservations=reservations, network_acls=acls)


def _copied(value, **changes):
    """Not by its own constructor: moto keeps everything that was made that way."""
    made = object.__new__(type(value))
    made.__dict__ |= value.__dict__ | changes
    return made


def _noted(write):
    """A write to a table, whose item is noted as it was before."""

    def noted(backend, table_name, item, *arguments, **named):
        if lags.reads_seconds:
            table = backend.get_table(table_name)
            at, sort = backend.get_keys_value(table, item)
            # Updates change an item where it is.
            _items.note((table.name, at, sort, copy.deepcopy(table.get_item(at, sort))))
        return write(backend, table_name, item, *arguments, **named)

    return noted


def _lagging(read):
    """A read, which sees what was when it is not strongly consistent."""

    def lagging(response):
        response.lags = bool(lags.reads_seconds) and not _is_strong(response.body)
        try:
            return read(response)
        finally:
            response.lags = False

    return lagging


def _is_strong(body):
    # A BatchGetItem says it for each table.
    asked = list(body.get("RequestItems", {}).values()) or [body]
    return all(str(one.get("ConsistentRead", False)).lower() == "true" for one in asked)


def _tables(response):
    backend = dynamodb_backends[response.current_account][response.region]
    if not getattr(response, "lags", False):
        return backend
    changes = collections.defaultdict(list)
    for name, *change in _items.since(lags.read_until()):
        changes[name].append(change)
    tables = backend.tables.copy()
    for name in tables.keys() & changes.keys():
        tables[name] = _table_as_it_was(tables[name], changes[name])
    return _copied(backend, tables=tables)


def _table_as_it_was(table, changes):
    """Takes the changes back, the newest first."""
    items = {at: dict(found) if table.has_range_key else found for at, found in list(table.items.items())}
    for at, sort, before in reversed(changes):
        place, key = (items.setdefault(at, {}), sort) if table.has_range_key else (items, at)
        if before is None:
            place.pop(key, None)
        else:
            place[key] = before
    return _copied(table, items=collections.defaultdict(dict, items))
