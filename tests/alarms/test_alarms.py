"""The alarms of template.yaml over tables of datapoints: an outage, and what must wake nobody.

Deliveries of a lone message follow from how the function sets its visibility (src/redelivery/delay.rs) and from how long
an invocation takes whose calls all fail.
"""

from pathlib import Path

import pytest
from cloudwatch import states
from samcli.yamlhelper import yaml_parse

TEMPLATE = yaml_parse((Path(__file__).parents[2] / "template.yaml").read_text())
ALARMS = {name: resource["Properties"] for name, resource in TEMPLATE["Resources"].items()
          if resource["Type"] == "AWS::CloudWatch::Alarm"}
# The alarms that wake somebody. The actions of the others go to the topic of notices.
WAKING = {name for name, alarm in ALARMS.items() if "MakesTopic" in str(alarm["AlarmActions"])}
HOURS = 60


def deliveries(begin: float, end: float, jitter: float, invocation: float) -> list[tuple[int, int]]:
    """The minutes at which invocations with a message end that fails until `end`, and its receive counts."""
    found, time, count = [], begin, 0
    while True:
        count += 1
        time += invocation / 60
        found.append((int(time), count))
        if time > end:
            return found
        time += min(30 * 2 ** (count - 1) * jitter, 900) / 60


def table(rows: dict) -> dict:
    """`{metric: {minute: [values]}}` from `{minute: {metric: value}}`, with several rows a minute."""
    metrics = {}
    for minute, values in rows:
        for name, value in values.items():
            metrics.setdefault(name, {}).setdefault(minute, []).append(value)
    return metrics


def invocation(**values) -> dict:
    """The metrics of one invocation."""
    usual = {"PairsRequested": 1, "PairsAssociated": 0, "PairsFailed": 0, "PairsRetryable": 0, "ApiCalls": 1,
             "ThrottledCalls": 0, "MessagesReceivedOften": 0, "Invocations": 1, "Errors": 0, "Losses": 0, "Mistakes": 0,
             "Troubles": 0}
    assert values.keys() <= usual.keys()
    return usual | values


def ringing(name: str, rows: list, minutes: int) -> list[int]:
    """The minutes at which an alarm is red."""
    return [minute for minute, state in enumerate(states(ALARMS[name], table(rows), minutes)) if state == "ALARM"]


# The shortest and the longest that the function lets a message wait. An invocation that fails at once, one whose calls
# are refused in every attempt, and one whose calls are never answered.
@pytest.mark.parametrize("jitter", [0.8, 1.0, 1.2])
@pytest.mark.parametrize("seconds", [1, 60, 120])
@pytest.mark.parametrize("offset", range(5))
def test_outage_rings_within_15_minutes_until_it_ends(jitter, seconds, offset):
    begin = HOURS + offset
    end = begin + 2 * HOURS
    rows = [(minute, invocation(PairsAssociated=1)) for minute in range(0, begin, 2)]
    *failing, (done, _) = deliveries(begin, end, jitter, seconds)
    rows += [(minute, invocation(PairsRetryable=1, Troubles=1, MessagesReceivedOften=int(count >= 5)))
             for minute, count in failing]
    rows += [(minute, invocation(PairsAssociated=1)) for minute in range(done, done + 3 * HOURS, 2)]
    red = ringing("NothingSucceedsAlarm", rows, done + 3 * HOURS)
    assert begin < red[0] <= begin + 15
    assert set(range(red[0], end)) <= set(red)
    assert red[-1] <= done + HOURS


def test_outage_under_load_rings_too():
    """Two pollers, each with a batch that fails for as long as the function's time-out lets it."""
    rows = [(minute, invocation(PairsRetryable=50, Troubles=10)) for poller in (4, 6)
            for minute in range(poller, 2 * HOURS, 5)]
    red = ringing("NothingSucceedsAlarm", rows, 2 * HOURS)
    assert red[0] <= 15 and set(range(red[0], 2 * HOURS)) <= set(red)


