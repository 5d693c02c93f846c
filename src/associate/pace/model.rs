//! A model of processes that share one quota. The paces are the real ones, and time is a number.
//!
//! Nothing waits, so hundreds of jobs of several minutes run in a second. Each process behaves like the loop that makes the
//! calls: at most eight calls in flight, throttled calls retried after a backoff, at most ten attempts.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::Range;
use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use super::{Allowance, Pace, Slot};

/// Maximum number of calls in flight (`MAX_CONCURRENT_CALLS`).
const AT_ONCE: u32 = 8;
/// Attempts of one call (`MAX_ATTEMPTS`).
const MAX_ATTEMPTS: u32 = 10;
/// The first and the longest wait before a retry, in seconds (`BACKOFF_INITIAL_MS`, `BACKOFF_MAX_MS`).
const BACKOFF: (f64, f64) = (0.2, 20.0);
/// Default duration of a call, in seconds. Each way takes 35 to 65 % of it.
pub(super) const LATENCY: f64 = 0.12;

/// A job, and the quota that it runs against.
#[derive(Debug, Clone)]
pub(super) struct Job {
    /// The settings of each process.
    pub(super) allowance: Allowance,
    /// The server's rate and burst.
    pub(super) quota: (f64, f64),
    /// Duration of a call, in seconds.
    pub(super) latency: f64,
    /// The number of a call that the server throttles although there is quota.
    pub(super) unlucky: Option<usize>,
    /// The processes that share the work.
    pub(super) processes: Vec<Process>,
}

/// The part of a job that one process does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process {
    /// Earliest and latest start, in seconds.
    pub(super) starts: (f64, f64),
    /// Number of calls to make.
    pub(super) calls: u32,
}

/// The outcome of a job.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Figures {
    /// Time from the first call to the last, as a multiple of the shortest possible time.
    pub(super) makespan: f64,
    /// Share of the calls that were throttled.
    pub(super) throttled: f64,
    /// Duration of the slowest process as a multiple of that of the fastest.
    pub(super) slowest: f64,
    /// Calls that failed after the last attempt.
    pub(super) failed: u32,
}

impl Job {
    /// Returns the mean figures of one run per seed, and the total number of failed calls.
    pub(super) fn mean(&self, seeds: Range<u64>) -> Figures {
        let runs = seeds.clone().count() as f64;
        let mut mean = Figures::default();
        for seed in seeds {
            let run = self.run(seed);
            mean.makespan += run.makespan / runs;
            mean.throttled += run.throttled / runs;
            mean.slowest += run.slowest / runs;
            mean.failed += run.failed;
        }
        mean
    }

    /// Runs the job once. The same seed produces the same figures.
    pub(super) fn run(&self, seed: u64) -> Figures {
        Run::new(self, seed).run()
    }

    /// The shortest possible time: the server accepts a burst, and then calls at its rate. The work of a process cannot be
    /// done before it starts.
    fn limit(&self) -> f64 {
        let (rate, burst) = self.quota;
        let starts = self.processes.iter().map(|process| process.starts.0);
        let limit = |start: f64| {
            let later = self.processes.iter().filter(|process| process.starts.0 >= start);
            let calls: u32 = later.map(|process| process.calls).sum();
            start + (f64::from(calls) - burst) / rate
        };
        starts.map(limit).fold(0.0, f64::max)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A process may start calls.
    Wake(usize),
    /// A call reaches the server.
    Arrived(usize),
    /// A response reaches its process.
    Responded(usize),
    /// A process retries a throttled call, after the given number of attempts.
    Retry(usize, u32),
}

struct Call {
    process: usize,
    slot: Slot,
    attempts: u32,
    allowed: bool,
}

struct Running {
    pace: Pace,
    unstarted: u32,
    /// Number of throttled calls that are due for a retry, by the number of attempts so far.
    due: BTreeMap<u32, u32>,
    in_flight: u32,
    failed: u32,
    started: Instant,
    ended: Instant,
    /// The next scheduled attempt to take a slot.
    wakes: Option<Instant>,
}

struct Run<'a> {
    job: &'a Job,
    start: Instant,
    /// The number keeps simultaneous events in the order in which they were scheduled.
    events: BinaryHeap<Reverse<(Instant, u64, Event)>>,
    scheduled: u64,
    processes: Vec<Running>,
    calls: Vec<Call>,
    tokens: f64,
    filled: Instant,
    last_allowed: Instant,
    throttled: u32,
    random: Rng,
}

