"""Tests AssociateStateMachine, which runs a request as one task of a workflow.

Its waits are shortened to a tenth (local_aws.py). The local AWS calls a throttled function Lambda.Unknown, and AWS
calls it Lambda.TooManyRequestsException. The definitions retry both. The local AWS does not validate definitions.
tests/state_machines/test_definitions.py does.
"""

from waiting import until


def test_request_gets_one_report(aws, connect):
    queue, addresses = connect.create_queue(addresses=60, limit=60)
    status, report = aws.execute("AssociateStateMachine", {
        "associations": [{"queueId": queue, "emailAddressIds": [*addresses, "address-unknown"]}]})
    assert status == "SUCCEEDED"
    assert connect.on(queue) == sorted(addresses)
    counts = ("status", "requested", "distinct", "associated", "failed", "rounds", "failuresOmitted")
    assert [report[count] for count in counts] == ["PARTIAL", 61, 61, 60, 1, 1, 0]
    assert [(failure["emailAddressId"], failure["error"]) for failure in report["failures"]] == [
        ("address-unknown", "InvalidParameterException")]
    assert report["apiCalls"] == len(connect.calls()) + len(connect.calls("ListQueueEmailAddresses"))


def test_retryable_pairs_are_retried_until_done(aws, connect):
    good, [first] = connect.create_queue(addresses=1)
    failing, [second] = connect.create_queue(addresses=1)
    connect.fault(queue=failing, times=2,
                  effect={"error": {"status": 500, "code": "InternalServiceException", "message": ""}})
    with aws.function_settings(MAX_ATTEMPTS="1"):
        status, report = aws.execute("AssociateStateMachine", {"associations": [
            {"queueId": good, "emailAddressId": first}, {"queueId": failing, "emailAddressId": second}]})
    assert (status, report["status"], report["rounds"]) == ("SUCCEEDED", "SUCCEEDED", 3)
    assert (report["distinct"], report["associated"], report["apiCalls"]) == (2, 2, 4)
    assert (connect.on(good), connect.on(failing)) == ([first], [second])


def test_busy_function_is_retried(aws, connect):
    queue, addresses = connect.create_queue(addresses=1)
    with aws.function_busy():
        execution = aws.start("AssociateStateMachine", {"queueId": queue, "emailAddressIds": addresses})
        until(lambda: aws.failed_tasks(execution), "the task has failed once")
    status, report = aws.finish(execution)
    assert status == "SUCCEEDED", report
    assert connect.on(queue) == addresses


def test_invalid_request_fails_at_once_with_its_path(aws, connect):
    status, error = aws.execute("AssociateStateMachine", {"queueId": "queue-1", "emailAdressId": "address-1"})
    assert (status, error["error"]) == ("FAILED", "InvalidRequest")
    assert connect.calls() == []
