"""Runs one contestant under the emulator with its own Connect, and reads the figures of both from outside."""

import json
import os
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_lambda import Failure, Function, TimedOut, find_emulator, function_under, request, simulator

from .contestants import Contestant
from .workload import INSTANCE, Message, Workload, payload

# Configured rate of this function if there is no quota. The function never reaches it.
UNLIMITED = 100_000
# Timeout of an invocation in seconds, as in template.yaml.
TIMEOUT = 300
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Quota:
    """Requests per second of each API operation, and how many it accepts at once."""

    rate: float
    burst: int


@dataclass(frozen=True)
class World:
    function: Function
    connect: str

    def deliver(self, messages: list[Message]) -> list[Message]:
        """Delivers a batch, as the event source mapping of a queue does. Returns the messages to redeliver."""
        try:
            response = self.function.invoke(payload(messages))
        except TimedOut:
            return messages
        if "batchItemFailures" not in response:
            return messages
        reported = {item["itemIdentifier"] for item in response["batchItemFailures"]}
        return [message for message in messages if message.identifier in reported]

    def calls(self) -> list[dict]:
        return json.loads(request(f"{self.connect}/_simulator/calls"))

    def forget_calls(self) -> None:
        request(f"{self.connect}/_simulator/calls", method="DELETE")

    def undone(self, workload: Workload) -> int:
        """Returns the valid pairs that are not associated."""
        queues = json.loads(request(f"{self.connect}/_simulator/associations")).get(INSTANCE, {})
        return len(workload.good_pairs() - {(queue, address) for queue, addresses in queues.items()
                                            for address in addresses})

    def cpu_seconds(self) -> float:
        """Returns the processor time of the function so far, user and system."""
        fields = stat(self.pid())
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_kib(self, name: str) -> int:
        """Reads a line of the function's /proc/PID/status: VmRSS for resident memory, VmHWM for its peak."""
        for line in Path(f"/proc/{self.pid()}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
        raise Failure(f"the kernel does not say {name}")

    def pid(self) -> int:
        """Returns the function's process, which is the only child of the emulator."""
        children = [int(entry) for entry in os.listdir("/proc")
                    if entry.isdigit() and parent(int(entry)) == self.function.emulator.pid]
        if len(children) != 1:
            raise Failure(f"the emulator has {len(children)} child processes; expected is one")
        return children[0]


@contextmanager
def world(contestant: Contestant, simulator_binary: Path, workload: Workload, quota: Quota | None = None,
          latency_millis: int = 0):
    """Starts a new process and a new Connect, which has the workload's directory and responds after the latency."""
    options = ["--latency-ms", str(latency_millis)]
    if quota:
        options += ["--rate", str(quota.rate), "--burst", str(quota.burst)]
    environment = {
        **contestant.environment,
        "CONNECT_REQUESTS_PER_SECOND": str(quota.rate if quota else UNLIMITED),
        "CONNECT_BURST": str(quota.burst if quota else UNLIMITED),
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as fixture:
        json.dump(workload.fixture(), fixture)
        fixture.flush()
        with (simulator(simulator_binary, "--fixture", fixture.name, *options) as connect,
              function_under(find_emulator(), contestant.command, connect, environment, TIMEOUT) as function):
            yield World(function, connect)


def timed(action) -> tuple[float, object]:
    """Returns the duration of an action in seconds, and its result."""
    start = time.perf_counter()
    result = action()
    return time.perf_counter() - start, result


def parent(pid: int) -> int | None:
    fields = stat(pid)
    return int(fields[1]) if fields else None


def stat(pid: int) -> list[str]:
    """Returns the fields of /proc/PID/stat after the process's name, or none if the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
