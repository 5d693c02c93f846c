"""Evaluates the alarms of template.yaml over tables of datapoints, for outages and for situations that must not page
anyone.

The deliveries of a single message follow from the visibility timeout that the function sets (src/settle/delay.rs) and
from the duration of an invocation whose calls all fail.
"""

import re

from pathlib import Path

import pytest
from cloudwatch import matches, states
from samcli.yamlhelper import yaml_parse

TEMPLATE = yaml_parse((Path(__file__).parents[2] / "template.yaml").read_text())
REQUESTS_PER_SECOND = TEMPLATE["Parameters"]["RequestsPerSecond"]["Default"]


def with_parameters(properties: dict) -> dict:
    """Returns an alarm's properties, with the default value of the parameter in its expression."""
    metrics = [query | {"Expression": query["Expression"]["Fn::Sub"].replace("${RequestsPerSecond}", str(REQUESTS_PER_SECOND))}
               if isinstance(query.get("Expression"), dict) else query for query in properties.get("Metrics", [])]
    return properties | ({"Metrics": metrics} if metrics else {})


ALARMS = {name: with_parameters(resource["Properties"]) for name, resource in TEMPLATE["Resources"].items()
          if resource["Type"] == "AWS::CloudWatch::Alarm"}
FILTERS = {resource["Properties"]["MetricTransformations"][0]["MetricName"]: resource["Properties"]["FilterPattern"]
           for resource in TEMPLATE["Resources"].values() if resource["Type"] == "AWS::Logs::MetricFilter"}
# The alarms that page the person on call. The others go to the topic for notices, if there is one.
PAGING = {name for name, alarm in ALARMS.items() if "NoticeTopic" not in str(alarm["AlarmActions"])}
HOURS = 60


def logged(metric: str, error: str) -> dict:
    """Returns the metrics whose filters count a failure with the given error, in a line with the message of `metric`'s
    filter."""
    [message] = re.findall(r'\$\.message = "([^"]+)"', FILTERS[metric])
    return {name: int(matches(pattern, {"message": message, "error": error})) for name, pattern in FILTERS.items()}


def test_requests_of_verify_stack_are_not_mistakes():
    mistake = {"message": "pairs failed permanently", "error": "NameNotFound"}
    # A line for several failures has `references` instead.
    for line, counted in ((mistake, True), (mistake | {"reference": "order-7"}, True),
                          (mistake | {"reference": "verify-stack-11111111"}, False)):
        assert matches(FILTERS["SenderMistakes"], line) == counted
        assert not matches(FILTERS["PermanentFailures"], line)


def failed_permanently(error: str, **values) -> dict:
    return invocation(PairsFailed=1, **logged("PermanentFailures", error), **values)


def will_be_retried(error: str, **values) -> dict:
    return invocation(PairsRetryable=1, **logged("RetryableFailuresExceptDeadline", error), **values)


def deliveries(begin: float, end: float, jitter: float, invocation: float) -> list[tuple[int, int]]:
    """Returns the minute in which each invocation for a message ends, and the receive count, if the message fails until
    `end`."""
    found, time, count = [], begin, 0
    while True:
        count += 1
        time += invocation / 60
        found.append((int(time), count))
        if time > end:
            return found
        time += min(30 * 2 ** (count - 1) * jitter, 900) / 60


def table(rows: dict) -> dict:
    """Turns rows of `(minute, {metric: value})` into `{metric: {minute: [values]}}`. A minute may have several rows."""
    metrics = {}
    for minute, values in rows:
        for name, value in values.items():
            metrics.setdefault(name, {}).setdefault(minute, []).append(value)
    return metrics


def invocation(**values) -> dict:
    """Returns the metrics of one invocation."""
    usual = {"PairsRequested": 1, "PairsAssociated": 0, "PairsFailed": 0, "PairsRetryable": 0, "ApiCalls": 1,
             "ThrottledCalls": 0, "MessagesReceivedOften": 0, "Invocations": 1, "Errors": 0, **dict.fromkeys(FILTERS, 0)}
    assert values.keys() <= usual.keys()
    return usual | values


