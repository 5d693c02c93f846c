"""Starts ministack as an SQS for queues of thousands of messages.

ministack looks at every message of a queue for each message that is received, deleted or shown again. Here it looks only
at those that the request is about. Its own code then handles them, for standard queues.
"""

import itertools
import time

from ministack.app import main
from ministack.services import sqs

collect_messages = sqs._collect_msgs


def collect_first(queue, count, timeout):
    """Receives from the first visible messages."""
    now = time.time()
    visible = itertools.islice((message for message in queue["messages"] if message["visible_at"] <= now), count)
    return collect_messages({**queue, "messages": list(visible)}, count, timeout)


def among_named(action):
    """Carries out a batch action among the messages that it names by their receipt handles."""

    def carry_out(data, url):
        queue = sqs._get_q(data.get("QueueUrl", url))
        handles = {entry["ReceiptHandle"] for entry in data["Entries"]}
        every = queue["messages"]
        named = queue["messages"] = [message for message in every if message["receipt_handle"] in handles]
        try:
            return action(data, url)
        finally:
            deleted = {id(message) for message in named} - {id(message) for message in queue["messages"]}
            queue["messages"] = [message for message in every if id(message) not in deleted] if deleted else every

    return carry_out


if __name__ == "__main__":
    sqs._collect_msgs = collect_first
    # Nothing here is kept for days.
    sqs._expire_retained = lambda queue: None
    for name in ("ChangeMessageVisibilityBatch", "DeleteMessageBatch"):
        sqs._HANDLERS[name] = among_named(sqs._HANDLERS[name])
    main()
