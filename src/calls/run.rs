//! The loop that makes the calls: the one place that waits.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};

use super::backoff::{Backoff, BackoffSettings};
use super::client::Connect;
use super::deadline::Deadline;
use super::operation::{Call, Operation, Reply};
use super::pace::{Allowance, Pace, Turn};
use super::queue::{Queue, Ready, Tried};
use super::refusal::{Class, Refusal};
use super::work::{Refused, Then, Work};

/// Bounds of each call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// The waits between attempts.
    pub backoff: BackoffSettings,
    /// Attempts of one call, the first one included.
    pub max_attempts: u32,
    /// How long one attempt may take.
    pub call_timeout: Duration,
}

/// What every invocation of the process shares: the pace of each operation, and the calls in flight.
#[derive(Debug)]
pub struct Shared {
    paces: [Pace; Operation::ALL.len()],
    permits: Arc<Semaphore>,
}

impl Shared {
    /// Fresh, at the ceiling.
    pub fn new(allowance: Allowance, max_concurrent_calls: usize, now: Instant) -> Self {
        Shared {
            paces: Operation::ALL.map(|_| Pace::new(allowance, now)),
            permits: Arc::new(Semaphore::new(max_concurrent_calls)),
        }
    }

    /// The pace of an operation.
    pub fn pace(&self, operation: Operation) -> &Pace {
        &self.paces[operation as usize]
    }
}

/// How many calls were made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Attempts, of every operation.
    pub api_calls: u64,
    /// Attempts that were refused by throttling.
    pub throttled_calls: u64,
    /// Attempts beyond the first of a call.
    pub retries: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.api_calls += other.api_calls;
        self.throttled_calls += other.throttled_calls;
        self.retries += other.retries;
    }
}

/// Is told of the calls while they are made, to show progress.
pub trait Observer: Send + Sync {
    /// An attempt has ended.
    fn attempt_ended(&self, call: &Call, result: Result<(), &Refusal>);
}

/// Makes the calls of one invocation.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// Makes the attempts.
    pub connect: &'a Connect,
    /// What all invocations of the process share.
    pub shared: &'a Shared,
    /// Bounds of each call.
    pub limits: CallLimits,
    /// Until when calls are begun.
    pub deadline: Deadline,
    /// Is told of each attempt.
    pub observer: Option<&'a dyn Observer>,
}

impl Caller<'_> {
    /// Makes every call that the work wants, and returns when it wants none or time is up.
    ///
    /// Retry stands outside, then permit, then pace, then the call: every attempt passes the pace, nobody holds a
    /// permit while backing off, and a turn is drawn last and spent at once.
    pub async fn run(&self, work: &mut (dyn Work + Send)) -> Tally {
        let mut run = Run {
            caller: self,
            work,
            queue: Queue::default(),
            in_flight: FuturesUnordered::new(),
            backoffs: Vec::new(),
            tally: Tally::default(),
            places: 0,
            spare: None,
        };
        run.backoffs.resize_with(run.work.jobs(), || None);
        for job in 0..run.work.jobs() {
            run.enqueue(job, None);
        }
        run.until_done().await
    }
}

struct Run<'a> {
    caller: &'a Caller<'a>,
    work: &'a mut (dyn Work + Send),
    queue: Queue,
    in_flight: FuturesUnordered<Pin<Box<dyn Future<Output = Ended> + Send + 'a>>>,
    /// For each job that asked for a wait, how long the next one is.
    backoffs: Vec<Option<Backoff>>,
    tally: Tally,
    places: u64,
    /// A permit that was waited for and not used yet.
    spare: Option<OwnedSemaphorePermit>,
}

/// An attempt that has ended.
struct Ended {
    ready: Ready,
    call: Call,
    turn: Turn,
    result: Result<Reply, Refusal>,
    _permit: OwnedSemaphorePermit,
}

/// Why no further attempt can begin at the moment.
struct Held {
    until: Option<Instant>,
    for_a_permit: bool,
}

impl<'a> Run<'a> {
    async fn until_done(mut self) -> Tally {
        loop {
            let held = self.begin_what_may_begin(now());
            if self.in_flight.is_empty() && self.queue.is_empty() {
                return self.tally;
            }
            tokio::select! {
                Some(ended) = self.in_flight.next(), if !self.in_flight.is_empty() => self.settle(ended, now()),
                () = sleep_until(held.until.unwrap_or_else(now)), if held.until.is_some() => {}
                // Other invocations of the process hold the permits. One that comes free is kept: let go, it would
                // pass to the next that waits, and so on in a circle.
                Ok(permit) = self.caller.shared.permits.clone().acquire_owned(), if held.for_a_permit => {
                    self.spare = Some(permit);
                }
            }
        }
    }

    /// Begins attempts, the most urgent first, until nothing is ready or something holds the next one back.
    fn begin_what_may_begin(&mut self, now: Instant) -> Held {
        let mut held = Held { until: self.queue.wake(now), for_a_permit: false };
        if !self.caller.deadline.allows(now) {
            let mut late = self.queue.drain_waiting();
            late.extend(Operation::ALL.into_iter().flat_map(|operation| self.queue.drain(operation)));
            self.expire(late);
            return Held { until: None, for_a_permit: false };
        }
        let mut paced = [false; Operation::ALL.len()];
        while let Some(operation) = self.queue.most_urgent(|operation| !paced[operation as usize]) {
            let Some(ready) = self.next_ready(operation) else { continue };
            let permits = &self.caller.shared.permits;
            let Some(permit) = self.spare.take().or_else(|| permits.clone().try_acquire_owned().ok()) else {
                self.queue.push(ready);
                held.for_a_permit = self.in_flight.is_empty();
                // Others may hold them past this invocation's time.
                let last = self.caller.deadline.last_begin().map(|last| last + Duration::from_millis(1));
                held.until = held.until.into_iter().chain(last).min();
                return held;
            };
            match self.caller.shared.pace(operation).take(now) {
                Ok(turn) => self.begin(ready, turn, permit, now),
                Err(at) if self.caller.deadline.allows(at) => {
                    held.until = Some(held.until.map_or(at, |until| until.min(at)));
                    self.queue.push(ready);
                    paced[operation as usize] = true;
                }
                Err(_) => {
                    let mut late = self.queue.drain(operation);
                    late.push(ready);
                    self.expire(late);
                }
            }
        }
        held
    }

