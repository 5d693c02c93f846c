"""scripts/stop-stack, which stops a deployed stack and lets it go on."""

import subprocess
import sys
from pathlib import Path

from local_aws import STACK
from processes import clean_environment
from test_events import THROUGH_THE_QUEUE, publish
from test_files import put, queues_and_rows, text
from waiting import until

SCRIPT = Path(__file__).parents[2] / "scripts" / "stop-stack"


def stop_stack(aws, *arguments: str) -> str:
    environment = clean_environment(aws.folder) | {"AWS_ENDPOINT_URL": aws.url}
    done = subprocess.run([sys.executable, SCRIPT, *arguments], env=environment, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(done.stdout)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_stopped_stack_calls_nothing_and_loses_nothing(aws, connect):
    queue, [first, second] = connect.create_queue(addresses=2)
    [(running, addresses)], rows = queues_and_rows(connect, queues=1, addresses=2)
    # Connect refuses its call until the stack has been stopped in the middle of it.
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
            until(lambda: aws.messages("SourceQueue") == 1, "the event waits in the queue")
            # A second stop changes nothing.
            stop_stack(aws, STACK)
            assert connect.calls() == []
        finally:
            said = stop_stack(aws, STACK, "--resume")
    assert "file incoming/meanwhile.csv: was put while the stack was stopped" in said
    until(lambda: connect.on(queue) == [first], "the event that waited is associated")
    until(lambda: connect.on(running) == addresses, "the file that was stopped is associated")


def test_stack_of_another_template_is_refused(aws):
    environment = clean_environment(aws.folder) | {"AWS_ENDPOINT_URL": aws.url}
    done = subprocess.run([sys.executable, SCRIPT, "no-such-stack"], env=environment, text=True, capture_output=True)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "no-such-stack" in done.stderr