def test_failing_message_rings_after_its_fifth_delivery():
    failing = deliveries(0, 3 * HOURS, 1.0, 60)
    rows = [(minute, invocation(PairsAssociated=10, PairsRetryable=1, Troubles=1,
                                MessagesReceivedOften=int(count >= 5))) for minute, count in failing]
    rows += [(minute, invocation(PairsAssociated=50)) for minute in range(3 * HOURS)]
    fifth = next(minute for minute, count in failing if count == 5)
    red = ringing("ReceivedOftenAlarm", rows, 3 * HOURS)
    assert fifth <= red[0] <= fifth + 5
    assert set(range(red[0], 3 * HOURS)) <= set(red)
    assert ringing("NothingSucceedsAlarm", rows, 3 * HOURS) == []


@pytest.mark.parametrize(("what", "rows"), [
    ("a typing error", [(10, invocation(PairsFailed=1, Mistakes=1))]),
    ("a minute in which everything is throttled", [(10, invocation(PairsRetryable=5, Troubles=1, ThrottledCalls=50)),
                                                   (11, invocation(PairsRetryable=5, Troubles=1, ThrottledCalls=50))]),
    ("one crash, mended by the next delivery", [(10, invocation(Errors=1)), (41, invocation(PairsAssociated=1))]),
    ("turns that do not come in a large onboarding",
     [(minute, invocation(PairsAssociated=900, PairsRetryable=900, MessagesReceivedOften=20, ApiCalls=600,
                          ThrottledCalls=40)) for minute in range(0, 4 * HOURS, 2)]),
    ("messages that wait while an invocation of five minutes runs",
     [(minute, {"ApproximateNumberOfMessagesVisible": 500}) for minute in range(60)]
     + [(minute, invocation(PairsAssociated=500)) for minute in range(0, 60, 5)]),
    ("a quiet night", []),
])
def test_mistakes_wake_nobody(what, rows):
    # This metric is of two queues; here it is the source queue's.
    of_failures = {"UndeliveredAlarm", "DeadLettersAlarm"}
    woken = {name for name in WAKING - of_failures if ringing(name, rows, 5 * HOURS)}
    assert woken == set(), what


@pytest.mark.parametrize(("alarm", "rows"), [
    ("LossesAlarm", [(10, invocation(PairsFailed=1, Losses=1))]),
    ("MistakesAlarm", [(10, invocation(PairsFailed=1, Mistakes=1))]),
    ("DeadLettersAlarm", [(10, {"ApproximateNumberOfMessagesVisible": 1})]),
    ("UndeliveredAlarm", [(10, {"ApproximateNumberOfMessagesVisible": 1})]),
    ("LostEventsAlarm", [(10, {"FailedInvocations": 1})]),
    ("LostEventsAlarm", [(10, {"InvocationsFailedToBeSentToDlq": 1})]),
    ("LostEventsAlarm", [(10, {"InvocationsSentToDlq": 1})]),
    ("LostEventsAlarm", [(10, {"AsyncEventsDropped": 1})]),
    ("LostEventsAlarm", [(10, {"DestinationDeliveryFailures": 1})]),
    ("ErrorsAlarm", [(10, invocation(Errors=1)), (41, invocation(Errors=1))]),
    ("ExecutionsAlarm", [(10, {"ExecutionsFailed": 1})]),
    ("ExecutionsAlarm", [(10, {"ExecutionsTimedOut": 1})]),
    ("ExecutionsAlarm", [(10, {"ExecutionsAborted": 1})]),
    ("ThrottledAlarm", [(minute, invocation(ApiCalls=100, ThrottledCalls=25)) for minute in range(60)]),
    ("NotProcessedAlarm", [(minute, {"ApproximateNumberOfMessagesVisible": 3}) for minute in range(20)]),
])
def test_each_alarm_rings_in_its_own_case(alarm, rows):
    assert ringing(alarm, rows, 3 * HOURS)


def test_every_alarm_is_tested():
    shown = {"NothingSucceedsAlarm", "ReceivedOftenAlarm"}
    mark = test_each_alarm_rings_in_its_own_case.pytestmark[0]
    assert shown | {alarm for alarm, _ in mark.args[1]} == ALARMS.keys()