impl<'a> Run<'a> {
    fn new(job: &'a Job, seed: u64) -> Self {
        let start = Instant::now();
        let mut run = Run {
            job,
            start,
            events: BinaryHeap::new(),
            scheduled: 0,
            processes: Vec::new(),
            calls: Vec::new(),
            tokens: job.quota.1,
            filled: start,
            last_allowed: start,
            throttled: 0,
            random: Rng::with_seed(seed),
        };
        for (number, process) in job.processes.iter().enumerate() {
            let (from, to) = process.starts;
            // The first call starts the measurement.
            let wait = if number == 0 { from } else { from + (to - from) * run.random.f64() };
            let starts = start + Duration::from_secs_f64(wait);
            run.processes.push(Running {
                pace: Pace::seeded(job.allowance, starts, run.random.u64(..)),
                unstarted: process.calls,
                due: BTreeMap::new(),
                in_flight: 0,
                failed: 0,
                started: starts,
                ended: starts,
                wakes: None,
            });
            run.wake(number, starts);
        }
        run
    }

    fn schedule(&mut self, at: Instant, event: Event) {
        self.scheduled += 1;
        self.events.push(Reverse((at, self.scheduled, event)));
    }

    /// Schedules one wake-up of a process, regardless of how many responses arrive before it.
    fn wake(&mut self, number: usize, at: Instant) {
        let wakes = &mut self.processes[number].wakes;
        if wakes.is_none_or(|earlier| at < earlier) {
            *wakes = Some(at);
            self.schedule(at, Event::Wake(number));
        }
    }

    fn run(mut self) -> Figures {
        while let Some(Reverse((now, _, event))) = self.events.pop() {
            match event {
                Event::Wake(process) => {
                    if self.processes[process].wakes == Some(now) {
                        self.processes[process].wakes = None;
                        self.start_ready_calls(process, now);
                    }
                }
                Event::Arrived(call) => self.arrive(call, now),
                Event::Responded(call) => self.settle(call, now),
                Event::Retry(process, attempts) => {
                    *self.processes[process].due.entry(attempts).or_default() += 1;
                    self.start_ready_calls(process, now);
                }
            }
        }
        let time = |process: &Running| (process.ended - process.started).as_secs_f64();
        let times: Vec<f64> = self.processes.iter().map(time).collect();
        let extreme = |pick: fn(f64, f64) -> f64| times.iter().copied().reduce(pick).unwrap_or(1.0);
        let first_call = Duration::from_secs_f64(self.job.latency / 2.0);
        Figures {
            makespan: (self.last_allowed - self.start - first_call).as_secs_f64() / self.job.limit(),
            throttled: f64::from(self.throttled) / self.calls.len() as f64,
            slowest: extreme(f64::max) / extreme(f64::min),
            failed: self.processes.iter().map(|process| process.failed).sum(),
        }
    }

    fn start_ready_calls(&mut self, number: usize, now: Instant) {
        loop {
            let process = &mut self.processes[number];
            let wanted = process.unstarted > 0 || !process.due.is_empty();
            if process.in_flight >= AT_ONCE || !wanted {
                return;
            }
            let slot = match process.pace.take(now) {
                Ok(slot) => slot,
                Err(at) => return self.wake(number, at),
            };
            // Retries go first.
            let attempts = match process.due.pop_last() {
                Some((attempts, more)) => {
                    if more > 1 {
                        process.due.insert(attempts, more - 1);
                    }
                    attempts
                }
                None => {
                    process.unstarted -= 1;
                    0
                }
            };
            process.in_flight += 1;
            self.calls.push(Call { process: number, slot, attempts: attempts + 1, allowed: false });
            let way = self.way();
            self.schedule(now + way, Event::Arrived(self.calls.len() - 1));
        }
    }

    fn way(&mut self) -> Duration {
        Duration::from_secs_f64(self.job.latency * (0.35 + 0.3 * self.random.f64()))
    }

    fn arrive(&mut self, call: usize, now: Instant) {
        let (rate, burst) = self.job.quota;
        self.tokens = (self.tokens + (now - self.filled).as_secs_f64() * rate).min(burst);
        self.filled = now;
        let allowed = self.tokens >= 1.0 - 1e-9 && self.job.unlucky != Some(call);
        if allowed {
            self.tokens -= 1.0;
            self.last_allowed = now;
        } else {
            self.throttled += 1;
        }
        self.calls[call].allowed = allowed;
        let way = self.way();
        self.schedule(now + way, Event::Responded(call));
    }

    fn settle(&mut self, call: usize, now: Instant) {
        let Call { process: number, slot, attempts, allowed } = self.calls[call];
        let process = &mut self.processes[number];
        process.in_flight -= 1;
        process.ended = now;
        if allowed {
            process.pace.not_throttled(slot, now);
        } else {
            process.pace.throttled(slot, now);
            if attempts >= MAX_ATTEMPTS {
                process.failed += 1;
            } else {
                let (first, longest) = BACKOFF;
                let doubled = f64::min(first * 2_f64.powi(attempts as i32 - 1), longest);
                let wait = (doubled * (0.5 + self.random.f64())).min(longest);
                self.schedule(now + Duration::from_secs_f64(wait), Event::Retry(number, attempts));
            }
        }
        self.start_ready_calls(number, now);
    }
}