def firing(name: str, rows: list, minutes: int) -> list[int]:
    """Returns the minutes in which an alarm is in the state ALARM."""
    return [minute for minute, state in enumerate(states(ALARMS[name], table(rows), minutes)) if state == "ALARM"]


# `jitter` selects the shortest and the longest delays of the function. `seconds` is the duration of an invocation that
# fails immediately, of an invocation whose calls are rejected in every attempt, and of an invocation whose calls time
# out.
@pytest.mark.parametrize("jitter", [0.8, 1.0, 1.2])
@pytest.mark.parametrize("seconds", [1, 60, 120])
@pytest.mark.parametrize("offset", range(5))
def test_outage_fires_within_15_minutes_until_it_ends(jitter, seconds, offset):
    begin = HOURS + offset
    end = begin + 2 * HOURS
    rows = [(minute, invocation(PairsAssociated=1)) for minute in range(0, begin, 2)]
    *failing, (done, _) = deliveries(begin, end, jitter, seconds)
    rows += [(minute, will_be_retried("InternalServiceException", MessagesReceivedOften=int(count >= 5)))
             for minute, count in failing]
    rows += [(minute, invocation(PairsAssociated=1)) for minute in range(done, done + 3 * HOURS, 2)]
    red = firing("NothingSucceedsAlarm", rows, done + 3 * HOURS)
    assert begin < red[0] <= begin + 15
    assert set(range(red[0], end)) <= set(red)
    assert red[-1] <= done + HOURS


def test_outage_under_load_fires_too():
    """Two pollers, each with a batch that fails until the function's timeout."""
    rows = [(minute, will_be_retried("DeadlineExceeded")) for poller in (4, 6) for minute in range(poller, 2 * HOURS, 5)]
    red = firing("NothingSucceedsAlarm", rows, 2 * HOURS)
    assert red[0] <= 15 and set(range(red[0], 2 * HOURS)) <= set(red)


def test_failing_message_fires_after_its_fifth_delivery():
    failing = deliveries(0, 3 * HOURS, 1.0, 60)
    rows = [(minute, will_be_retried("LimitExceededException", PairsAssociated=10, MessagesReceivedOften=int(count >= 5)))
            for minute, count in failing]
    rows += [(minute, invocation(PairsAssociated=50)) for minute in range(3 * HOURS)]
    fifth = next(minute for minute, count in failing if count == 5)
    red = firing("MessageKeepsFailingAlarm", rows, 3 * HOURS)
    assert fifth <= red[0] <= fifth + 5
    assert set(range(red[0], 3 * HOURS)) <= set(red)
    assert firing("NothingSucceedsAlarm", rows, 3 * HOURS) == []


def missing_resource(error: str) -> list:
    """Three messages in an hour with a name or identifier that does not exist. Each fails retryably in its first delivery,
    which takes a second, and permanently in its second one, 60 s later."""
    return [row for minute in (10, 25, 40) for row in ((minute, will_be_retried(error)), (minute + 1, failed_permanently(error)))]


@pytest.mark.parametrize(("what", "rows"), [
    ("a request that is not valid", [(10, failed_permanently("InvalidRequest"))]),
    ("three mistyped names in an hour", missing_resource("NameNotFound")),
    ("three mistyped identifiers of queues in an hour", missing_resource("ResourceNotFoundException")),
    ("a mistyped identifier of an address", [(10, failed_permanently("InvalidParameterException"))]),
    ("the same, with the other error of the API", [(10, failed_permanently("InvalidRequestException"))]),
    ("a minute in which everything is throttled", [(10, will_be_retried("ThrottlingException", ThrottledCalls=50)),
                                                   (11, will_be_retried("ThrottlingException", ThrottledCalls=50))]),
    ("one crash, after which the next delivery succeeds", [(10, invocation(Errors=1)), (41, invocation(PairsAssociated=1))]),
    ("a mistyped name next to messages of a large onboarding that wait for their turn",
     [(minute, will_be_retried("DeadlineExceeded", PairsAssociated=900, MessagesReceivedOften=20, ApiCalls=600,
                               ThrottledCalls=40)) for minute in range(0, 4 * HOURS, 2)]
     + missing_resource("NameNotFound")),
    ("messages that wait while an invocation of five minutes runs",
     [(minute, {"ApproximateNumberOfMessagesVisible": 500}) for minute in range(60)]
     + [(minute, invocation(PairsAssociated=500)) for minute in range(0, 60, 5)]),
    ("a quiet night", []),
])
def test_situation_does_not_page(what, rows):
    # In these tests, the metric of queues is the metric of the source queue.
    paged = {name for name in PAGING - {"UndeliveredEventsAlarm"} if firing(name, rows, 5 * HOURS)}
    assert paged == set(), what


