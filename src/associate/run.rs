//! The loop that makes the calls. Only this loop waits.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};

use crate::connect::{Class, Connect, Operation, Refusal, Refused};

use super::agenda::{Agenda, Pending, Rank, Retry};
use super::deadline::Deadline;
use super::pace::Turn;
use super::scheduler::Scheduler;
use super::shared::Shared;
use super::step::{Answer, Attempt};
use crate::backoff::{Backoff, BackoffSettings};

/// Bounds of each call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// The waits between attempts.
    pub(crate) backoff: BackoffSettings,
    /// Attempts of one call, the first one included.
    pub(crate) max_attempts: u32,
    /// How long one attempt may take.
    pub call_timeout: Duration,
}

/// Number of calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Attempts, of every operation.
    pub api_calls: u64,
    /// Attempts that the API refused by throttling.
    pub throttled_calls: u64,
    /// Attempts after the first one of a call.
    pub retries: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.api_calls += other.api_calls;
        self.throttled_calls += other.throttled_calls;
        self.retries += other.retries;
    }
}

/// Follows the calls of an invocation, for example to show progress.
pub trait Observer: Send + Sync {
    /// An attempt has ended. `addresses` is the number of addresses to associate, or zero if the call only reads.
    fn attempt_ended(&self, operation: Operation, addresses: usize, result: Result<(), &Refusal>);
}

/// Makes the calls of one invocation.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    /// Makes the attempts.
    pub connect: &'a Connect,
    /// The state that all invocations of the process share.
    pub shared: &'a Shared,
    /// Bounds of each call.
    pub limits: CallLimits,
    /// The end of the time for calls.
    pub deadline: Deadline,
    /// Follows each attempt.
    pub observer: Option<&'a dyn Observer>,
}

impl Caller<'_> {
    /// Makes every call that the scheduler needs, and returns when there is no call left or no time.
    ///
    /// A call waits in this order: for its backoff, for a permit, and for a turn of the pace. So every attempt has a
    /// turn, no call holds a permit during its backoff, and a call uses its turn at once.
    pub(crate) async fn run(&self, scheduler: &mut Scheduler<'_>) -> Tally {
        let run = Run {
            caller: self,
            scheduler,
            agenda: Agenda::default(),
            in_flight: FuturesUnordered::new(),
            backoffs: HashMap::new(),
            tally: Tally::default(),
            spare: None,
            spare_directory: None,
        };
        run.until_done().await
    }
}

struct Run<'a, 'r> {
    caller: &'a Caller<'a>,
    scheduler: &'a mut Scheduler<'r>,
    agenda: Agenda,
    in_flight: FuturesUnordered<Pin<Box<dyn Future<Output = Ended> + Send + 'a>>>,
    /// The next pause of each place whose steps asked for one.
    backoffs: HashMap<usize, Backoff>,
    tally: Tally,
    /// A permit for a call in flight that the loop waited for and has not used yet.
    spare: Option<OwnedSemaphorePermit>,
    /// A permit to read a directory, as `spare`.
    spare_directory: Option<OwnedSemaphorePermit>,
}

struct Ended {
    made: Made,
    result: Result<Answer, (Attempt, Refusal)>,
    turn: Turn,
    _permits: (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>),
}

/// The state of a call while an attempt is in flight.
struct Made {
    operation: Operation,
    addresses: usize,
    rank: Rank,
    /// Attempts of the call so far, this one included.
    attempts: u32,
    /// The waits between the attempts, after the first retry.
    backoff: Option<Backoff>,
    /// Connect may have carried out an earlier attempt although its answer was lost.
    maybe_done: bool,
}

/// Why no further attempt can begin at the moment.
struct Blocked {
    until: Option<Instant>,
    for_a_permit: bool,
    for_a_directory_permit: bool,
}

impl Blocked {
    fn until(until: Option<Instant>) -> Self {
        Blocked { until, for_a_permit: false, for_a_directory_permit: false }
    }
}

impl Run<'_, '_> {
    async fn until_done(mut self) -> Tally {
        loop {
            let blocked = self.start_ready_attempts(now());
            if self.in_flight.is_empty() && self.agenda.is_empty() {
                return self.tally;
            }
            tokio::select! {
                Some(ended) = self.in_flight.next(), if !self.in_flight.is_empty() => self.settle(ended, now()),
                () = sleep_until(blocked.until.unwrap_or_else(now)), if blocked.until.is_some() => {}
                // Other invocations of the process hold the permits. The loop keeps a permit that becomes free.
                // Otherwise the permit would pass to the next waiting invocation, and so on in a circle.
                Ok(permit) = self.caller.shared.permits.clone().acquire_owned(), if blocked.for_a_permit => {
                    self.spare = Some(permit);
                }
                Ok(permit) = self.caller.shared.directory_permits.clone().acquire_owned(),
                    if blocked.for_a_directory_permit => self.spare_directory = Some(permit),
            }
        }
    }

