"""CloudFormation's deletions: in the reverse of the order of creation, and a failed one leaves the stack there to be read.

moto deletes in an order that changes with every start of Python, so a function may go before what was made for it, which
then can never be deleted; the stack is gone from the list all the same. AWS answers DeleteStack at once, and the stack
says what became of it.
"""

from moto.cloudformation import parsing
from moto.cloudformation.models import CloudFormationBackend
from moto.cloudformation.parsing import ResourceMap
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import EmptyResult
from moto.iam.models import ManagedPolicy
from moto.s3.models import FakeBucket, s3_backends
from moto.utilities.utils import get_partition

RETAINED = ("Retain", "RetainExceptOnCreate")


def install():
    """From now on stacks go as AWS's do."""
    ResourceMap.delete = _delete_resources
    _stays_when_it_fails()
    _is_answered_at_once()
    _leaves_out_what_is_no_value()
    # Without it moto leaves managed policies where they are.
    ManagedPolicy.delete = lambda policy, *_: policy.backend.delete_policy(policy.arn)
    FakeBucket.delete = _delete_bucket


def _leaves_out_what_is_no_value():
    """`AWS::NoValue` in a list is no element; moto makes it a null, which IAM refuses."""
    theirs = parsing.clean_json

    def clean_json(value, resources):
        found = theirs(value, resources)
        return [one for one in found if one is not None] if isinstance(value, list) else found

    parsing.clean_json = clean_json


def _stays_when_it_fails():
    theirs = CloudFormationBackend.delete_stack

    def delete_stack(backend, name_or_stack_id):
        named = [each for each in backend.stacks.values() if name_or_stack_id in (each.name, each.stack_id)]
        try:
            theirs(backend, name_or_stack_id)
        except Exception as error:
            for stack in named:
                backend.stacks[stack.stack_id] = stack
                stack.status, stack.status_reason = "DELETE_FAILED", str(error)
                stack._add_stack_event("DELETE_FAILED", resource_status_reason=str(error))
            raise

    CloudFormationBackend.delete_stack = delete_stack


def _is_answered_at_once():
    theirs = CloudFormationResponse.delete_stack

    def delete_stack(response):
        try:
            return theirs(response)
        except Exception as error:
            # The stack says it.
            print(f"stacks: {response._get_param('StackName')} was not deleted: {error!r}", flush=True)
            return EmptyResult()

    CloudFormationResponse.delete_stack = delete_stack


def _delete_bucket(bucket, account, region):
    """Only an empty one goes; moto passes over one that is not."""
    if bucket.keys:
        raise BucketNotEmpty(bucket.name)
    s3_backends[account][get_partition(region)].delete_bucket(bucket.name)


class BucketNotEmpty(Exception):
    def __init__(self, name):
        super().__init__(f"The bucket {name} you tried to delete is not empty")


def _delete_resources(resources):
    """One after the other. What cannot be deleted stays, and so does nothing else; the first reason is told.

    What is gone stays in the list of the stack's resources: moto makes again what it misses there.
    """
    failed, gone = None, resources.__dict__.setdefault("gone", set())
    # What something refers to was made before it, so it stands before it.
    for name in reversed(list(resources._parsed_resources)):
        template = resources._resource_json_map.get(name)
        made = resources._parsed_resources[name]
        if template is None or name in gone or template.get("DeletionPolicy") in RETAINED:
            continue
        try:
            if made is not None and not isinstance(made, str):
                resources._delete_resource(made, template)
            gone.add(name)
        except Exception as error:
            failed = failed or error
    if failed:
        raise failed
