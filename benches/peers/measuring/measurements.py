"""Measures one run of one contestant. The caller repeats the measurements, and chooses their order."""

import re
from dataclasses import dataclass
from pathlib import Path

from local_lambda import Failure

from .contestants import Contestant
from .workload import Workload, good, one_bad_address_a_queue
from .world import Quota, timed, world

# A queue has room for 49 addresses in addition to its default one, so each of these queues needs one call.
BATCH = good(messages=10_000, queues=250)
# How often the template lets a message be received before SQS moves it to the dead-letter queue.
DELIVERIES = 5


@dataclass(frozen=True)
class ColdStart:
    initialisation_ms: float  # from the process's start to its first poll of the runtime API, as the emulator logs it
    first_ms: float           # the first invocation, from request to response: initialisation and one call
    warm_ms: float            # the invocation after that
    idle_mib: float           # resident memory after that


@dataclass(frozen=True)
class Batch:
    wall_s: float
    cpu_s: float
    peak_mib: float
    calls: int


@dataclass(frozen=True)
class AtQuota:
    makespan_s: float  # from the arrival of the first call to the arrival of the last accepted call
    calls: int
    throttled: int
    deliveries: int
    undone: int


@dataclass(frozen=True)
class BadAddresses:
    calls: int
    reported: int
    reported_good: int  # reported messages without a bad address
    undone: int


@dataclass(frozen=True)
class Scenario:
    """A quota, and the work that is measured with it."""

    name: str
    quota: Quota
    latency_millis: int
    workload: Workload
    queues: int

    def limit(self) -> float:
        """Returns the minimum seconds from the first call to the last, with one call per queue and a full bucket."""
        return (self.queues - self.quota.burst) / self.quota.rate


SCENARIOS = [
    Scenario("2 calls a second and a burst of 5, AWS's default; 250 messages for 50 queues; responses take 100 ms",
             Quota(2, 5), 100, good(messages=250, queues=50), 50),
]

# 40 queues with 40 addresses each. One address of each queue does not exist.
BAD = {1: one_bad_address_a_queue(40, 40, 1), 10: one_bad_address_a_queue(40, 40, 10)}


def cold_start(contestant: Contestant, simulator: Path) -> ColdStart:
    work = good(messages=2, queues=1)
    with world(contestant, simulator, work) as one:
        first, reported = timed(lambda: one.deliver(work.messages[:1]))
        warm, again = timed(lambda: one.deliver(work.messages[1:]))
        expect_done(contestant, [*reported, *again], one.undone(work))
        one.function.log.seek(0)
        found = re.search(rb"INIT REPORT\(durationMs: ([0-9.]+)\)", one.function.log.read())
        if not found:
            raise Failure("the emulator does not report how long initialisation took")
        return ColdStart(float(found[1]), first * 1000, warm * 1000, one.memory_kib("VmRSS") / 1024)


def batch(contestant: Contestant, simulator: Path) -> Batch:
    """Measures the large batch without a quota, in a process that has had one invocation."""
    warming, *_ = BATCH.messages
    with world(contestant, simulator, BATCH) as one:
        one.deliver([warming])
        one.forget_calls()
        cpu = one.cpu_seconds()
        wall, reported = timed(lambda: one.deliver(BATCH.messages))
        cpu = one.cpu_seconds() - cpu
        expect_done(contestant, reported, one.undone(BATCH))
        return Batch(wall, cpu, one.memory_kib("VmHWM") / 1024, len(one.calls()))


def at_quota(contestant: Contestant, simulator: Path, scenario: Scenario) -> AtQuota:
    """Redelivers reported messages immediately, until none is reported or no deliveries are left."""
    with world(contestant, simulator, scenario.workload, scenario.quota, scenario.latency_millis) as one:
        left, deliveries = scenario.workload.messages, 0
        while left and deliveries < DELIVERIES:
            left, deliveries = one.deliver(left), deliveries + 1
        calls = one.calls()
        accepted = [call["atMs"] for call in calls if call["status"] == 200]
        makespan = (max(accepted) - min(call["atMs"] for call in calls)) / 1000 if accepted else 0.0
        throttled = sum(call["status"] == 429 for call in calls)
        return AtQuota(makespan, len(calls), throttled, deliveries, one.undone(scenario.workload))


def bad_addresses(contestant: Contestant, simulator: Path, work: Workload) -> BadAddresses:
    """Measures one delivery of the batch."""
    with world(contestant, simulator, work) as one:
        reported = one.deliver(work.messages)
        good_ones = sum(work.bad.isdisjoint(message.addresses) for message in reported)
        return BadAddresses(len(one.calls()), len(reported), good_ones, one.undone(work))


def expect_done(contestant: Contestant, reported: list, undone: int) -> None:
    if reported or undone:
        raise Failure(f"{contestant.name} reported {len(reported)} messages and left {undone} pairs undone; "
                      "expected none, because nothing is rejected")
