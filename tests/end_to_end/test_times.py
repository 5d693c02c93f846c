"""Checks the durations in docs/deployment.md with the template's own settings, at a quota of 20 calls per second.

The quota is ten times that of a new account, so that a test does not take ten times as long. For the same reason, where
a timeout matters, the function's timeout is a tenth of the template's 300 s. Durations are measured between the calls
that Connect recorded, and compared with the minimum that the quota allows. The local AWS has no batching window, takes
at most 10 messages per batch, and may start a child of a Map sooner than AWS does.
"""

import time

import pytest
from test_events import THROUGH_THE_QUEUE, publish
from test_files import put, queues_and_rows, result, text
from test_messages import associate, failures, pairs
from waiting import until

RATE, BURST = 20, 5
QUOTA = {"CONNECT_REQUESTS_PER_SECOND": str(RATE), "CONNECT_BURST": str(BURST)}
MOST = 1.15


@pytest.fixture
def quota(aws, connect):
    connect.quota(rate=RATE, burst=BURST)
    with aws.function_settings(**QUOTA):
        yield


def times_the_limit(connect, calls: int) -> float:
    """Returns the time from the first call to the last, as a multiple of the time that the quota requires for the same
    number of calls."""
    made = connect.calls()
    throttled = sum(call["status"] == 429 for call in made)
    times = [call["atMs"] for call in made]
    ratio = (max(times) - min(times)) / 1000 / ((calls - BURST) / RATE)
    print(f"{calls} calls needed, {len(made)} made, {throttled} throttled ({throttled / len(made):.1%}), "
          f"{ratio:.3f} of the limit")
    return ratio


def test_one_event_takes_seconds(aws, connect):
    queue, [address] = connect.create_queue(addresses=1)
    began = time.monotonic()
    publish(aws, THROUGH_THE_QUEUE, {"queueId": queue, "emailAddressId": address})
    until(lambda: connect.on(queue) == [address], "the pair is associated", seconds=10)
    print(f"{time.monotonic() - began:.1f} s from PutEvents to the association")


@pytest.mark.parametrize("addresses", [1, 45])
def test_a_file_of_1000_queues_is_associated_at_the_quota(aws, connect, quota, addresses):
    _, rows = queues_and_rows(connect, queues=1000, addresses=addresses)
    name = f"thousand-{addresses}"
    put(aws, f"incoming/{name}.csv", text(rows))
    summary = result(aws, name)
    assert [summary[count] for count in ("associated", "failed")] == [1000 * addresses, 0]
    assert times_the_limit(connect, 1000) <= MOST


def test_50_messages_of_30_queues_are_associated_at_the_quota(aws, connect):
    queues = [[connect.create_queue(addresses=1) for _ in range(30)] for _ in range(50)]
    connect.quota(rate=RATE, burst=BURST)
    requests = [associate(*[pairs(queue, addresses) for queue, addresses in message]) for message in queues]
    with aws.function_settings(timeout=30, **QUOTA):
        for at in range(0, len(requests), 10):
            aws.send(*requests[at:at + 10])
        aws.until_done()
    assert aws.messages("DeadLetterQueue") == 0
    on = connect.associations()
    assert all(on[queue] == addresses for message in queues for queue, addresses in message)
    assert times_the_limit(connect, 1500) <= MOST


def test_mistyped_name_is_a_dead_letter_within_three_minutes(aws, connect):
    queue, addresses = connect.create_queue(addresses=3)
    mistyped = [{"queueName": name, "emailAddress": "billing@brand.example"} for name in ("Biling", "Bililng")]
    began = time.monotonic()
    # The address is alone in one message, and with pairs that can be associated in another.
    aws.send(associate(mistyped[0]), associate(mistyped[1], pairs(queue, addresses)))
    until(lambda: aws.messages("DeadLetterQueue") == 2, "both names are in the failures queue", seconds=180)
    print(f"{time.monotonic() - began:.1f} s until both names are in the failures queue")
    failed = failures(aws, 2)
    assert {failure["error"] for body in failed for failure in body["failures"]} == {"NameNotFound"}
    assert {entry["queueName"] for body in failed for entry in body["associations"]} == {"Biling", "Bililng"}
    assert connect.on(queue) == addresses
