"""A handler that groups the batch by queue, and splits each group into calls of up to 50 addresses.

If Connect rejects a call because of one address, the handler repeats the call address by address. The response lists the
messages with unfinished pairs.
"""

import json
import logging
from collections import defaultdict

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ADDRESSES_PER_CALL = 50
# Time to keep before the invocation's deadline, because Lambda ends an invocation at its deadline.
MARGIN_MILLIS = 5_000
REFUSED_FOR_ITS_CONTENT = {"InvalidParameterException", "InvalidRequestException", "ResourceNotFoundException"}

log = logging.getLogger(__name__)

# The client is created at import, once per process, so that its connections are reused. Only the mode "adaptive" limits
# its own rate. The Rust function makes ten attempts by default.
connect = boto3.client("connect", config=Config(
    retries={"mode": "adaptive", "total_max_attempts": 10},
    connect_timeout=5,
    read_timeout=5,
    tcp_keepalive=True,
))


def handler(event, context):
    messages_of, unreadable = group(event["Records"])
    reported = set(unreadable)
    for (instance, queue), messages_by_address in messages_of.items():
        addresses = list(messages_by_address)
        for start in range(0, len(addresses), ADDRESSES_PER_CALL):
            for address in associate(instance, queue, addresses[start:start + ADDRESSES_PER_CALL], context):
                reported |= messages_by_address[address]
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]
                                  if record["messageId"] in reported]}


def group(records):
    """Returns the messages that request each address, by instance and queue, and the messages that cannot be read."""
    messages_of = defaultdict(lambda: defaultdict(set))
    unreadable = []
    for record in records:
        try:
            request = json.loads(record["body"])
            target = request["instanceId"], request["queueId"]
            addresses = request.get("emailAddressIds") or [request["emailAddressId"]]
        except (ValueError, KeyError):
            log.exception("message %s cannot be read", record["messageId"])
            unreadable.append(record["messageId"])
            continue
        for address in addresses:
            messages_of[target][address].add(record["messageId"])
    return messages_of, unreadable


def associate(instance, queue, addresses, context):
    """Associates the addresses with the queue. Returns the addresses that failed."""
    if context.get_remaining_time_in_millis() < MARGIN_MILLIS:
        return addresses
    try:
        connect.associate_queue_email_addresses(
            InstanceId=instance,
            QueueId=queue,
            EmailAddressesConfig=[{"EmailAddressId": address} for address in addresses],
        )
        return []
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in REFUSED_FOR_ITS_CONTENT and len(addresses) > 1:
            return [left for address in addresses for left in associate(instance, queue, [address], context)]
        log.warning("queue %s: %s for %s", queue, code, addresses)
    except BotoCoreError as error:
        log.warning("queue %s: %s for %s", queue, error, addresses)
    return addresses
