"""Defines the contestants, which are the functions that run under the emulator."""

from dataclasses import dataclass
from pathlib import Path

PEERS = Path(__file__).resolve().parent.parent
PYTHON = PEERS / ".venv" / "bin" / "python"


@dataclass(frozen=True)
class Contestant:
    name: str
    command: list
    environment: dict[str, str]


def contestants(function: Path) -> list[Contestant]:
    """Returns this function first, because the others are compared with it."""
    return [
        Contestant("this function", [function], {}),
        python("Powertools, a call a message", "one_call_a_message"),
        python("boto3, grouped by hand", "grouped_by_hand"),
    ]


def python(name: str, module: str) -> Contestant:
    # The runtime interface client imports the handler and calls it, as in Lambda's own Python runtimes.
    return Contestant(name, [PYTHON, "-m", "awslambdaric", f"{module}.handler"], {"PYTHONPATH": str(PEERS)})
