//! The loop that makes the calls. Only this loop waits.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};

use crate::backoff::{Backoff, BackoffSettings};
use crate::connect::{Class, Connect, Operation, RejectedCall, Rejection};

use super::agenda::{Agenda, PendingAttempt, Rank, RetryAttempt};
use super::deadline::Deadline;
use super::pace::Turn;
use super::process_limits::ProcessLimits;
use super::scheduler::Scheduler;
use super::step::{Attempt, StepResponse};

/// Bounds of each call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// The waits between attempts.
    pub(crate) backoff: BackoffSettings,
    /// Maximum number of attempts of one call, including the first.
    pub(crate) max_attempts: u32,
    /// Timeout of one attempt.
    pub call_timeout: Duration,
}

/// The number of calls of an invocation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Attempts of all operations.
    pub api_calls: u64,
    /// Attempts that the API throttled.
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
    /// Records the end of an attempt. `addresses` is the number of addresses to associate, or zero if the call only
    /// reads.
    fn attempt_ended(&self, operation: Operation, addresses: usize, result: Result<(), &Rejection>);
}

/// Makes the calls of one invocation.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    /// Makes the attempts.
    pub connect: &'a Connect,
    /// The limits that all invocations of the process share.
    pub shared: &'a ProcessLimits,
    /// Bounds of each call.
    pub limits: CallLimits,
    /// The end of the time for calls.
    pub deadline: Deadline,
    /// Follows each attempt.
    pub observer: Option<&'a dyn Observer>,
}

impl Caller<'_> {
    /// Makes every call that the scheduler needs, and returns when no call or no time is left.
    ///
    /// A call waits in this order: for its backoff, for a permit, and for a turn of the pace. So every attempt has a
    /// turn, no call has a permit during its backoff, and a call uses its turn immediately.
    pub(crate) async fn run(&self, scheduler: &mut Scheduler<'_>) -> Tally {
        let run = CallLoop {
            caller: self,
            scheduler,
            agenda: Agenda::default(),
            in_flight: FuturesUnordered::new(),
            backoffs: HashMap::new(),
            tally: Tally::default(),
            spare_permit: None,
            spare_directory_permit: None,
        };
        run.until_done().await
    }
}

struct CallLoop<'a, 'r> {
    caller: &'a Caller<'a>,
    scheduler: &'a mut Scheduler<'r>,
    agenda: Agenda,
    in_flight: FuturesUnordered<Pin<Box<dyn Future<Output = FinishedAttempt> + Send + 'a>>>,
    /// The next pause of each place whose steps have paused before.
    backoffs: HashMap<usize, Backoff>,
    tally: Tally,
    /// A permit for a call that the loop waited for and has not used yet.
    spare_permit: Option<OwnedSemaphorePermit>,
    /// A permit to read a directory that the loop has not used yet.
    spare_directory_permit: Option<OwnedSemaphorePermit>,
}

struct FinishedAttempt {
    state: AttemptState,
    result: Result<StepResponse, (Attempt, Rejection)>,
    turn: Turn,
    _permits: (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>),
}

/// The state of a call while an attempt is in flight.
struct AttemptState {
    operation: Operation,
    addresses: usize,
    rank: Rank,
    /// Number of attempts so far, including this one.
    attempts: u32,
    /// The waits between attempts. `None` before the first retry.
    backoff: Option<Backoff>,
    /// Connect may have carried out an earlier attempt although its response was lost.
    maybe_done: bool,
}

/// What the loop waits for when no attempt can start, in addition to the calls in flight.
struct WaitReason {
    until: Option<Instant>,
    for_a_permit: bool,
    for_a_directory_permit: bool,
}

impl WaitReason {
    fn until(until: Option<Instant>) -> Self {
        WaitReason { until, for_a_permit: false, for_a_directory_permit: false }
    }
}

impl CallLoop<'_, '_> {
    async fn until_done(mut self) -> Tally {
        loop {
            let wait = self.start_ready_attempts(now());
            if self.in_flight.is_empty() && self.agenda.is_empty() {
                return self.tally;
            }
            tokio::select! {
                Some(finished) = self.in_flight.next(), if !self.in_flight.is_empty() => {
                    self.finish(finished, now());
                }
                () = sleep_until(wait.until.unwrap_or_else(now)), if wait.until.is_some() => {}
                // Other invocations of the process have the permits. The loop keeps a permit that it receives. Otherwise
                // waiting invocations would pass the permit around without using it.
                Ok(permit) = self.caller.shared.permits.clone().acquire_owned(), if wait.for_a_permit => {
                    self.spare_permit = Some(permit);
                }
                Ok(permit) = self.caller.shared.directory_permits.clone().acquire_owned(),
                    if wait.for_a_directory_permit => self.spare_directory_permit = Some(permit),
            }
        }
    }

