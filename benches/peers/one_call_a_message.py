"""A handler that calls AssociateQueueEmailAddresses once per message. Powertools for AWS Lambda splits the batch, and
reports the messages whose processing raised an error."""

import boto3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from botocore.config import Config

# The client is created at import, once per process, so that its connections are reused. Only the mode "adaptive" limits
# its own rate. The Rust function makes ten attempts by default.
connect = boto3.client("connect", config=Config(
    retries={"mode": "adaptive", "total_max_attempts": 10},
    connect_timeout=5,
    read_timeout=5,
    tcp_keepalive=True,
))
# The handler reports the failed messages even if every message failed. By default, Powertools raises an error.
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
