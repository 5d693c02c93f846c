"""The sample events under events/, with the answers that a function must give to them however it is invoked."""

import json
from pathlib import Path

from local_lambda import ROOT, Failure, request

EVENTS = ROOT / "events"
FIXTURE = EVENTS / "fixture.json"

# The simulator is started without a quota, so nothing has to wait for one.
ENVIRONMENT = {"CONNECT_REQUESTS_PER_SECOND": "1000", "CONNECT_BURST": "1000"}

# A batch makes one call for each queue.
CALLS = {"sqs-batch-large.json": 12}


def sample_events() -> list[Path]:
    """Every sample event."""
    events = sorted(path for path in EVENTS.glob("*.json") if path != FIXTURE)
    if not events:
        raise Failure(f"{EVENTS} holds no events")
    return events


def check(event: Path, invoke, connect: str) -> None:
    """Invokes a function with an event, prints the answer behind the number of calls it took, and checks it.

    `invoke` takes the event's file. `connect` is the address of the simulator that the function calls. Every JSON is an
    accepted answer to an event that is not a sample.
    """
    request(f"{connect}/_simulator/calls", method="DELETE")
    answer = invoke(event)
    calls = len(json.loads(request(f"{connect}/_simulator/calls")))
    print(f"{event.name}: {calls} calls: {json.dumps(answer)}", flush=True)
    if event in sample_events() and (wrong := wrong_with(event.name, answer) or wrong_calls(event.name, calls)):
        raise Failure(f"{event.name}: {wrong}")


def wrong_with(name: str, answer) -> str | None:
    """The fault of the answer to a sample event, if any."""
    if name.startswith(("sqs-", "pipes-")):
        return None if answer == {"batchItemFailures": []} else "expected is an empty batchItemFailures"
    status = "PLANNED" if "dry-run" in name else "SUCCEEDED"
    if not isinstance(answer, dict) or answer.get("status") != status:
        return f"expected is a report with status {status}"
    ended = sum(answer[count] for count in ("associated", "alreadyAssociated", "planned", "failed"))
    if ended != answer["distinct"] or not 0 < answer["distinct"] <= answer["requested"]:
        return "the report's counts do not add up"
    return None


def wrong_calls(name: str, calls: int) -> str | None:
    """The fault of the number of calls that a sample event took, if any."""
    expected = CALLS.get(name, calls)
    return None if calls == expected else f"took {calls} calls; expected are {expected}"
