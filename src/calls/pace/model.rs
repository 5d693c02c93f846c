//! A model of processes that share one quota: their paces are the real ones, and time is a number.
//!
//! Nothing waits, so hundreds of jobs of minutes run in a second. Beside its pace each process does as
//! `calls::run` does: at most eight calls in flight, a refused call again after a backoff, at most ten attempts.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use super::{Allowance, Pace, Turn};

/// Calls in flight at once (`MAX_CONCURRENT_CALLS`).
const AT_ONCE: u32 = 8;
/// Attempts of one call (`MAX_ATTEMPTS`).
const MAX_ATTEMPTS: u32 = 10;
/// The first and the longest wait before a call is made again, in seconds (`BACKOFF_INITIAL_MS`, `BACKOFF_MAX_MS`).
const BACKOFF: (f64, f64) = (0.2, 20.0);
/// How long a call takes, in seconds. Each way takes 35 to 65 % of that.
const LATENCY: f64 = 0.12;

/// A job, and the quota that it meets.
#[derive(Debug, Clone)]
pub(super) struct Job {
    /// The settings of each process.
    pub(super) allowance: Allowance,
    /// The server's rate and burst.
    pub(super) quota: (f64, f64),
    /// The number of a call that the server refuses although there is quota.
    pub(super) unlucky: Option<usize>,
    /// The processes.
    pub(super) processes: Vec<Process>,
}

/// One process's part of a job.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process {
    /// When it starts, in seconds, from the first time to the last that it may be.
    pub(super) starts: (f64, f64),
    /// Calls that it has to make.
    pub(super) calls: u32,
}

/// The outcome of a job.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Figures {
    /// The time from the first call to the last, as a multiple of the limit.
    pub(super) makespan: f64,
    /// The share of calls that were throttled.
    pub(super) throttled: f64,
    /// The time of the process that took longest, as a multiple of the time of the one that was done first.
    pub(super) slowest: f64,
    /// Calls that were given up.
    pub(super) undone: u32,
}

impl Job {
    /// The mean figures of so many runs, and the sum of what was left undone.
    pub(super) fn mean(&self, runs: u32) -> Figures {
        let mut mean = Figures::default();
        for seed in 0..runs {
            let run = self.run(u64::from(seed));
            mean.makespan += run.makespan / f64::from(runs);
            mean.throttled += run.throttled / f64::from(runs);
            mean.slowest += run.slowest / f64::from(runs);
            mean.undone += run.undone;
        }
        mean
    }

    /// Runs it once. The same seed gives the same figures.
    pub(super) fn run(&self, seed: u64) -> Figures {
        Run::new(self, seed).run()
    }

    /// The least time that the work needs: the server lets a burst through, and then its rate. Work that is not there
    /// before a process starts cannot be done before.
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
    /// A process may begin calls.
    Wake(usize),
    /// A call has reached the server.
    Arrived(usize),
    /// A call's answer is back.
    Answered(usize),
    /// A process makes a refused call again, with the attempts that were made.
    Due(usize, u32),
}

struct Call {
    process: usize,
    turn: Turn,
    attempts: u32,
    allowed: bool,
}

struct Running {
    pace: Pace,
    unbegun: u32,
    /// Refused calls that are due again, by how often each was made.
    due: BTreeMap<u32, u32>,
    in_flight: u32,
    undone: u32,
    begun: Instant,
    ended: Instant,
    /// When it will ask for a turn, if that is planned.
    wakes: Option<Instant>,
}

