"""Hosts that are only said to be there: counted, paged and answered for as the lab's hosts are."""

import json
import time

import pytest
from botocore.exceptions import ClientError
from testing import document_of_ours, eventually, reached

COUNT = 120
UNIT = {"Unit": ["0123456789abcdef"]}


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    with reached(tmp_path_factory.mktemp("phantoms") / "home", "--phantoms", str(COUNT)) as aws:
        for name in ("probe", "revert", "cpu-stress"):
            content = document_of_ours(name)
            aws.client("ssm").create_document(Name=name, DocumentType="Command", DocumentFormat="YAML", Content=content)
        yield aws


def everybody(aws):
    pages = aws.client("ec2").get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 50})
    return [one for page in pages for reservation in page["Reservations"] for one in reservation["Instances"]]


def answers(aws, document, ids, parameters):
    """What every host says, by its id."""
    ssm = aws.client("ssm")
    command = ssm.send_command(DocumentName=document, InstanceIds=ids, Parameters=parameters)["Command"]["CommandId"]

    def look():
        found = ssm.list_command_invocations(CommandId=command, Details=True, MaxResults=50)["CommandInvocations"]
        return found if all(one["Status"] == "Success" for one in found) else None

    return {one["InstanceId"]: json.loads(one["CommandPlugins"][0]["Output"]) for one in eventually(look)}


def outcomes(aws, document, ids, parameters):
    return {said["outcome"] for said in answers(aws, document, ids, parameters).values()}


def test_they_come_in_pages(crowd):
    first = crowd.client("ec2").describe_instances(MaxResults=50)
    hosts = everybody(crowd)

    assert len(first["Reservations"][0]["Instances"]) == 50 and first["NextToken"]
    assert len({host["InstanceId"] for host in hosts}) == COUNT
    assert len({host["PrivateIpAddress"] for host in hosts}) == COUNT


def test_those_that_are_asked_about_are_described(crowd):
    ids = [host["InstanceId"] for host in everybody(crowd)][10:110]

    found = crowd.client("ec2").describe_instance_status(InstanceIds=ids)["InstanceStatuses"]

    assert [one["InstanceId"] for one in found] == ids


def test_a_command_goes_to_fifty_and_to_no_more(crowd):
    ids = [host["InstanceId"] for host in everybody(crowd)]

    said = answers(crowd, "probe", ids[:50], {})

    assert set(said) == set(ids[:50])
    assert all(one["outcome"] == "alive" and "stress-ng" in one["capabilities"] for one in said.values())
    with pytest.raises(ClientError, match="51 members"):
        answers(crowd, "probe", ids[:51], {})


def test_a_fault_is_there_until_it_is_reverted(crowd):
    [*ids, other] = [host["InstanceId"] for host in everybody(crowd)][-3:]
    now = int(time.time())
    times = {"NotAfter": [str(now + 60)], "Deadline": [str(now + 90)], "MaxSeconds": ["90"]}
    fault = UNIT | times | {"Run": ["a-run"], "Percent": ["50"]}

    assert outcomes(crowd, "cpu-stress", ids, fault) == {"landed"}
    assert outcomes(crowd, "cpu-stress", ids, fault) == {"already"}
    units = {host: said["units"] for host, said in answers(crowd, "probe", [*ids, other], {}).items()}
    assert units == {ids[0]: UNIT["Unit"], ids[1]: UNIT["Unit"], other: []}
    assert outcomes(crowd, "revert", ids, UNIT | {"Run": ["a-run"]}) == {"reverted"}
    assert outcomes(crowd, "revert", ids, UNIT | {"Run": ["a-run"]}) == {"absent"}


def test_a_transaction_that_is_refused_leaves_nothing(crowd):
    dynamodb = crowd.client("dynamodb")
    dynamodb.create_table(
        TableName="light",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def put(key):
        item = {"pk": {"S": key}}
        return {"Put": {"TableName": "light", "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    def gone(key):
        return {"Delete": {"TableName": "light", "Key": {"pk": {"S": key}}}}

    dynamodb.transact_write_items(TransactItems=[put("a"), put("b")])
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        dynamodb.transact_write_items(TransactItems=[gone("a"), put("c"), put("b")])
    dynamodb.transact_write_items(TransactItems=[gone("b"), put("d")])

    keys = {item["pk"]["S"] for item in dynamodb.scan(TableName="light")["Items"]}
    assert keys == {"a", "d"}


def test_they_stop_and_start_at_once_and_a_dry_run_does_nothing(crowd):
    ec2, ids = crowd.client("ec2"), [host["InstanceId"] for host in everybody(crowd)][:3]

    def states():
        found = ec2.describe_instances(InstanceIds=ids)["Reservations"][0]
        return found["OwnerId"], {one["State"]["Name"] for one in found["Instances"]}

    with pytest.raises(ClientError) as dry:
        ec2.stop_instances(InstanceIds=ids, DryRun=True)
    assert dry.value.response["Error"]["Code"] == "DryRunOperation"
    assert states() == ("123456789012", {"running"})
    stopped = ec2.stop_instances(InstanceIds=ids)["StoppingInstances"]
    assert {one["CurrentState"]["Name"] for one in stopped} == {"stopped"} == states()[1]
    started = ec2.start_instances(InstanceIds=ids)["StartingInstances"]
    assert {one["PreviousState"]["Name"] for one in started} == {"stopped"} and states()[1] == {"running"}