    /// The most urgent attempt that is still wanted.
    fn next_ready(&mut self, operation: Operation) -> Option<Ready> {
        while let Some(ready) = self.queue.pop(operation) {
            if ready.tried.is_some() {
                return Some(ready);
            }
            match self.work.wants(ready.job) {
                Some(want) if want.operation == operation => return Some(ready),
                _ => self.enqueue(ready.job, Some(ready.place)),
            }
        }
        None
    }

    fn begin(&mut self, mut ready: Ready, turn: Turn, permit: OwnedSemaphorePermit, now: Instant) {
        let call = match &ready.tried {
            Some(tried) => tried.call.clone(),
            None => match self.work.call(ready.job) {
                Some(call) => call,
                None => return,
            },
        };
        self.tally.api_calls += 1;
        self.tally.retries += u64::from(ready.again || ready.tried.is_some());
        let time = self.caller.deadline.time_for_call(now, self.caller.limits.call_timeout);
        let connect = self.caller.connect;
        ready.operation = call.operation();
        self.in_flight.push(Box::pin(async move {
            let attempt = timeout(time, connect.attempt(&call)).await;
            let result = attempt.unwrap_or_else(|_| Err(Refusal::timed_out(time)));
            Ended { ready, call, turn, result, _permit: permit }
        }));
    }

    fn settle(&mut self, ended: Ended, now: Instant) {
        let Ended { ready, call, turn, result, .. } = ended;
        let pace = self.caller.shared.pace(ready.operation);
        if let Some(observer) = self.caller.observer {
            observer.attempt_ended(&call, result.as_ref().map(|_| ()));
        }
        let refusal = match result {
            Ok(reply) => {
                pace.succeeded(turn, now);
                return self.record(&ready, Ok(reply), now);
            }
            Err(refusal) => refusal,
        };
        let (attempts, earlier_maybe_done) =
            ready.tried.as_ref().map_or((1, false), |tried| (tried.attempts + 1, tried.maybe_done));
        tracing::debug!(
            operation = %ready.operation, attempt = attempts, error = refusal.code, class = ?refusal.class,
            "call refused"
        );
        if refusal.class == Class::Throttled {
            self.tally.throttled_calls += 1;
            pace.throttled(turn, now);
        } else if refusal.class != Class::Unavailable {
            pace.succeeded(turn, now);
        }
        let maybe_done = earlier_maybe_done || refusal.class == Class::Unavailable;
        if !refusal.class.is_retried() || attempts >= self.caller.limits.max_attempts {
            let refused = Refused { refusal, out_of_time: false, maybe_done: earlier_maybe_done };
            return self.record(&ready, Err(refused), now);
        }
        let mut backoff = match ready.tried {
            Some(tried) => tried.backoff,
            None => Backoff::new(self.caller.limits.backoff),
        };
        let due = now + backoff.next_wait().max(refusal.retry_after.unwrap_or_default());
        let ready = Ready { tried: None, ..ready };
        if !self.caller.deadline.allows(due) {
            let refused = Refused { refusal, out_of_time: true, maybe_done };
            return self.record(&ready, Err(refused), now);
        }
        let tried = Tried { call, attempts, backoff, last: refusal, maybe_done };
        self.queue.push_later(due, Ready { tried: Some(tried), ..ready });
    }

    /// Hands an answer to the work, and puts what the job wants next into the queue.
    fn record(&mut self, ready: &Ready, answer: Result<Reply, Refused>, now: Instant) {
        let (job, place) = (ready.job, ready.place);
        match self.work.record(job, answer) {
            Then::GoOn => self.enqueue(job, Some(place)),
            Then::BackOff { at_least } => {
                let settings = self.caller.limits.backoff;
                let wait = self.backoffs[job].get_or_insert_with(|| Backoff::new(settings)).next_wait();
                let due = now + wait.max(at_least);
                if !self.caller.deadline.allows(due) {
                    self.work.expire(job, "no time was left to wait for room on the queue");
                } else if let Some(ready) = self.ready(job, Some(place)) {
                    self.queue.push_later(due, Ready { again: true, ..ready });
                }
            }
        }
    }

    fn enqueue(&mut self, job: usize, place: Option<u64>) {
        if let Some(ready) = self.ready(job, place) {
            self.queue.push(ready);
        }
    }

    fn ready(&mut self, job: usize, place: Option<u64>) -> Option<Ready> {
        let want = self.work.wants(job)?;
        let place = place.unwrap_or_else(|| {
            self.places += 1;
            self.places
        });
        Some(Ready {
            job,
            operation: want.operation,
            urgency: want.urgency,
            place,
            tried: None,
            again: false,
        })
    }

    fn expire(&mut self, late: Vec<Ready>) {
        for ready in late {
            if let Some(tried) = ready.tried {
                let refused =
                    Refused { refusal: tried.last, out_of_time: true, maybe_done: tried.maybe_done };
                self.work.record(ready.job, Err(refused));
            }
            self.work.expire(ready.job, "the invocation's time ended before its call could begin");
        }
    }
}

/// Tokio's clock, which tests can pause.
fn now() -> Instant {
    Instant::now()
}
