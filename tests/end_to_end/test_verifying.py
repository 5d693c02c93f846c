"""Tests scripts/verify-stack, which checks a deployed stack."""

from connect import INSTANCE
from local_aws import STACK
from waiting import until

CHECKS = ["stack", "function", "read access", "source queue", "event bus", "files", "dead letters", "alarms"]


def verify(aws, *arguments: str) -> tuple[int, dict[str, str]]:
    """Runs the script. Returns its exit code, and the line of each check without the check's name."""
    done = aws.run("scripts/verify-stack", aws.stack, *arguments)
    assert done.stderr == ""
    return done.returncode, checks(done.stdout)


def checks(output: str) -> dict[str, str]:
    lines = {}
    for line in output.splitlines():
        result, rest = line[:6].strip(), line[6:]
        if result in ("ok", "FAIL"):
            name, _, detail = rest.partition(": ")
            lines[name] = f"{result} {detail}"
    assert list(lines) == CHECKS
    return lines


def failed(lines: dict[str, str]) -> list[str]:
    return [name for name, line in lines.items() if not line.startswith("ok ")]


def test_commands_of_the_pages_check_the_stack_and_associate_the_first_pair(aws, connect):
    queue, _ = connect.create_queue(name="Billing")
    connect.add_addresses(["billing"])
    before = connect.associations()
    done = aws.run("bash", "-euc", aws.commands("README.md", "scripts/verify-stack",
                                                SOURCE_QUEUE_URL=aws.physical["SourceQueue"]))
    assert done.returncode == 0
    lines = checks(done.stdout)
    assert failed(lines) == []
    assert lines["read access"] == "ok SearchQueues, SearchEmailAddresses and ListQueueEmailAddresses"
    until(lambda: connect.on(queue) == ["billing"], "the pair of the message is associated")
    # The check of the stack changes nothing.
    assert len(connect.calls()) == 1
    assert connect.calls("ListQueueEmailAddresses")
    connect.remove(queue, "billing")
    assert connect.associations() == before
    objects = aws.client("s3").list_objects_v2(Bucket=aws.physical["FileBucket"]).get("Contents", [])
    assert [found["Key"] for found in objects if "verify-stack" in found["Key"]] == []
    done = aws.run("bash", "-euc", aws.commands("docs/deployment.md", "aws events put-events"))
    assert done.returncode == 0
    until(lambda: connect.on(queue) == ["billing"], "the pair of the event is associated")
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
    code, lines = verify(other, "--queue-id", "queue-of-another-instance")
    assert code == 1
    assert {"read access", "files"} <= set(failed(lines))
    assert "ConnectInstanceId" in lines["read access"]
    assert INSTANCE not in lines["read access"]


def test_missing_stack_is_a_one_line_error(aws):
    done = aws.run("scripts/verify-stack", "no-such-stack")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "no-such-stack" in done.stderr
