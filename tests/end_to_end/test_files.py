"""Tests files that are put into the bucket, and the state machines that process them.

The local AWS lacks some features of a Distributed Map. ministack_launcher.py adds them from AWS's documentation. These
additions were not compared with AWS.
"""

import csv
import io
import json
import random

from connect import INSTANCE
from waiting import until

COLUMNS = ("queueId", "emailAddressId")


def text(rows: list[tuple[str, str]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows([COLUMNS, *rows])
    return written.getvalue()


def put(aws, key: str, content: str) -> None:
    aws.client("s3").put_object(Bucket=aws.physical["FileBucket"], Key=key, Body=content.encode())


def get(aws, key: str) -> str:
    return aws.client("s3").get_object(Bucket=aws.physical["FileBucket"], Key=key)["Body"].read().decode("utf-8-sig")


def result(aws, name: str) -> dict:
    """Waits for the summary of the file `name`, and returns it."""

    def summaries() -> list[str]:
        found = aws.client("s3").list_objects_v2(Bucket=aws.physical["FileBucket"], Prefix=f"results/{name}/")
        return [item["Key"] for item in found.get("Contents", []) if item["Key"].endswith("/summary.json")]

    [key] = until(summaries, f"there is a summary of {name}")
    summary = json.loads(get(aws, key))
    assert summary["summary"] == key
    print("summary:", json.dumps(summary))
    return summary


def listed(aws, key: str) -> list[tuple[str, str, str]]:
    """Returns the line, queue and address of each row of a result file."""
    rows = csv.DictReader(io.StringIO(get(aws, key).removeprefix("\ufeff")))
    return [(row["row"], row["queueId"], row["emailAddressId"]) for row in rows]


def queues_and_rows(connect, queues: int, addresses: int):
    """Creates queues and addresses, and returns a row for each pair, ordered by queue."""
    created = [connect.create_queue(addresses=addresses) for _ in range(queues)]
    return created, [(queue, address) for queue, added in created for address in added]


def test_1000_unsorted_rows_take_one_call_a_queue(aws, connect):
    queues, rows = queues_and_rows(connect, queues=40, addresses=25)
    random.Random(1).shuffle(rows)
    put(aws, "incoming/unsorted.csv", text(rows))
    summary = result(aws, "unsorted")
    counts = ("status", "file", "rows", "pairs", "repeated", "queues", "associated", "failed", "apiCalls")
    assert [summary[count] for count in counts] == [
        "SUCCEEDED", "incoming/unsorted.csv", 1000, 1000, 0, 40, 1000, 0, 40]
    for queue, addresses in queues:
        assert connect.on(queue) == sorted(addresses)
    assert len(connect.calls()) == 40


def test_file_under_check_changes_nothing(aws, connect):
    queue, [first, second, there] = connect.create_queue(addresses=3)
    other, [third] = connect.create_queue(addresses=1)
    connect.associate(queue, there)
    rows = [(queue, first), (queue, second), (other, third), (queue, "address-of-next-week"), (queue, there)]
    put(aws, "check/plan.csv", text(rows))
    summary = result(aws, "check/plan")
    assert [summary[count] for count in ("status", "rows", "planned", "associated", "alreadyAssociated", "failed")] == [
        "PARTIAL", 5, 3, 0, 1, 1]
    assert listed(aws, summary["alreadyAssociatedRows"]) == [("6", queue, there)]
    assert "associatedRows" not in summary
    [failed] = csv.DictReader(io.StringIO(get(aws, summary["failedRows"])))
    assert (failed["emailAddressId"], failed["row"], failed["error"]) == (
        "address-of-next-week", "5", "EmailAddressNotFound")
    assert "failedDryRunRows" not in summary
    assert (connect.on(queue), connect.on(other)) == ([there], [])


def test_failed_rows_can_be_put_again(aws, connect):
    queues, rows = queues_and_rows(connect, queues=3, addresses=4)
    full, [first, second] = connect.create_queue(addresses=2, limit=1)
    queue = queues[0][0]
    rows += [(queue, "address-of-tomorrow"), (full, first), (full, second), (queue, "")]
    put(aws, "incoming/brand.csv", text(rows))
    summary = result(aws, "brand")
    assert [summary[count] for count in ("status", "rows", "associated", "failed")] == ["PARTIAL", 16, 13, 3]

    failed = list(csv.DictReader(io.StringIO(get(aws, summary["failedRows"]))))
    found = {(row["queueId"], row["emailAddressId"], row["row"], row["error"]) for row in failed}
    # Line 1 is the header.
    assert found == {(queue, "address-of-tomorrow", "14", "InvalidParameterException"),
                     (full, second, "16", "QueueFull"), (queue, "", "17", "InvalidRequest")}
    assert all(row["message"] for row in failed)

    connect.add_addresses(["address-of-tomorrow"])
    connect.remove(full, first)
    mended = [row for row in failed if row["emailAddressId"]]
    again = io.StringIO()
    writer = csv.DictWriter(again, failed[0].keys())
    writer.writeheader()
    writer.writerows(mended)
    put(aws, "incoming/brand-again.csv", again.getvalue())
    summary = result(aws, "brand-again")
    assert [summary[count] for count in ("status", "rows", "associated", "failed")] == ["SUCCEEDED", 2, 2, 0]
    assert connect.on(queue) == sorted([*queues[0][1], "address-of-tomorrow"])
    assert connect.on(full) == [second]
    assert "failedRows" not in summary


def test_associated_rows_can_be_undone(aws, connect):
    [(queue, addresses)], rows = queues_and_rows(connect, queues=1, addresses=2)
    # This queue rejects the call, so the function reads its list.
    full, [there, new, surplus] = connect.create_queue(addresses=3, limit=2)
    connect.associate(full, there)
    put(aws, "incoming/undone.csv", text([*rows, (full, there), (full, new), (full, surplus)]))
    summary = result(aws, "undone")
    assert [summary[count] for count in ("associated", "alreadyAssociated", "failed")] == [3, 1, 1]
    associated = listed(aws, summary["associatedRows"])
    assert associated == [("2", queue, addresses[0]), ("3", queue, addresses[1]), ("5", full, new)]
    assert listed(aws, summary["alreadyAssociatedRows"]) == [("4", full, there)]
    assert "associatedNotListed" not in summary
    for _, of_row, address in associated:
        connect.remove(of_row, address)
    assert (connect.on(queue), connect.on(full)) == ([], [there])


def test_late_queue_is_retried_within_the_file(aws, connect):
    [(queue, addresses)], rows = queues_and_rows(connect, queues=1, addresses=3)
    connect.fault(queue=queue, times=2,
                  effect={"error": {"status": 500, "code": "InternalServiceException", "message": ""}})
    with aws.function_settings(MAX_ATTEMPTS="1"):
        put(aws, "incoming/late.csv", text(rows))
        summary = result(aws, "late")
    assert [summary[count] for count in ("status", "associated", "failed", "apiCalls")] == ["SUCCEEDED", 3, 0, 3]
    assert connect.on(queue) == addresses


def test_file_without_pairs_gets_a_reason(aws, connect):
    put(aws, "incoming/picture.csv", "\x89PNG\r\n")
    summary = result(aws, "picture")
    assert (summary["status"], summary["error"]["Error"]) == ("FAILED", "InvalidFile")
    assert summary["error"]["Cause"]
    assert connect.calls() == []
    until(lambda: aws.failed_executions("FileStateMachine"), "the execution has failed, as an alarm counts")


def test_objects_elsewhere_in_the_bucket_are_ignored(aws, connect):
    [(queue, [first, second])], _ = queues_and_rows(connect, queues=1, addresses=2)
    put(aws, "outgoing/elsewhere.csv", text([(queue, first)]))
    put(aws, "incoming/here.csv", text([(queue, second)]))
    result(aws, "here")
    assert connect.on(queue) == [second]


def test_other_files_start_nothing(aws, connect):
    [(queue, [address])], rows = queues_and_rows(connect, queues=1, addresses=1)
    pairs = text(rows)
    for key in ("v1.0/", ".DS_Store", ".~lock.pairs.csv#", "pairs.csv.filepart", "pairs.xlsx", "notes"):
        put(aws, f"incoming/{key}", pairs)
    put(aws, "incoming/empty.csv", "")
    started = aws.executions("FileStateMachine")
    # The local AWS delivers events in order. So when this file has started, the earlier files would have started too.
    put(aws, "incoming/PAIRS.CSV", pairs)
    assert result(aws, "PAIRS")["associated"] == 1
    assert len(aws.executions("FileStateMachine")) == len(started) + 1
    assert connect.on(queue) == [address]


def test_file_may_specify_the_instance(aws, connect):
    queue, [address] = connect.create_queue(addresses=1)
    line = json.dumps({"instanceId": INSTANCE, "queueId": queue, "emailAddressId": address})
    put(aws, "incoming/lines.jsonl", f"{line}\n")
    assert result(aws, "lines")["status"] == "SUCCEEDED"
    assert connect.on(queue) == [address]
