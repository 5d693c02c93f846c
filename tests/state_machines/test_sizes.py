"""Checks that the data passed between the states of a state machine stays below the limit of Step Functions, 256 KiB.

AWS Step Functions Developer Guide, "Step Functions service quotas" (input or output of a task, state or execution) and
"Passing data between states with variables" (the variables of one Assign). The local AWS has no such limit, so the
expressions of the definitions are evaluated here with the largest responses of the function.
"""

import json
from pathlib import Path

import jsonata
import pytest

LIMIT = 256 * 1024
# The function's report, with its remaining request (src/answer/report.rs).
REPORT = 200_000
STATES = json.loads((Path(__file__).parents[2] / "statemachine" / "associate.asl.json").read_text())["States"]


def size(value) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def evaluate(value, variables: dict, states: dict):
    """Evaluates a member of a state: a string in `{% %}` is an expression."""
    if isinstance(value, dict):
        return {name: evaluate(member, variables, states) for name, member in value.items()}
    if not (isinstance(value, str) and value.startswith("{%")):
        return value
    expression = jsonata.Jsonata(value.removeprefix("{%").removesuffix("%}"))
    # This package's own $string writes characters outside ASCII as \\uXXXX, which JSONata does not.
    expression.register_lambda("string", lambda it: json.dumps(it, ensure_ascii=False, separators=(",", ":")))
    for name, bound in {**variables, "states": states}.items():
        expression.assign(name, bound)
    return expression.evaluate(None)


def failure(name: str, number: int, retryable: bool) -> dict:
    return {"queueName": f"{name} {number}", "emailAddress": "a@brand.example", "error": "NameNotFound",
            "message": f"no queue is named \"{name} {number}\"", "retryable": retryable, "path": f"associations[{number}]"}


def report(name: str, requested: int, permanent: int, retryable: int, remaining: bool = False) -> dict:
    """Returns a report, limited in size as the function limits it."""
    failures = [failure(name, number, number >= permanent) for number in range(permanent + retryable)]
    made = {"requested": requested, "associated": requested - len(failures), "alreadyAssociated": 0, "planned": 0,
            "failed": len(failures), "apiCalls": 9, "throttledCalls": 0, "failures": failures}
    if remaining:
        made["remaining"] = {"associations": [{"queueName": f"{name} {number}", "emailAddress": "a@brand.example"}
                                              for number in range(retryable)]}
    while size(made) > REPORT:
        failures.pop()
    return made


def there_already(made: dict, name: str, pairs: int) -> dict:
    """Returns the report with already associated pairs, if it has room for them."""
    entries = [{"queueName": f"{name} {number}", "emailAddresses": ["a@brand.example"]} for number in range(pairs)]
    counts = {"alreadyAssociated": pairs, "associated": made["associated"] - pairs}
    named = made | counts | {"alreadyAssociatedPairs": entries}
    return named if size(named) <= REPORT else made | counts


def rounds(reports: list[dict]) -> tuple[list[dict], dict]:
    """Returns the variables after each round, and the report of all rounds."""
    variables = {"round": 0, "failures": [], "alreadyThere": [], "waiting": [], "request": {}, "totals": STATES["Begin"]["Assign"]["totals"]}
    after = []
    for each in reports:
        assigned = evaluate(STATES["Associate"]["Assign"], variables, {"result": {"Payload": each}})
        variables = variables | assigned
        after.append(assigned)
    return after, evaluate(STATES["Total"]["Output"], variables, {})


# One, three and four bytes per character.
@pytest.mark.parametrize("letter", ["a", "客", "😀"])
@pytest.mark.parametrize("reports", [
    [(1000, 1000, 0)],
    [(1000, 150, 400, True), (400, 0, 400)],
    [(1000, 40, 300, True), (300, 40, 200, True), (200, 100, 100)],
])
def test_rounds_stay_within_256_kib(letter, reports):
    made = [report(letter * 60, *each) for each in reports]
    after, total = rounds(made)
    assert all(size(assigned) <= LIMIT for assigned in after), [size(assigned) for assigned in after]
    assert size(total) <= LIMIT
    assert total["distinct"] == 1000
    assert total["failed"] == len(total["failures"]) + total["failuresOmitted"]


def test_completely_failed_batch_is_reported_in_full():
    # A batch of a file has at most 250 pairs by UUID.
    failing = report("11111111-2222-3333-4444-555555555555 11111111-2222-3333-4444-555555555555", 250, 250, 0)
    assert size(failing) > 60_000
    _, total = rounds([failing])
    assert (len(total["failures"]), total["failuresOmitted"]) == (250, 0)


@pytest.mark.parametrize("letter", ["a", "客", "😀"])
def test_already_associated_pairs_are_all_listed_or_none(letter):
    first = there_already(report(letter, 1000, 10, 400, remaining=True), letter, 200)
    second = there_already(report(letter, 400, 0, 100, remaining=True), letter, 1)
    last = report(letter, 100, 0, 0)
    after, total = rounds([first, second, last])
    assert all(size(assigned) <= LIMIT for assigned in after)
    assert total["alreadyAssociated"] == 201
    assert total["alreadyAssociatedPairs"] == first["alreadyAssociatedPairs"] + second["alreadyAssociatedPairs"]

    # The reports of several rounds have more pairs than fit into one output.
    many = there_already(report(letter * 60, 2000, 0, 100, remaining=True), letter * 60, 300)
    assert "alreadyAssociatedPairs" in many
    after, total = rounds([*[many] * 8, first, last])
    assert all(size(assigned) <= LIMIT for assigned in after)
    assert (total["alreadyAssociated"], "alreadyAssociatedPairs" in total) == (2600, False)


def test_report_without_already_associated_pairs_lists_none():
    _, total = rounds([report("a", 3, 0, 0)])
    assert "alreadyAssociatedPairs" not in total
