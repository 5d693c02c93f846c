"""Tests events of the bus, which go through the source queue, and events that invoke the function.

The local AWS stores a target's RetryPolicy and DeadLetterConfig and never uses them, so test_deployment.py checks them.
It retries an asynchronous invocation after 1 and 2 seconds. AWS retries it after 1 and 2 minutes.
"""

import json
import uuid

from waiting import until

THROUGH_THE_QUEUE = "Email addresses assigned"


def publish(aws, detail_type: str, detail: dict, source: str = "brand.onboarding") -> None:
    sent = aws.client("events").put_events(Entries=[{
        "EventBusName": aws.physical["EventBus"], "Source": source, "DetailType": detail_type,
        "Detail": json.dumps(detail)}])
    assert sent["FailedEntryCount"] == 0, sent


def test_an_event_becomes_associations(aws, connect):
    queue, addresses = connect.create_queue(addresses=3)
    publish(aws, THROUGH_THE_QUEUE, {"associations": [{"queueId": queue, "emailAddressIds": addresses}]})
    until(lambda: connect.on(queue) == addresses, "the addresses are on the queue")
    assert len(connect.calls()) == 1
    aws.until_done()
    assert aws.messages("DeadLetterQueue") == 0


def test_events_of_other_sources_and_types_are_left_alone(aws, connect):
    queue, [wanted, other] = connect.create_queue(addresses=2)
    publish(aws, THROUGH_THE_QUEUE, {"queueId": queue, "emailAddressId": other}, source="brand.offboarding")
    publish(aws, "Email addresses removed", {"queueId": queue, "emailAddressId": other})
    publish(aws, THROUGH_THE_QUEUE, {"queueId": queue, "emailAddressId": wanted})
    until(lambda: connect.on(queue), "an address is on the queue")
    aws.until_done()
    assert connect.on(queue) == [wanted]


def event(detail: dict) -> dict:
    """Returns an event as a rule sends it to a function."""
    return {"version": "0", "id": str(uuid.uuid4()), "source": "brand.onboarding", "detail-type": THROUGH_THE_QUEUE,
            "time": "2026-01-01T00:00:00Z", "detail": detail}


def test_failures_of_a_direct_event_are_sent_on(aws, connect):
    queue, [address] = connect.create_queue(addresses=1)
    aws.invoke_asynchronously(event({"queueId": queue, "emailAddressIds": [address, "address-unknown"]}))
    until(lambda: aws.messages("DeadLetterQueue"), "the failures queue has a message")
    assert connect.on(queue) == [address]
    [failed] = aws.take("DeadLetterQueue")
    assert [failure["emailAddressId"] for failure in failed["failures"]] == ["address-unknown"]


def test_unanswered_event_is_kept(aws, connect):
    queue, [address] = connect.create_queue(addresses=1)
    detail = {"queueId": queue, "emailAddressId": address}
    connect.fault(queue=queue, effect={"error": {"status": 500, "code": "InternalServiceException", "message": ""}})
    # Without a queue to send messages to, the function can only return an error.
    with aws.function_settings(MAX_ATTEMPTS="1", CONTINUATION_QUEUE_URL="", FAILURES_QUEUE_URL=""):
        aws.invoke_asynchronously(event(detail))
        until(lambda: aws.messages("UndeliveredQueue"), "the event is in the queue of undelivered events")
    [kept] = aws.take("UndeliveredQueue")
    assert kept["requestPayload"]["detail"] == detail
    # Lambda invokes the function immediately, and retries twice.
    assert len(connect.calls()) == 3
