"""The command line redrives ten thousand dead letters, although it is killed during the run."""

import json
import signal
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import TARGET
from local_aws import local_aws
from processes import clean_environment
from waiting import until

LETTERS = 10_000
# The command line moves ten letters at a time.
BATCH = 10
# Concurrent requests when the test fills and reads a queue.
THREADS = 4


@pytest.fixture
def aws(tmp_path):
    with local_aws(tmp_path, Path(__file__).with_name("sqs_launcher.py")) as aws:
        yield aws


def create_queue(aws, name: str) -> str:
    return aws.client("sqs").create_queue(QueueName=name)["QueueUrl"]


def fill(aws, queue: str, bodies: list[str]) -> None:
    def send(first: int):
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies[first:first + 10])]
        assert not sqs.send_message_batch(QueueUrl=queue, Entries=entries).get("Failed")

    sqs = aws.client("sqs")
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(send, range(0, len(bodies), 10)))


def count(aws, queue: str) -> int:
    """Returns the numbers of visible messages and of messages in flight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = aws.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(counts[name]) for name in names)


def read(aws, queue: str) -> Counter:
    """Returns how often each body is in a queue. The messages stay hidden."""
    def receive(_thread: int) -> Counter:
        bodies = Counter()
        while found := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=3600).get("Messages"):
            bodies.update(message["Body"] for message in found)
        return bodies

    sqs = aws.client("sqs")
    with ThreadPoolExecutor(THREADS) as threads:
        return sum(threads.map(receive, range(THREADS)), Counter())


def test_ten_thousand_dead_letters_survive_a_kill(aws):
    letters, target = create_queue(aws, "ten-thousand-letters"), create_queue(aws, "ten-thousand-moved")
    failure = {"error": "QueueFull", "message": "full", "retryable": False}
    bodies = [json.dumps({"queueId": "q", "emailAddressId": "e", "reference": f"ref-{number}", "failures": [failure]})
              for number in range(LETTERS)]
    fill(aws, letters, bodies)
    command = [TARGET / "debug" / "associate-emails", "dead-letters", "--region", "us-east-1", "--queue-url", letters,
               "--redrive", "--to", target, "--yes", "--quiet"]
    environment = clean_environment(aws.folder) | {"AWS_ENDPOINT_URL_SQS": aws.url}

    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as first:
        until(lambda: first.poll() is not None or count(aws, target) > LETTERS * 2 // 3, "two thirds are moved")
        first.kill()
        first.communicate()
    assert first.returncode == -signal.SIGKILL, "it ended before it was killed"
    assert 0 < count(aws, letters) < LETTERS

    def run_again() -> bool:
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return count(aws, letters) == 0

    # The letters that the killed run received are hidden for half a minute.
    until(run_again, "every letter is moved")
    moved = read(aws, target)
    assert moved.keys() == set(bodies)
    twice = [body for body, times in moved.items() if times > 1]
    assert len(twice) <= BATCH and all(moved[body] == 2 for body in twice)
