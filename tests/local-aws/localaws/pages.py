"""Describe calls of EC2 in pages, with filters as EC2 reads them: subnets and network interfaces.

A filter names values of which one must match, `*` and `?` are wild, and a resource may have several values for it.
moto wants all values of a list to match, and knows no pages here. `acls` describes network ACLs by the same rules.
"""

import fnmatch
import re

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError, FilterNotImplementedError, InvalidSubnetIdError
from moto.ec2.responses.elastic_network_interfaces import ElasticNetworkInterfaces
from moto.ec2.responses.subnets import Subnets

LEAST, MOST = 5, 1000


def install():
    """From now on both calls go by these rules."""
    Subnets.describe_subnets = describe_subnets
    ElasticNetworkInterfaces.describe_network_interfaces = describe_network_interfaces


def describe_subnets(self):
    backend = self.ec2_backend
    every = {subnet.id: subnet for subnet in backend.describe_subnets()}
    return answer(self, "SubnetIds", "Subnets", every, InvalidSubnetIdError)


def describe_network_interfaces(self):
    # moto's own look-up refuses an id that it does not know.
    backend, ids = self.ec2_backend, self._get_param("NetworkInterfaceIds", [])
    every = {interface.id: interface for interface in backend.get_all_network_interfaces(ids)}
    # With ids there are no pages, says EC2.
    return answer(self, "NetworkInterfaceIds", "NetworkInterfaces", every, None, both=False)


def answer(response, ids_name, shown, every, missing, both=True):
    """What is asked for out of `every` (by id), page by page. `missing` refuses an id that is not there."""
    get = response._get_param
    ids = get(ids_name, [])
    unknown = [one for one in ids if one not in every]
    if unknown:
        raise missing(unknown[0])
    if ids and get("MaxResults") is not None and not both:
        raise EC2ClientError(
            "InvalidParameterCombination", f"The parameter {ids_name} cannot be used with the parameter MaxResults"
        )
    found = [every[one] for one in every if not ids or one in ids]
    filters = response._filters_from_querystring()
    found = [resource for resource in found if matches(resource, filters)]
    response.error_on_dryrun()
    part, more = _page(found, get("MaxResults"), get("NextToken"))
    return ActionResult({shown: part, "NextToken": more})


def matches(resource, filters):
    """Whether a resource passes every filter."""
    return all(_matches(_values(resource, name), wanted) for name, wanted in filters.items())


def _values(resource, name):
    try:
        value = resource.get_filter_value(name)
    except FilterNotImplementedError:
        raise EC2ClientError("InvalidParameterValue", f"The filter '{name}' is invalid") from None
    if value is None:
        return []
    values = [value] if isinstance(value, (str, bool, int)) else list(value)
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values if one is not None]


def _matches(values, wanted):
    # EC2 has no [sets], which fnmatch would read.
    patterns = [re.compile(fnmatch.translate(pattern.replace("[", "[[]"))) for pattern in wanted]
    return any(pattern.fullmatch(value) for pattern in patterns for value in values)


def _page(found, size, token):
    if size is not None and not LEAST <= int(size) <= MOST:
        raise EC2ClientError(
            "InvalidParameterValue",
            f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value between {LEAST} and {MOST}.",
        )
    if token is not None and not token.isdigit():
        raise EC2ClientError("InvalidNextToken", "The token is not one that this call gave")
    first = int(token or 0)
    last = first + int(size or MOST)
    return found[first:last], str(last) if last < len(found) else None