# At the default quota of 2 calls per second, three days are 518,400 calls.
@pytest.mark.parametrize(("visible", "hidden", "delayed", "expected"), [
    (518_400, 0, 0, False), (518_300, 0, 101, True), (0, 300_000, 300_000, True), (1_300_000, 0, 0, True),
])
def test_backlog_of_more_than_three_days(visible, hidden, delayed, expected):
    rows = [(minute, {"ApproximateNumberOfMessagesVisible": visible, "ApproximateNumberOfMessagesNotVisible": hidden,
                      "ApproximateNumberOfMessagesDelayed": delayed}) for minute in range(HOURS)]
    assert bool(firing("BacklogAlarm", rows, HOURS)) == expected


@pytest.mark.parametrize("name", ["DeadLettersAlarm", "SenderMistakesAlarm"])
def test_only_dead_letters_notify_the_alarm_recipient_without_a_topic(name):
    """Dead letters expire, so without a topic for notices they go to the recipient of the other alarms."""
    [[_, topic, otherwise]] = [action["Fn::If"] for action in ALARMS[name]["AlarmActions"]]
    assert topic == {"Ref": "NoticeTopicArn"}
    assert [otherwise] == (ALARMS["PermanentFailuresAlarm"]["AlarmActions"] if name == "DeadLettersAlarm" else [{"Ref": "AWS::NoValue"}])


@pytest.mark.parametrize(("alarm", "rows"), [
    ("PermanentFailuresAlarm", [(10, failed_permanently("AccessDeniedException"))]),
    ("PermanentFailuresAlarm", [(10, failed_permanently("QueueFull"))]),
    ("SenderMistakesAlarm", [(10, failed_permanently("NameNotFound"))]),
    ("SenderMistakesAlarm", [(10, failed_permanently("ResourceNotFoundException"))]),
    ("SenderMistakesAlarm", [(10, failed_permanently("InvalidParameterException"))]),
    ("DeadLettersAlarm", [(10, {"ApproximateNumberOfMessagesVisible": 1})]),
    ("UndeliveredEventsAlarm", [(10, {"ApproximateNumberOfMessagesVisible": 1})]),
    ("LostEventsAlarm", [(10, {"FailedInvocations": 1})]),
    ("LostEventsAlarm", [(10, {"InvocationsFailedToBeSentToDlq": 1})]),
    ("LostEventsAlarm", [(10, {"InvocationsSentToDlq": 1})]),
    ("LostEventsAlarm", [(10, {"AsyncEventsDropped": 1})]),
    ("LostEventsAlarm", [(10, {"DestinationDeliveryFailures": 1})]),
    ("ErrorsAlarm", [(10, invocation(Errors=1)), (41, invocation(Errors=1))]),
    ("ExecutionFailedAlarm", [(10, {"ExecutionsFailed": 1})]),
    ("ExecutionFailedAlarm", [(10, {"ExecutionsTimedOut": 1})]),
    ("ExecutionFailedAlarm", [(10, {"ExecutionsAborted": 1})]),
    ("ThrottledAlarm", [(minute, invocation(ApiCalls=100, ThrottledCalls=25)) for minute in range(60)]),
    ("MessagesNotProcessedAlarm", [(minute, {"ApproximateNumberOfMessagesVisible": 3}) for minute in range(20)]),
])
def test_each_alarm_fires_in_its_own_case(alarm, rows):
    assert firing(alarm, rows, 3 * HOURS)


def test_every_alarm_is_tested():
    shown = {"NothingSucceedsAlarm", "MessageKeepsFailingAlarm", "BacklogAlarm"}
    mark = test_each_alarm_fires_in_its_own_case.pytestmark[0]
    assert shown | {alarm for alarm, _ in mark.args[1]} == ALARMS.keys()
