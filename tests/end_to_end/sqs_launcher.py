"""Starts ministack as an SQS for queues of thousands of messages.

ministack scans all messages of a queue for each message that is received, deleted or made visible. This launcher passes
only the affected messages of standard queues to ministack's own code.
"""

import itertools
import time

from ministack.app import main
from ministack.services import sqs

collect_messages = sqs._collect_msgs


def collect_first(queue, count, timeout):
    """Receives only from the first visible messages."""
    now = time.time()
    visible = itertools.islice((message for message in queue["messages"] if message["visible_at"] <= now), count)
    return collect_messages({**queue, "messages": list(visible)}, count, timeout)


def among_named(action):
    """Runs a batch action on the messages with the receipt handles of the request."""

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
    # No message is retained for days here.
    sqs._expire_retained = lambda queue: None
    for name in ("ChangeMessageVisibilityBatch", "DeleteMessageBatch"):
        sqs._HANDLERS[name] = among_named(sqs._HANDLERS[name])
    main()
