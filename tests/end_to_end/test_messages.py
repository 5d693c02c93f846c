"""Tests messages of the source queue, the resulting associations, and the destinations of failures.

The local AWS takes at most 10 messages in a batch, even with a larger BatchSize. tests/function covers batches of 250.
The local AWS has no StartMessageMoveTask. `redrive` replaces it and sends a new message with the same body to the
source queue (Amazon SQS Developer Guide, "Learn how to configure a dead-letter queue redrive").
"""

import json

from waiting import until


def associate(*entries: dict) -> dict:
    return {"associations": list(entries)}


def pairs(queue: str, addresses: list[str]) -> dict:
    return {"queueId": queue, "emailAddressIds": addresses}


def failures(aws, count: int) -> list[dict]:
    """Waits until the failures queue has `count` messages, and returns them."""
    aws.until_done()
    until(lambda: aws.messages("DeadLetterQueue") >= count, f"the failures queue has {count} messages")
    bodies = aws.take("DeadLetterQueue")
    assert len(bodies) == count, bodies
    return bodies


def redrive(aws, body: dict) -> None:
    aws.client("sqs").send_message(QueueUrl=aws.physical["SourceQueue"], MessageBody=json.dumps(body))


def test_messages_of_the_same_queues_share_calls(aws, connect):
    queues = [connect.create_queue(addresses=10) for _ in range(3)]
    aws.send(*[associate(*[pairs(queue, [addresses[number]]) for queue, addresses in queues])
               for number in range(10)])
    aws.until_done()
    for queue, addresses in queues:
        assert connect.on(queue) == sorted(addresses)
    assert len(connect.calls()) == 3
    assert aws.messages("DeadLetterQueue") == 0


def test_bad_pairs_fail_alone_with_their_reasons(aws, connect):
    good, addresses = connect.create_queue(addresses=5)
    full, late = connect.create_queue(addresses=2, limit=1)
    aws.send(
        "no JSON",
        associate(pairs(good, addresses[:3] + ["address-unknown"])),
        associate(pairs(full, late), pairs(good, addresses[3:])),
    )
    bodies = failures(aws, 3)
    assert connect.on(good) == sorted(addresses)
    assert connect.on(full) == late[:1]

    reasons = {(failure["error"], failure.get("emailAddressId")) for body in bodies for failure in body["failures"]}
    assert reasons == {("InvalidRequest", None), ("InvalidParameterException", "address-unknown"),
                       ("QueueFull", late[1])}
    assert [body["unreadable"] for body in bodies if "unreadable" in body] == ["no JSON"]


def test_pair_without_success_ends_in_the_dead_letter_queue(aws, connect):
    queue, addresses = connect.create_queue(addresses=2)
    request = associate(pairs(queue, addresses))
    connect.fault(queue=queue, effect={"error": {"status": 500, "code": "InternalServiceException", "message": ""}})
    with (aws.deliveries("SourceQueue", 5),
          aws.function_settings(MAX_ATTEMPTS="1", REDELIVERY_INITIAL_SECONDS="1", REDELIVERY_MAX_SECONDS="1")):
        aws.send(request)
        [left] = failures(aws, 1)
    assert left == request
    # One call for each delivery of a message.
    assert len(connect.calls()) == 5

    connect.mend()
    redrive(aws, left)
    aws.until_done()
    assert connect.on(queue) == addresses


def test_large_message_is_done_in_several_invocations(aws, connect):
    queues = [connect.create_queue(addresses=1) for _ in range(60)]
    ended = aws.invocations()
    # At 10 calls per second, 60 calls take a second longer than the whole time of one invocation.
    with aws.function_settings(timeout=5, CONNECT_REQUESTS_PER_SECOND="10", CONNECT_BURST="1", CONNECT_WORKERS="1"):
        aws.send(associate(*[pairs(queue, addresses) for queue, addresses in queues]))
        aws.until_done()
    for queue, addresses in queues:
        assert connect.on(queue) == addresses
    assert len(connect.calls()) == 60
    assert aws.invocations() - ended > 1
    assert aws.messages("DeadLetterQueue") == 0


def test_fixed_failure_can_be_redriven(aws, connect):
    queue, addresses = connect.create_queue(addresses=2)
    full, [first, second] = connect.create_queue(addresses=2, limit=1)
    aws.send(associate(pairs(queue, [*addresses, "address-new"]), pairs(full, [first, second])))
    [failed] = failures(aws, 1)
    assert {failure["error"] for failure in failed["failures"]} == {"InvalidParameterException", "QueueFull"}

    connect.add_addresses(["address-new"])
    redrive(aws, failed)
    [failed] = failures(aws, 1)
    assert [failure["error"] for failure in failed["failures"]] == ["QueueFull"]
    assert connect.on(queue) == sorted([*addresses, "address-new"])

    connect.remove(full, first)
    redrive(aws, failed)
    aws.until_done()
    assert connect.on(full) == [second]
    assert aws.messages("DeadLetterQueue") == 0


def test_throttling_loses_nothing(aws, connect):
    queues = [connect.create_queue(addresses=2) for _ in range(30)]
    connect.quota(rate=5, burst=5)
    aws.send(*[associate(*[pairs(queue, [addresses[number]]) for queue, addresses in queues]) for number in range(2)])
    aws.until_done()
    for queue, addresses in queues:
        assert connect.on(queue) == addresses
    statuses = [call["status"] for call in connect.calls()]
    assert 429 in statuses
    assert statuses.count(200) == 30
    assert aws.messages("DeadLetterQueue") == 0
