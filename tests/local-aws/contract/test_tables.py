"""DynamoDB under many callers."""

import concurrent.futures

import pytest

# What is there takes a while to copy.
THERE, WRITES, REFUSED = 1_000, 200, 20


def test_a_transaction_that_is_refused_takes_back_nothing_of_others(aws):
    dynamodb = aws.client("dynamodb")
    dynamodb.create_table(
        TableName="crowd",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for first in range(0, THERE, 25):
        puts = [{"PutRequest": {"Item": {"id": {"S": str(number)}}}} for number in range(first, first + 25)]
        dynamodb.batch_write_item(RequestItems={"crowd": puts})
    there = {"TableName": "crowd", "Item": {"id": {"S": "0"}}}
    again = {"Put": there | {"ConditionExpression": "attribute_not_exists(id)"}}

    def write(number):
        dynamodb.put_item(TableName="crowd", Item={"id": {"S": f"item {number}"}})

    def refused(_):
        with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
            dynamodb.transact_write_items(TransactItems=[again])

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = [pool.submit(refused, number) for number in range(REFUSED)]
        done += [pool.submit(write, number) for number in range(WRITES)]
        for one in done:
            one.result()

    assert dynamodb.scan(TableName="crowd", Select="COUNT", ConsistentRead=True)["Count"] == THERE + WRITES