    /// Begins the most urgent attempts until none is ready or something holds the next one back.
    fn start_ready_attempts(&mut self, now: Instant) -> Blocked {
        self.collect(now);
        let wakes = self.agenda.wake(now).into_iter().chain(self.scheduler.wakes_at());
        let mut blocked = Blocked::until(wakes.min());
        if !self.caller.deadline.allows(now) {
            while !self.agenda.is_empty() {
                let late = self.agenda.drain_all();
                self.expire(late, now);
            }
            return Blocked::until(None);
        }
        if let Some(rejection) = self.scheduler.credentials.stopped_by().cloned() {
            self.reject_all(&rejection, now);
            return Blocked::until(None);
        }
        let mut paced = [false; Operation::ALL.len()];
        while let Some(operation) = self.next_operation(&paced) {
            let Some(pending) = self.agenda.pop(operation).and_then(|pending| self.scheduler.review(pending))
            else {
                // The review may have led to another step.
                self.collect(now);
                continue;
            };
            let permits = &self.caller.shared.permits;
            let Some(permit) = self.spare.take().or_else(|| permits.clone().try_acquire_owned().ok()) else {
                self.agenda.push(pending);
                self.spare_directory = None;
                blocked.for_a_permit = true;
                blocked.until = blocked.until.into_iter().chain(self.time_is_over()).min();
                return blocked;
            };
            match self.caller.shared.pace(operation).take(now) {
                Ok(turn) => self.begin(pending, turn, permit, now),
                Err(at) if self.caller.deadline.allows(at) => {
                    blocked.until = Some(blocked.until.map_or(at, |until| until.min(at)));
                    self.agenda.push(pending);
                    paced[operation as usize] = true;
                }
                Err(_) => {
                    let mut late = self.agenda.drain(operation);
                    late.push(pending);
                    self.expire(late, now);
                }
            }
        }
        if self.is_only_reading_blocked(&paced) {
            blocked.for_a_directory_permit = true;
            blocked.until = blocked.until.into_iter().chain(self.time_is_over()).min();
        }
        // No attempt can use the permits.
        (self.spare, self.spare_directory) = (None, None);
        // A group whose call was given back above may have another step, which begins after a pause.
        blocked.until = blocked.until.into_iter().chain(self.agenda.wake(now)).min();
        blocked
    }

    /// The next operation to call. If the limit is one call, a directory call starts only when no other call can.
    fn next_operation(&mut self, paced: &[bool; Operation::ALL.len()]) -> Option<Operation> {
        let may_read = self.take_directory_permit();
        let is_open = |operation: Operation| {
            !paced[operation as usize] && (may_read || !self.agenda.is_directory_next(operation))
        };
        if self.caller.shared.max_concurrent_calls > 1 {
            return self.agenda.next_operation(is_open);
        }
        let other = |operation: Operation| is_open(operation) && !self.agenda.is_directory_next(operation);
        let next = self.agenda.next_operation(other);
        next.or_else(|| self.agenda.next_operation(|next| is_open(next) && self.in_flight.is_empty()))
    }

    /// Takes a permit to read a directory, if a directory call is ready. Returns whether there is one.
    fn take_directory_permit(&mut self) -> bool {
        if self.spare_directory.is_none()
            && Operation::ALL.into_iter().any(|operation| self.agenda.is_directory_next(operation))
        {
            self.spare_directory = self.caller.shared.directory_permits.clone().try_acquire_owned().ok();
        }
        self.spare_directory.is_some()
    }

    /// Whether a directory call is ready and lacks only a permit that other calls of the process have.
    fn is_only_reading_blocked(&self, paced: &[bool; Operation::ALL.len()]) -> bool {
        let is_ready =
            |operation: Operation| !paced[operation as usize] && self.agenda.is_directory_next(operation);
        let may_read = self.caller.shared.max_concurrent_calls > 1 || self.in_flight.is_empty();
        may_read && Operation::ALL.into_iter().any(is_ready)
    }

    /// The time at which no further call may start. Other invocations may have the permits for longer.
    fn time_is_over(&self) -> Option<Instant> {
        self.caller.deadline.last_begin().map(|last| last + Duration::from_millis(1))
    }

