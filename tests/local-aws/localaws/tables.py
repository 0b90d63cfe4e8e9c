"""DynamoDB, one call at a time.

moto copies whole tables for a transaction, and puts the copies back when a condition does not hold. What others wrote
meanwhile would be lost, and a table that changes while it is copied would be an error of the service.
"""

import functools
import threading

from moto.dynamodb.responses import DynamoHandler

_turn = threading.RLock()


def install():
    """From now on no call sees another one half done."""
    whole = DynamoHandler.call_action

    @functools.wraps(whole)
    def call_action(handler):
        with _turn:
            return whole(handler)

    DynamoHandler.call_action = call_action
