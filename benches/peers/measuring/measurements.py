"""Measurements: one run of one contestant each. The caller repeats them, and chooses their order."""

import re
from dataclasses import dataclass
from pathlib import Path

from local_lambda import Failure

from .contestants import Contestant
from .workload import Workload, good, one_bad_address_a_queue
from .world import Quota, timed, world

# A queue takes 49 addresses beside its default one, so that each of these queues is one call.
BATCH = good(messages=10_000, queues=250)
# The number of times that the template lets a message be received before it goes to the dead-letter queue.
DELIVERIES = 5


@dataclass(frozen=True)
class ColdStart:
    initialisation_ms: float  # from the process's start to its first poll of the runtime API, as the emulator logs it
    first_ms: float           # the first invocation, from request to answer: initialisation and one call
    warm_ms: float            # the one after it
    idle_mib: float           # resident memory then


@dataclass(frozen=True)
class Batch:
    wall_s: float
    cpu_s: float
    peak_mib: float
    calls: int


@dataclass(frozen=True)
class AtQuota:
    makespan_s: float  # from the arrival of the first call to that of the last one that was let through
    calls: int
    throttled: int
    deliveries: int
    undone: int


@dataclass(frozen=True)
class BadAddresses:
    calls: int
    reported: int
    reported_good: int  # reported messages that name no bad address
    undone: int


@dataclass(frozen=True)
class Scenario:
    """A quota, and the work that is done at it."""

    name: str
    quota: Quota
    latency_millis: int
    workload: Workload
    queues: int
    scale: int  # how many times as fast as on AWS time passes

    def limit(self) -> float:
        """Seconds from the first call to the last that one call a queue needs, from a full bucket on."""
        return (self.queues - self.quota.burst) / self.quota.rate


# In the second, time passes 100 times as fast as in the first. Its batch would take 83 minutes at one call a message.
# The burst is a number of calls, so it stays.
SCENARIOS = [
    Scenario("2 calls a second and a burst of 5, AWS's default; 250 messages for 50 queues; answers take 100 ms",
             Quota(2, 5), 100, good(messages=250, queues=50), 50, 1),
    Scenario("200 calls a second and a burst of 5; 10,000 messages for 250 queues; answers take 1 ms. Time passes 100 "
             "times as fast, but not for boto3's adaptive mode, so that its makespan is no measure for AWS's pace",
             Quota(200, 5), 1, BATCH, 250, 100),
]

# 40 queues of 40 addresses, one of which does not exist.
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
    """The large batch in a process that has had one invocation, without a quota."""
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
    """Delivers reported messages again, at once, until none is reported or the deliveries are used up."""
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
    """One delivery of the batch."""
    with world(contestant, simulator, work) as one:
        reported = one.deliver(work.messages)
        good_ones = sum(work.bad.isdisjoint(message.addresses) for message in reported)
        return BadAddresses(len(one.calls()), len(reported), good_ones, one.undone(work))


def expect_done(contestant: Contestant, reported: list, undone: int) -> None:
    if reported or undone:
        raise Failure(f"{contestant.name} reported {len(reported)} messages and left {undone} pairs undone; "
                      "expected are none where nothing is refused")
