"""This AWS behind itself: reads that show what was, instances that take their time, metrics that come late and change."""

import datetime
import json
import uuid

import pytest
from botocore.exceptions import ClientError
from test_clockwork import schedule
from test_hosts import document, send
from test_universal import target
from testing import eventually

MINUTE = 60


@pytest.fixture
def lags(aws):
    """Turns lags on; all are off afterwards, and what takes its time has ended."""
    yield lambda **asked: aws.ask("lags", asked)
    aws.ask("lags", {})
    push(aws, 3600)


def push(aws, seconds):
    return datetime.datetime.fromisoformat(aws.ask("clock", {"advance_seconds": seconds})["now"])


def test_all_of_it_is_off_until_it_is_asked_for(aws):
    off = {"reads_seconds": 0.0, "stop_seconds": 0.0, "start_seconds": 0.0, "metrics_seconds": {}}
    assert aws.ask("lags") == off


@pytest.mark.parametrize("wrong", [{"reads_seconds": -1}, {"metrics_seconds": {"AWS/": 4000}}, {"reed_seconds": 1}])
def test_a_lag_that_is_none_is_refused(aws, wrong):
    with pytest.raises(OSError, match="400"):
        aws.ask("lags", wrong)


class Table:
    """A table with an index, and what is read of one item."""

    def __init__(self, aws):
        self.dynamodb, self.name = aws.client("dynamodb"), f"t-{uuid.uuid4().hex[:8]}"
        names = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "open")]
        keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
        index = {
            "IndexName": "open",
            "KeySchema": [{"AttributeName": "open", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        self.dynamodb.create_table(
            TableName=self.name,
            AttributeDefinitions=names,
            KeySchema=keys,
            GlobalSecondaryIndexes=[index],
            BillingMode="PAY_PER_REQUEST",
        )
        self.key = {"pk": {"S": "a"}, "sk": {"S": "b"}}

    def put(self, value):
        self.dynamodb.put_item(TableName=self.name, Item=self.key | {"open": {"S": "yes"}, "value": {"S": value}})

    def item(self, **more):
        found = self.dynamodb.get_item(TableName=self.name, Key=self.key, **more).get("Item")
        return found and found["value"]["S"]

    def queried(self, **more):
        key, value = ("open", "yes") if "IndexName" in more else ("pk", "a")
        found = self.dynamodb.query(
            TableName=self.name,
            KeyConditionExpression="#key = :value",
            ExpressionAttributeNames={"#key": key},
            ExpressionAttributeValues={":value": {"S": value}},
            **more,
        )["Items"]
        return [one["value"]["S"] for one in found]

    def reads(self):
        """A read of each kind that lags."""
        keys = {self.name: {"Keys": [self.key]}}
        batch = self.dynamodb.batch_get_item(RequestItems=keys)["Responses"][self.name]
        scanned = self.dynamodb.scan(TableName=self.name)["Items"]
        return [
            [one for one in [self.item()] if one],
            self.queried(),
            self.queried(IndexName="open"),
            [one["value"]["S"] for one in batch],
            [one["value"]["S"] for one in scanned],
        ]


def test_reads_of_a_table_lag_unless_they_are_strongly_consistent(aws, lags):
    table = Table(aws)
    lags(reads_seconds=MINUTE)

    table.put("first")
    assert table.reads() == [[]] * 5
    assert (table.item(ConsistentRead=True), table.queried(ConsistentRead=True)) == ("first", ["first"])
    push(aws, MINUTE)
    assert table.reads() == [["first"]] * 5

    change = {"UpdateExpression": "SET #v = :v", "ExpressionAttributeNames": {"#v": "value"}}
    table.dynamodb.update_item(
        TableName=table.name, Key=table.key, **change, ExpressionAttributeValues={":v": {"S": "second"}}
    )
    assert table.reads() == [["first"]] * 5
    assert table.item(ConsistentRead=True) == "second"
    push(aws, MINUTE)
    assert table.reads() == [["second"]] * 5

    table.dynamodb.delete_item(TableName=table.name, Key=table.key)
    assert table.reads() == [["second"]] * 5
    assert table.item(ConsistentRead=True) is None
    push(aws, MINUTE)
    assert table.reads() == [[]] * 5


def test_a_condition_is_asked_of_what_is(aws, lags):
    table = Table(aws)
    lags(reads_seconds=MINUTE)
    table.put("first")

    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        table.dynamodb.put_item(TableName=table.name, Item=table.key, ConditionExpression="attribute_not_exists(pk)")


def test_what_a_transaction_did_not_do_is_not_seen_later_either(aws, lags):
    table = Table(aws)
    lags(reads_seconds=MINUTE)
    puts = [
        {"Put": {"TableName": table.name, "Item": table.key | {"value": {"S": "never"}}}},
        {
            "ConditionCheck": {
                "TableName": table.name,
                "Key": {"pk": {"S": "no"}, "sk": {"S": "one"}},
                "ConditionExpression": "attribute_exists(pk)",
            }
        },
    ]

    with pytest.raises(ClientError, match="TransactionCanceled"):
        table.dynamodb.transact_write_items(TransactItems=puts)

    push(aws, MINUTE)
    assert table.reads() == [[]] * 5


def refused(call, **given):
    with pytest.raises(ClientError) as caught:
        call(**given)
    return caught.value.response["Error"]["Code"]


def test_network_acls_are_described_as_they_were(aws, lags):
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    lags(reads_seconds=MINUTE)

    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    assert refused(ec2.describe_network_acls, NetworkAclIds=[acl]) == "InvalidNetworkAclID.NotFound"
    push(aws, MINUTE)

    def numbers():
        [found] = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"]
        return {one["RuleNumber"] for one in found["Entries"]}

    ec2.create_network_acl_entry(
        NetworkAclId=acl, RuleNumber=7, Protocol="-1", RuleAction="deny", Egress=True, CidrBlock="0.0.0.0/0"
    )
    assert numbers() == {32_767}
    push(aws, MINUTE)
    assert numbers() == {7, 32_767}

    ec2.delete_network_acl(NetworkAclId=acl)
    assert numbers() == {7, 32_767}
    push(aws, MINUTE)
    assert refused(ec2.describe_network_acls, NetworkAclIds=[acl]) == "InvalidNetworkAclID.NotFound"


def states(aws, instance):
    """As each of the two describe calls has it."""
    ec2 = aws.client("ec2")
    [found] = ec2.describe_instances(InstanceIds=[instance])["Reservations"]
    [status] = ec2.describe_instance_status(InstanceIds=[instance], IncludeAllInstances=True)["InstanceStatuses"]
    return {found["Instances"][0]["State"]["Name"], status["InstanceState"]["Name"]}


def test_instances_are_described_as_they_were(aws, lags):
    ec2 = aws.client("ec2")
    instance = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    lags(reads_seconds=MINUTE)

    ec2.stop_instances(InstanceIds=[instance])

    assert states(aws, instance) == {"running"}
    stopped = [{"Name": "instance-state-name", "Values": ["stopped"]}]
    assert ec2.describe_instances(InstanceIds=[instance], Filters=stopped)["Reservations"] == []
    push(aws, MINUTE)
    assert states(aws, instance) == {"stopped"}
    ec2.terminate_instances(InstanceIds=[instance])


def test_what_is_known_of_a_command_lags(aws, hosts, lags):
    ssm, name = aws.client("ssm"), document(aws, f"lags-{uuid.uuid4().hex[:8]}", "echo done")
    lags(reads_seconds=MINUTE)

    command = send(aws, name, hosts[:1])

    # It runs at once; that it runs, and that it has ended, is read a minute later.
    eventually(lambda: ssm.list_commands(CommandId=command)["Commands"][0]["Status"] == "Success")
    asked = {"CommandId": command, "InstanceId": hosts[0]}
    assert ssm.list_command_invocations(CommandId=command)["CommandInvocations"] == []
    assert refused(ssm.get_command_invocation, **asked) == "InvocationDoesNotExist"
    push(aws, MINUTE)
    found = ssm.get_command_invocation(**asked)
    assert (found["Status"], found["StandardOutputContent"]) == ("Success", "done\n")


@pytest.fixture
def database(aws, hosts):
    """An instance that no group replaces, and that runs again afterwards."""
    wanted = [{"Name": "tag:Service", "Values": ["orders-db"]}]
    [found] = aws.client("ec2").describe_instances(Filters=wanted)["Reservations"]
    instance = found["Instances"][0]["InstanceId"]
    yield instance
    eventually(lambda: states(aws, instance) <= {"stopped", "running"}, 60)
    aws.client("ec2").start_instances(InstanceIds=[instance])
    eventually(lambda: push(aws, MINUTE) and states(aws, instance) == {"running"}, 60)


def test_instances_stop_and_start_in_their_own_time(aws, database, lags):
    ec2, ids = aws.client("ec2"), {"InstanceIds": [database]}
    lags(stop_seconds=MINUTE, start_seconds=2 * MINUTE)

    ec2.stop_instances(**ids)
    assert states(aws, database) == {"stopping"}
    assert refused(ec2.start_instances, **ids) == "IncorrectInstanceState"
    assert refused(ec2.reboot_instances, **ids) == "IncorrectInstanceState"
    push(aws, MINUTE)
    eventually(lambda: states(aws, database) == {"stopped"}, 30)

    ec2.start_instances(**ids)
    ec2.start_instances(**ids)
    assert states(aws, database) == {"pending"}
    assert refused(ec2.stop_instances, **ids) == "IncorrectInstanceState"
    push(aws, MINUTE)
    assert states(aws, database) == {"pending"}
    push(aws, MINUTE)
    eventually(lambda: states(aws, database) == {"running"}, 30)


def test_an_hour_at_once_of_a_start_that_repeats_starts_an_instance_once(aws, database):
    aws.client("ec2").stop_instances(InstanceIds=[database])
    eventually(lambda: states(aws, database) == {"stopped"}, 30)
    starts, given = target("ec2:startInstances"), json.dumps({"InstanceIds": [database]})
    name = schedule(aws, "rate(1 minute)", starts, given, {"RetryPolicy": {"MaximumRetryAttempts": 0}})

    push(aws, 3600)

    def firings():
        return [one for one in aws.ask("schedules")["firings"] if one["schedule"].endswith(f"/{name}")]

    eventually(lambda: len(firings()) >= 60, 60)
    assert [one["error_message"] for one in firings() if one["error_code"]] == []
    eventually(lambda: states(aws, database) == {"running"}, 30)
    aws.client("scheduler").delete_schedule(Name=name)


def test_metrics_come_late_and_are_restated(aws, lags):
    name = f"Late/{uuid.uuid4().hex[:8]}"
    cloudwatch, at = aws.client("cloudwatch"), push(aws, 0).replace(second=0, microsecond=0)
    lags(metrics_seconds={"Late/": 2 * MINUTE, "Late/none": 0})
    for namespace in (name, "Prompt"):
        moments = [at + datetime.timedelta(seconds=second) for second in range(10)]
        data = [{"MetricName": "m", "Value": 1, "Timestamp": moment} for moment in moments]
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)

    def sum_in(namespace):
        stat = {"Metric": {"Namespace": namespace, "MetricName": "m"}, "Period": MINUTE, "Stat": "Sum"}
        window = {"StartTime": at, "EndTime": at + datetime.timedelta(minutes=1)}
        asked = [{"Id": "m", "MetricStat": stat}]
        [found] = cloudwatch.get_metric_data(MetricDataQueries=asked, **window)["MetricDataResults"]
        return found["Values"]

    assert (sum_in(name), sum_in("Prompt")) == ([], [10])
    push(aws, 2 * MINUTE + 10)
    assert sum_in(name) == [5]
    push(aws, 2 * MINUTE)
    assert sum_in(name) == [10]