    fn begin(&mut self, pending: Pending, turn: Turn, permit: OwnedSemaphorePermit, now: Instant) {
        let rank = pending.rank();
        let is_retry = match &pending {
            Pending::First(step) => step.pause.is_some(),
            Pending::Again(_) => true,
        };
        let (attempt, attempts, backoff, maybe_done) = match pending {
            Pending::First(step) => (self.scheduler.attempt(step.task, now), 1, None, false),
            Pending::Again(retry) => {
                (retry.attempt, retry.attempts + 1, Some(retry.backoff), retry.maybe_done)
            }
        };
        self.tally.api_calls += 1;
        let reads_directory = matches!(attempt, Attempt::Search { .. });
        let permits = (permit, self.spare_directory.take_if(|_| reads_directory));
        self.tally.retries += u64::from(is_retry);
        let (operation, addresses) = (attempt.operation(), attempt.addresses());
        let made = Made { operation, addresses, rank, attempts, backoff, maybe_done };
        let time = self.caller.deadline.time_for_call(now, self.caller.limits.call_timeout);
        let connect = self.caller.connect;
        self.in_flight.push(Box::pin(async move {
            let result = attempt.make(connect, time).await;
            Ended { made, result, turn, _permits: permits }
        }));
    }

    fn settle(&mut self, ended: Ended, now: Instant) {
        let Ended { made, result, turn, .. } = ended;
        let Made { operation, addresses, rank, attempts, backoff, maybe_done } = made;
        let earlier_maybe_done = maybe_done;
        let pace = self.caller.shared.pace(operation);
        if let Some(observer) = self.caller.observer {
            let result = result.as_ref().map(|_| ()).map_err(|(_, refusal)| refusal);
            observer.attempt_ended(operation, addresses, result);
        }
        match &result {
            Err((_, refusal)) if refusal.class == Class::Credentials => {
                self.scheduler.credentials.rejected(refusal);
            }
            Err((_, refusal)) if !refusal.is_response() => {}
            Ok(_) | Err(_) => self.scheduler.credentials.accepted(),
        }
        let (attempt, refusal) = match result {
            Ok(answer) => {
                pace.succeeded(turn, now);
                return self.scheduler.record(answer, now);
            }
            Err(refused) => refused,
        };
        tracing::debug!(
            %operation, attempt = attempts, error = refusal.code, class = ?refusal.class, "call refused"
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
            return self.scheduler.record(attempt.refused(refused), now);
        }
        let mut backoff = backoff.unwrap_or_else(|| Backoff::new(self.caller.limits.backoff));
        let due = now + backoff.next_wait().max(refusal.retry_after.unwrap_or_default());
        if !self.caller.deadline.allows(due) {
            let refused = Refused { refusal, out_of_time: true, maybe_done };
            return self.scheduler.record(attempt.refused(refused), now);
        }
        if let Some(group) = attempt.group() {
            self.scheduler.delay(group);
        }
        let retry = Retry { attempt, rank, attempts, backoff, last: refusal, maybe_done };
        self.agenda.push_later(due, Pending::Again(Box::new(retry)));
    }

    /// Moves the steps that the scheduler needs next into the agenda.
    fn collect(&mut self, now: Instant) {
        self.scheduler.release().into_iter().for_each(|pending| self.agenda.push(pending));
        while let Some(step) = self.scheduler.next(now) {
            let Some(pause) = step.pause else {
                self.agenda.push(Pending::First(Box::new(step)));
                continue;
            };
            let settings = self.caller.limits.backoff;
            let backoff = self.backoffs.entry(step.place).or_insert_with(|| Backoff::new(settings));
            let due = now + backoff.next_wait().max(pause.at_least);
            if self.caller.deadline.allows(due) {
                self.agenda.push_later(due, Pending::First(Box::new(step)));
            } else {
                self.scheduler.give_up(&step.task, "no time was left to wait for room on the queue", now);
            }
        }
    }

    /// Fails every step without a call, because the API rejects the credentials.
    fn reject_all(&mut self, rejection: &Refusal, now: Instant) {
        while !self.agenda.is_empty() {
            for pending in self.agenda.drain_all() {
                let refused =
                    |maybe_done| Refused { refusal: rejection.clone(), out_of_time: false, maybe_done };
                let answer = match pending {
                    Pending::First(step) => Answer::Refused { task: step.task, refused: refused(false) },
                    Pending::Again(retry) => retry.attempt.refused(refused(retry.maybe_done)),
                };
                self.scheduler.record(answer, now);
            }
            self.collect(now);
        }
    }

    /// Returns attempts to the scheduler because there is no time for them.
    fn expire(&mut self, late: Vec<Pending>, now: Instant) {
        for pending in late {
            match pending {
                Pending::First(step) => {
                    let reason = "the invocation's time ended before its call could begin";
                    self.scheduler.expire(&step.task, reason, now);
                }
                Pending::Again(retry) => {
                    let Retry { attempt, last, maybe_done, .. } = *retry;
                    let refused = Refused { refusal: last, out_of_time: true, maybe_done };
                    self.scheduler.record(attempt.refused(refused), now);
                }
            }
        }
        self.collect(now);
    }
}

/// Tokio's clock, which tests can pause.
fn now() -> Instant {
    Instant::now()
}