    /// Starts the most urgent attempts until none is ready or the next one has to wait.
    fn start_ready_attempts(&mut self, now: Instant) -> WaitReason {
        self.collect_steps(now);
        let wakes = self.agenda.wake(now).into_iter().chain(self.scheduler.wakes_at());
        let mut wait = WaitReason::until(wakes.min());
        if !self.caller.deadline.allows(now) {
            while !self.agenda.is_empty() {
                let late = self.agenda.drain_all();
                self.expire(late, now);
            }
            return WaitReason::until(None);
        }
        if let Some(rejection) = self.scheduler.credentials.stopped_by().cloned() {
            self.reject_all(&rejection, now);
            return WaitReason::until(None);
        }
        let mut paced = [false; Operation::ALL.len()];
        while let Some(operation) = self.next_operation(&paced) {
            let Some(pending) = self.agenda.pop(operation).and_then(|pending| self.scheduler.review(pending))
            else {
                // The review may have led to another step.
                self.collect_steps(now);
                continue;
            };
            let permits = &self.caller.shared.permits;
            let Some(permit) = self.spare_permit.take().or_else(|| permits.clone().try_acquire_owned().ok())
            else {
                self.agenda.push(pending);
                self.spare_directory_permit = None;
                wait.for_a_permit = true;
                wait.until = wait.until.into_iter().chain(self.time_is_over()).min();
                return wait;
            };
            match self.caller.shared.pace(operation).take(now) {
                Ok(turn) => self.start(pending, turn, permit, now),
                Err(at) if self.caller.deadline.allows(at) => {
                    wait.until = Some(wait.until.map_or(at, |until| until.min(at)));
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
            wait.for_a_directory_permit = true;
            wait.until = wait.until.into_iter().chain(self.time_is_over()).min();
        }
        // No attempt can use the permits.
        (self.spare_permit, self.spare_directory_permit) = (None, None);
        // A group whose call was returned above may have another step, which starts after a pause.
        wait.until = wait.until.into_iter().chain(self.agenda.wake(now)).min();
        wait
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
        if self.spare_directory_permit.is_none()
            && Operation::ALL.into_iter().any(|operation| self.agenda.is_directory_next(operation))
        {
            self.spare_directory_permit =
                self.caller.shared.directory_permits.clone().try_acquire_owned().ok();
        }
        self.spare_directory_permit.is_some()
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
        self.caller.deadline.last_start().map(|last| last + Duration::from_millis(1))
    }

    fn start(&mut self, pending: PendingAttempt, turn: Turn, permit: OwnedSemaphorePermit, now: Instant) {
        let rank = pending.rank();
        let is_retry = match &pending {
            PendingAttempt::First(step) => step.pause.is_some(),
            PendingAttempt::Again(_) => true,
        };
        let (attempt, attempts, backoff, maybe_done) = match pending {
            PendingAttempt::First(step) => (self.scheduler.attempt(step.task, now), 1, None, false),
            PendingAttempt::Again(retry) => {
                (retry.attempt, retry.attempts + 1, Some(retry.backoff), retry.maybe_done)
            }
        };
        self.tally.api_calls += 1;
        let reads_directory = matches!(attempt, Attempt::Search { .. });
        let permits = (permit, self.spare_directory_permit.take_if(|_| reads_directory));
        self.tally.retries += u64::from(is_retry);
        let (operation, addresses) = (attempt.operation(), attempt.addresses());
        let state = AttemptState { operation, addresses, rank, attempts, backoff, maybe_done };
        let time = self.caller.deadline.time_for_call(now, self.caller.limits.call_timeout);
        let connect = self.caller.connect;
        self.in_flight.push(Box::pin(async move {
            let result = attempt.make(connect, time).await;
            FinishedAttempt { state, result, turn, _permits: permits }
        }));
    }

    fn finish(&mut self, finished: FinishedAttempt, now: Instant) {
        let FinishedAttempt { state, result, turn, .. } = finished;
        let AttemptState { operation, addresses, rank, attempts, backoff, maybe_done } = state;
        let earlier_maybe_done = maybe_done;
        let pace = self.caller.shared.pace(operation);
        if let Some(observer) = self.caller.observer {
            let result = result.as_ref().map(|_| ()).map_err(|(_, rejection)| rejection);
            observer.attempt_ended(operation, addresses, result);
        }
        match &result {
            Err((_, rejection)) if rejection.class == Class::Credentials => {
                self.scheduler.credentials.rejected(rejection);
            }
            Err((_, rejection)) if !rejection.is_response() => {}
            Ok(_) | Err(_) => self.scheduler.credentials.accepted(),
        }
        let (attempt, rejection) = match result {
            Ok(response) => {
                pace.not_throttled(turn, now);
                return self.scheduler.record(response, now);
            }
            Err(rejected) => rejected,
        };
        tracing::debug!(
            %operation, attempt = attempts, error = rejection.code, class = ?rejection.class, "call rejected"
        );
        if rejection.class == Class::Throttled {
            self.tally.throttled_calls += 1;
            pace.throttled(turn, now);
        } else if rejection.class != Class::Unavailable {
            pace.not_throttled(turn, now);
        }
        let maybe_done = earlier_maybe_done || rejection.class == Class::Unavailable;
        if !rejection.class.is_retried() || attempts >= self.caller.limits.max_attempts {
            let rejected = RejectedCall { rejection, out_of_time: false, maybe_done: earlier_maybe_done };
            return self.scheduler.record(attempt.rejected(rejected), now);
        }
        let mut backoff = backoff.unwrap_or_else(|| Backoff::new(self.caller.limits.backoff));
        let due = now + backoff.next_wait().max(rejection.retry_after.unwrap_or_default());
        if !self.caller.deadline.allows(due) {
            let rejected = RejectedCall { rejection, out_of_time: true, maybe_done };
            return self.scheduler.record(attempt.rejected(rejected), now);
        }
        if let Some(group) = attempt.group() {
            self.scheduler.delay(group);
        }
        let retry = RetryAttempt { attempt, rank, attempts, backoff, last: rejection, maybe_done };
        self.agenda.push_later(due, PendingAttempt::Again(Box::new(retry)));
    }

    /// Moves the steps that the scheduler needs next into the agenda.
    fn collect_steps(&mut self, now: Instant) {
        self.scheduler.release().into_iter().for_each(|pending| self.agenda.push(pending));
        while let Some(step) = self.scheduler.next_step(now) {
            let Some(pause) = step.pause else {
                self.agenda.push(PendingAttempt::First(Box::new(step)));
                continue;
            };
            let settings = self.caller.limits.backoff;
            let backoff = self.backoffs.entry(step.place).or_insert_with(|| Backoff::new(settings));
            let due = now + backoff.next_wait().max(pause.at_least);
            if self.caller.deadline.allows(due) {
                self.agenda.push_later(due, PendingAttempt::First(Box::new(step)));
            } else {
                self.scheduler.give_up(&step.task, "no time was left to wait for room on the queue", now);
            }
        }
    }

    /// Fails every step without a call, because the API rejects the credentials.
    fn reject_all(&mut self, rejection: &Rejection, now: Instant) {
        while !self.agenda.is_empty() {
            for pending in self.agenda.drain_all() {
                let rejected = |maybe_done| RejectedCall {
                    rejection: rejection.clone(),
                    out_of_time: false,
                    maybe_done,
                };
                let response = match pending {
                    PendingAttempt::First(step) => {
                        StepResponse::Rejected { task: step.task, rejected: rejected(false) }
                    }
                    PendingAttempt::Again(retry) => retry.attempt.rejected(rejected(retry.maybe_done)),
                };
                self.scheduler.record(response, now);
            }
            self.collect_steps(now);
        }
    }

    /// Returns attempts to the scheduler because the time for them is over.
    fn expire(&mut self, late: Vec<PendingAttempt>, now: Instant) {
        for pending in late {
            match pending {
                PendingAttempt::First(step) => {
                    let reason = "the invocation's time ended before its call could start";
                    self.scheduler.expire(&step.task, reason, now);
                }
                PendingAttempt::Again(retry) => {
                    let RetryAttempt { attempt, last, maybe_done, .. } = *retry;
                    let rejected = RejectedCall { rejection: last, out_of_time: true, maybe_done };
                    self.scheduler.record(attempt.rejected(rejected), now);
                }
            }
        }
        self.collect_steps(now);
    }
}

/// Tokio's clock, which tests can pause.
fn now() -> Instant {
    Instant::now()
}
