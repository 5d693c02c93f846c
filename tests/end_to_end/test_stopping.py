"""Tests scripts/stop-stack, which stops a deployed stack and resumes it."""

from importlib.machinery import SourceFileLoader
from types import ModuleType

from local_aws import PACKAGE, STACK
from test_events import THROUGH_THE_QUEUE, publish
from test_files import put, queues_and_rows, text
from waiting import until

def stop_stack(aws, *arguments: str) -> str:
    done = aws.run("scripts/stop-stack", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_stopped_stack_calls_nothing_and_loses_nothing(aws, connect):
    queue, [first, second] = connect.create_queue(addresses=2)
    [(running, addresses)], rows = queues_and_rows(connect, queues=1, addresses=2)
    # Connect rejects the call until the stack has been stopped during the invocation.
    connect.fault(queue=running, effect={"error": {"status": 500, "code": "InternalServiceException", "message": ""}})
    with aws.function_settings(MAX_ATTEMPTS="1"):
        put(aws, "incoming/running.csv", text(rows))
        until(lambda: connect.calls(), "the file's call was made")
        try:
            said = stop_stack(aws, STACK)
            assert ":execution:" in said
            connect.reset()
            publish(aws, THROUGH_THE_QUEUE, {"queueId": queue, "emailAddressId": first})
            put(aws, "incoming/meanwhile.csv", text([(queue, second)]))
            put(aws, "check/mean\u202ewhile.csv", text([(queue, second)]))
            until(lambda: aws.messages("SourceQueue") == 1, "the event waits in the queue")
            # A second stop changes nothing.
            stop_stack(aws, STACK)
            assert connect.calls() == []
        finally:
            said = stop_stack(aws, STACK, "--resume")
    assert "file incoming/meanwhile.csv: was put while the stack was stopped" in said
    assert "file check/mean\\u202ewhile.csv: was put while the stack was stopped" in said
    until(lambda: connect.on(queue) == [first], "the event that waited is associated")
    until(lambda: connect.on(running) == addresses, "the file that was stopped is associated")


def test_stack_of_another_template_is_rejected(aws):
    done = aws.run("scripts/stop-stack", "no-such-stack")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "no-such-stack" in done.stderr


def test_execution_that_can_no_longer_be_redriven_does_not_block_the_others(monkeypatch, capsys):
    """The local AWS redrives executions of any age."""
    monkeypatch.syspath_prepend(PACKAGE / "scripts")
    script = ModuleType("stop_stack")
    SourceFileLoader("stop_stack", str(PACKAGE / "scripts" / "stop-stack")).exec_module(script)
    redrivable = {"old": "NOT_REDRIVABLE", "new": "REDRIVABLE"}
    calls = []

    def aws(_service, action, *arguments):
        calls.append((action, *arguments))
        if action == "describe-execution":
            return {"error": script.STOPPED, "redriveStatus": redrivable[arguments[-1]], "redriveStatusReason": "too old"}
        return {"executions": [{"executionArn": name} for name in redrivable] if "file" in arguments else []}

    class Stopped:
        physical = {"FileRule": "rule", "AssociateFunction": "function", "FileStateMachine": "file",
                    "AssociateStateMachine": "single"}
        mapping, objects, messages = lambda _: {"LastModified": 0, "State": "Enabled"}, lambda *_: [], lambda *_: 0

    monkeypatch.setattr(script, "aws", aws)
    script.resume(Stopped())
    assert "execution old: not redriven: too old" in capsys.readouterr().out
    assert [call for call in calls if call[0] == "redrive-execution"] == [("redrive-execution", "--execution-arn", "new")]
    assert ("enable-rule", "--name", "rule") in calls
