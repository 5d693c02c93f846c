"""Makes the messages of a batch, the directory of Connect, and the expected result of each message."""

import hashlib
import json
from dataclasses import dataclass

INSTANCE = "11111111-2222-3333-4444-555555555555"
# Maximum payload of an invocation in Lambda, and therefore of an SQS batch. The emulator has the same limit.
PAYLOAD_BYTES = 6 * 1024 * 1024


@dataclass(frozen=True)
class Message:
    """Some addresses for one queue."""

    number: int
    queue: int
    addresses: tuple[int, ...]

    @property
    def identifier(self) -> str:
        return f"44444444-0000-4000-8000-{self.number:012}"

    def record(self) -> dict:
        """Returns the record as SQS passes it to Lambda. The receipt handle is short, so that 10,000 records fit."""
        ids = [address_id(address) for address in self.addresses]
        named = {"emailAddressId": ids[0]} if len(ids) == 1 else {"emailAddressIds": ids}
        body = text({"instanceId": INSTANCE, "queueId": queue_id(self.queue), **named})
        return {
            "messageId": self.identifier,
            "receiptHandle": f"AQEBexample{self.number:05}==",
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": "1768469400000",
                "ApproximateFirstReceiveTimestamp": "1768469405000",
            },
            "messageAttributes": {},
            "md5OfBody": hashlib.md5(body.encode()).hexdigest(),
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:111122223333:associations",
            "awsRegion": "eu-central-1",
        }


@dataclass(frozen=True)
class Workload:
    messages: list[Message]
    bad: frozenset[int] = frozenset()  # addresses that the instance does not have

    def fixture(self) -> dict:
        """Returns the fixture that the simulator starts with."""
        queues = {message.queue for message in self.messages}
        addresses = {address for message in self.messages for address in message.addresses} - self.bad
        return {"instances": {INSTANCE: {
            "queues": {queue_id(queue): {} for queue in queues},
            "emailAddresses": {address_id(address): f"address-{address}@brand.example" for address in addresses},
        }}}

    def good_pairs(self) -> set[tuple[str, str]]:
        """Returns the pairs that should be associated in the end."""
        return {(queue_id(message.queue), address_id(address))
                for message in self.messages for address in message.addresses if address not in self.bad}


def payload(messages: list[Message]) -> bytes:
    batch = text({"Records": [message.record() for message in messages]}).encode()
    if len(batch) > PAYLOAD_BYTES:
        raise ValueError(f"a batch of {len(messages)} messages has {len(batch)} bytes; Lambda takes {PAYLOAD_BYTES}")
    return batch


def good(messages: int, queues: int) -> Workload:
    """Returns messages of one pair each. Consecutive messages have different queues, as from concurrent producers."""
    return Workload([Message(number, number % queues, (number,)) for number in range(messages)])


def one_bad_address_a_queue(queues: int, addresses: int, addresses_a_message: int) -> Workload:
    """Returns messages with `addresses_a_message` addresses each. One address of each queue does not exist, at a
    position that differs between queues."""
    messages = []
    for queue in range(queues):
        first = queue * addresses
        for start in range(first, first + addresses, addresses_a_message):
            messages.append(Message(len(messages), queue, tuple(range(start, start + addresses_a_message))))
    # 7 and 40, the number of addresses per queue, have no common divisor, so every position is used.
    bad = frozenset(queue * addresses + queue * 7 % addresses for queue in range(queues))
    return Workload(messages, bad)


def queue_id(queue: int) -> str:
    return f"22222222-0000-4000-8000-{queue:012}"


def address_id(address: int) -> str:
    return f"33333333-0000-4000-8000-{address:012}"


def text(value) -> str:
    return json.dumps(value, separators=(",", ":"))