struct Run<'a> {
    job: &'a Job,
    start: Instant,
    /// The next event is the greatest. The number keeps those of one time in order.
    events: BinaryHeap<Reverse<(Instant, u64, Event)>>,
    planned: u64,
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
            planned: 0,
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
            // The first call begins the measurement.
            let wait = if number == 0 { from } else { from + (to - from) * run.random.f64() };
            let starts = start + Duration::from_secs_f64(wait);
            run.processes.push(Running {
                pace: Pace::seeded(job.allowance, starts, run.random.u64(..)),
                unbegun: process.calls,
                due: BTreeMap::new(),
                in_flight: 0,
                undone: 0,
                begun: starts,
                ended: starts,
                wakes: None,
            });
            run.wake(number, starts);
        }
        run
    }

    fn plan(&mut self, at: Instant, event: Event) {
        self.planned += 1;
        self.events.push(Reverse((at, self.planned, event)));
    }

    /// Plans one awakening of a process, and not one for each answer that came meanwhile.
    fn wake(&mut self, number: usize, at: Instant) {
        let wakes = &mut self.processes[number].wakes;
        if wakes.is_none_or(|planned| at < planned) {
            *wakes = Some(at);
            self.plan(at, Event::Wake(number));
        }
    }

    fn run(mut self) -> Figures {
        while let Some(Reverse((now, _, event))) = self.events.pop() {
            match event {
                Event::Wake(process) => {
                    if self.processes[process].wakes == Some(now) {
                        self.processes[process].wakes = None;
                        self.begin_what_may_begin(process, now);
                    }
                }
                Event::Arrived(call) => self.arrive(call, now),
                Event::Answered(call) => self.settle(call, now),
                Event::Due(process, attempts) => {
                    *self.processes[process].due.entry(attempts).or_default() += 1;
                    self.begin_what_may_begin(process, now);
                }
            }
        }
        let time = |process: &Running| (process.ended - process.begun).as_secs_f64();
        let times: Vec<f64> = self.processes.iter().map(time).collect();
        let extreme = |pick: fn(f64, f64) -> f64| times.iter().copied().reduce(pick).unwrap_or(1.0);
        let first_call = Duration::from_secs_f64(LATENCY / 2.0);
        Figures {
            makespan: (self.last_allowed - self.start - first_call).as_secs_f64() / self.job.limit(),
            throttled: f64::from(self.throttled) / self.calls.len() as f64,
            slowest: extreme(f64::max) / extreme(f64::min),
            undone: self.processes.iter().map(|process| process.undone).sum(),
        }
    }

    fn begin_what_may_begin(&mut self, number: usize, now: Instant) {
        loop {
            let process = &mut self.processes[number];
            let wanted = process.unbegun > 0 || !process.due.is_empty();
            if process.in_flight >= AT_ONCE || !wanted {
                return;
            }
            let turn = match process.pace.take(now) {
                Ok(turn) => turn,
                Err(at) => return self.wake(number, at),
            };
            // A refused call goes first.
            let attempts = match process.due.pop_last() {
                Some((attempts, more)) => {
                    if more > 1 {
                        process.due.insert(attempts, more - 1);
                    }
                    attempts
                }
                None => {
                    process.unbegun -= 1;
                    0
                }
            };
            process.in_flight += 1;
            self.calls.push(Call { process: number, turn, attempts: attempts + 1, allowed: false });
            let way = self.way();
            self.plan(now + way, Event::Arrived(self.calls.len() - 1));
        }
    }

    fn way(&mut self) -> Duration {
        Duration::from_secs_f64(LATENCY * (0.35 + 0.3 * self.random.f64()))
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
        self.plan(now + way, Event::Answered(call));
    }

    fn settle(&mut self, call: usize, now: Instant) {
        let Call { process: number, turn, attempts, allowed } = self.calls[call];
        let process = &mut self.processes[number];
        process.in_flight -= 1;
        process.ended = now;
        if allowed {
            process.pace.succeeded(turn, now);
        } else {
            process.pace.throttled(turn, now);
            if attempts >= MAX_ATTEMPTS {
                process.undone += 1;
            } else {
                let (first, longest) = BACKOFF;
                let doubled = f64::min(first * 2_f64.powi(attempts as i32 - 1), longest);
                let wait = (doubled * (0.5 + self.random.f64())).min(longest);
                self.plan(now + Duration::from_secs_f64(wait), Event::Due(number, attempts));
            }
        }
        self.begin_what_may_begin(number, now);
    }
}
