"""The usual handler: Powertools for AWS Lambda takes the batch apart and reports what raised, and each message is one
call of AssociateQueueEmailAddresses."""

import boto3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from botocore.config import Config

# The client is made at import, once for each process, so that its connections last from invocation to invocation. Only
# the mode "adaptive" keeps to a rate by itself. The Rust function makes ten attempts by default.
connect = boto3.client("connect", config=Config(
    retries={"mode": "adaptive", "total_max_attempts": 10},
    connect_timeout=5,
    read_timeout=5,
    tcp_keepalive=True,
))
# The handler answers a batch message by message even if every message failed. Powertools raises an error by default.
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def associate(record: SQSRecord) -> None:
    request = record.json_body
    addresses = request.get("emailAddressIds") or [request["emailAddressId"]]
    connect.associate_queue_email_addresses(
        InstanceId=request["instanceId"],
        QueueId=request["queueId"],
        EmailAddressesConfig=[{"EmailAddressId": address} for address in addresses],
    )


def handler(event, context):
    return process_partial_response(event=event, record_handler=associate, processor=processor, context=context)
