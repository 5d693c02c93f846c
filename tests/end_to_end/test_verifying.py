"""Tests scripts/verify-stack, which checks a deployed stack."""

from connect import INSTANCE
from local_aws import STACK
from waiting import until

CHECKS = ["stack", "function", "read access", "source queue", "event bus", "files", "dead letters", "alarms"]


def verify(aws, *arguments: str) -> tuple[int, dict[str, str]]:
    """Runs the script. Returns its exit code, and the line of each check without the check's name."""
    done = aws.run_script("verify-stack", aws.stack, *arguments)
    assert done.stderr == ""
    lines = {}
    for line in done.stdout.splitlines():
        result, rest = line[:6].strip(), line[6:]
        name, _, detail = rest.partition(": ")
        lines[name] = f"{result} {detail}"
    assert list(lines) == CHECKS
    return done.returncode, lines


def failed(lines: dict[str, str]) -> list[str]:
    return [name for name, line in lines.items() if not line.startswith("ok ")]


def test_healthy_stack_passes_and_is_left_as_it_was(aws, connect):
    queue, [address] = connect.create_queue(addresses=1)
    before = connect.associations()
    code, lines = verify(aws, "--queue-id", queue)
    assert (code, failed(lines)) == (0, [])
    assert lines["read access"] == "ok SearchQueues, SearchEmailAddresses and ListQueueEmailAddresses"
    assert connect.calls("AssociateQueueEmailAddresses") == []
    assert connect.calls("ListQueueEmailAddresses")
    assert connect.associations() == before
    objects = aws.client("s3").list_objects_v2(Bucket=aws.physical["FileBucket"]).get("Contents", [])
    assert [found["Key"] for found in objects if "verify-stack" in found["Key"]] == []
    aws.until_done()
    assert aws.messages("DeadLetterQueue") == 0


def test_missing_permission_is_reported(aws, connect):
    queue, _ = connect.create_queue(name="Billing, \"new\"")
    message = f"User: role is not authorized to perform: connect:ListQueueEmailAddresses on resource: {queue}"
    connect.fault(operation="ListQueueEmailAddresses",
                  effect={"error": {"status": 403, "code": "AccessDeniedException", "message": message}})
    code, lines = verify(aws, "--queue-name", "Billing, \"new\"")
    assert (code, failed(lines)) == (1, ["read access"])
    assert "AccessDeniedException" in lines["read access"]
    assert "connect:ListQueueEmailAddresses" in lines["read access"]


def test_disabled_mapping_and_a_dead_letter_are_reported_and_nothing_is_sent(aws, connect):
    connect.create_queue()
    aws.client("sqs").send_message(QueueUrl=aws.physical["DeadLetterQueue"], MessageBody="{}")
    until(lambda: aws.messages("DeadLetterQueue") == 1, "the dead letter is in its queue")
    mapping, functions = aws.physical["AssociateFunctionSource"], aws.client("lambda")
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        code, lines = verify(aws)
        assert aws.messages("SourceQueue") == 0
    finally:
        functions.update_event_source_mapping(UUID=mapping, Enabled=True)
    assert (code, failed(lines)) == (1, ["source queue", "event bus", "dead letters"])
    assert f"the event source mapping is Disabled; enable it: scripts/stop-stack {STACK} --resume" in lines["source queue"]
    assert lines["dead letters"].startswith("FAIL DeadLetterQueue has 1 messages; see associate-emails dead-letters")


def test_wrong_instance_is_reported(deployed, running_connect):
    other = deployed.another("other-instance")
    other.deploy(running_connect.url, ConnectInstanceId="99999999-2222-3333-4444-555555555555")
    code, lines = verify(other)
    assert code == 1
    assert {"read access", "files"} <= set(failed(lines))
    assert "ConnectInstanceId" in lines["read access"]
    assert INSTANCE not in lines["read access"]


def test_missing_stack_is_a_one_line_error(aws):
    done = aws.run_script("verify-stack", "no-such-stack")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "no-such-stack" in done.stderr
