//! The loop that makes the API calls, and the only place that waits.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};

use crate::backoff::Backoff;
use crate::connect::{Operation, RejectedCall, Rejection};
use crate::failure::Failure;
use crate::index::GroupIndex;

use super::agenda::Agenda;
use super::calls::{CallContext, CallRecord, RetryState};
use super::pace::Slot;
use super::scheduler::Scheduler;
use super::step::{Rank, Step, StepResponse, Task};

/// The calls of one invocation.
pub(super) struct CallLoop<'a, 'p> {
    context: &'a CallContext<'a>,
    pub(super) scheduler: Scheduler<'p>,
    pub(super) record: CallRecord,
    agenda: Agenda,
    in_flight: FuturesUnordered<Pin<Box<dyn Future<Output = FinishedAttempt> + Send + 'a>>>,
    /// The backoff of each group that has waited for room on its queue.
    room_backoffs: HashMap<GroupIndex, Backoff>,
    /// A call permit that the loop has acquired but not used yet.
    permit: Option<OwnedSemaphorePermit>,
    /// A directory permit that the loop has acquired but not used yet.
    directory_permit: Option<OwnedSemaphorePermit>,
}

struct FinishedAttempt {
    operation: Operation,
    addresses: usize,
    rank: Rank,
    wait: Option<Duration>,
    retry: Option<Box<RetryState>>,
    result: Result<StepResponse, (Task, Rejection)>,
    slot: Slot,
    _permits: (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>),
}

/// What ends the wait of the loop, in addition to the calls in flight.
#[derive(Default)]
struct Wakeup {
    at: Option<Instant>,
    on_permit: bool,
    on_directory_permit: bool,
}

impl Wakeup {
    fn not_later_than(&mut self, at: Option<Instant>) {
        self.at = self.at.into_iter().chain(at).min();
    }
}

impl<'a, 'p> CallLoop<'a, 'p> {
    pub(super) fn new(context: &'a CallContext<'a>, scheduler: Scheduler<'p>) -> Self {
        CallLoop {
            context,
            scheduler,
            record: CallRecord::default(),
            agenda: Agenda::default(),
            in_flight: FuturesUnordered::new(),
            room_backoffs: HashMap::new(),
            permit: None,
            directory_permit: None,
        }
    }

    /// Makes every call that the scheduler needs. Returns when there are no more calls, or no time for them.
    ///
    /// A call waits first for its backoff, then for a permit, then for a slot of the pace. So no call holds a permit
    /// during its backoff, and a call uses its slot immediately.
    pub(super) async fn run(&mut self) {
        loop {
            let wakeup = self.start_ready_attempts(Instant::now());
            if self.in_flight.is_empty() && self.agenda.is_empty() {
                return;
            }
            tokio::select! {
                Some(finished) = self.in_flight.next(), if !self.in_flight.is_empty() => {
                    self.finish(finished, Instant::now());
                }
                () = sleep_until(wakeup.at.unwrap_or_else(Instant::now)), if wakeup.at.is_some() => {}
                // Other invocations of the process hold the permits. The loop keeps a permit that it receives. Otherwise
                // waiting invocations would pass the permit around without using it.
                Ok(permit) = self.context.shared.permits.clone().acquire_owned(), if wakeup.on_permit => {
                    self.permit = Some(permit);
                }
                Ok(permit) = self.context.shared.directory_permits.clone().acquire_owned(),
                    if wakeup.on_directory_permit => self.directory_permit = Some(permit),
            }
        }
    }

    /// Starts attempts in the order of their ranks until none is ready or the next one has to wait.
    fn start_ready_attempts(&mut self, now: Instant) -> Wakeup {
        self.collect_steps(now);
        self.agenda.wake(now);
        if !self.context.deadline.allows(now) {
            self.end_all(now, Self::expire);
            return Wakeup::default();
        }
        if let Some(rejection) = self.record.credentials.stopped_by.clone() {
            let rejected = RejectedCall { rejection, out_of_time: false };
            self.end_all(now, |this, Step { task, .. }, now| {
                this.scheduler.record(StepResponse::Rejected { task, rejected: rejected.clone() }, now);
            });
            return Wakeup::default();
        }
        let mut wakeup = Wakeup::default();
        let mut waits_for_pace = [false; Operation::ALL.len()];
        while let Some(operation) = self.next_operation(&waits_for_pace, !wakeup.on_directory_permit) {
            let Some(step) = self.agenda.pop(operation).and_then(|step| self.scheduler.review(step)) else {
                // The review may have led to another step.
                self.collect_steps(now);
                continue;
            };
            // Before the other permit, which would be useless without this one.
            if step.task.reads_directory() && !self.take_directory_permit() {
                self.agenda.push(step);
                wakeup.on_directory_permit = true;
                continue;
            }
            let Some(permit) = self.take_permit() else {
                self.agenda.push(step);
                wakeup.on_permit = true;
                break;
            };
            match self.context.shared.pace(operation).take(now) {
                Ok(slot) => self.start(step, slot, permit, now),
                Err(at) if self.context.deadline.allows(at) => {
                    wakeup.not_later_than(Some(at));
                    self.agenda.push(step);
                    waits_for_pace[operation as usize] = true;
                }
                Err(_) => {
                    self.expire(step, now);
                    self.agenda.drain(operation).into_iter().for_each(|step| self.expire(step, now));
                    self.collect_steps(now);
                }
            }
        }
        // No attempt can use the spare permits now.
        (self.permit, self.directory_permit) = (None, None);
        wakeup.on_directory_permit &= !wakeup.on_permit;
        if wakeup.on_permit || wakeup.on_directory_permit {
            // Other invocations may hold the permits until no call can start any more. The clock has a resolution of a
            // millisecond.
            let last_start = self.context.deadline.last_start();
            wakeup.not_later_than(last_start.map(|last| last + Duration::from_millis(1)));
        }
        wakeup.not_later_than(self.agenda.wake(now));
        wakeup.not_later_than(self.scheduler.wakes_at());
        wakeup
    }

    /// The next operation to call. The check of an instance has the operation of a directory call, but needs no permit to
    /// read one. If only one concurrent call is allowed, a directory call starts only if nothing else is ready or in
    /// flight.
    fn next_operation(
        &self,
        waits_for_pace: &[bool; Operation::ALL.len()],
        can_read_directory: bool,
    ) -> Option<Operation> {
        let is_open = |operation: Operation| {
            !waits_for_pace[operation as usize]
                && (can_read_directory || !self.agenda.is_directory_next(operation))
        };
        if self.context.shared.max_concurrent_calls > 1 {
            return self.agenda.next_operation(is_open);
        }
        let other = |operation: Operation| is_open(operation) && !self.agenda.is_directory_next(operation);
        let next = self.agenda.next_operation(other);
        next.or_else(|| self.agenda.next_operation(|next| is_open(next) && self.in_flight.is_empty()))
    }

    fn take_permit(&mut self) -> Option<OwnedSemaphorePermit> {
        self.permit.take().or_else(|| self.context.shared.permits.clone().try_acquire_owned().ok())
    }

    /// Takes a permit to read a directory. Returns whether the loop has one.
    fn take_directory_permit(&mut self) -> bool {
        if self.directory_permit.is_none() {
            self.directory_permit = self.context.shared.directory_permits.clone().try_acquire_owned().ok();
        }
        self.directory_permit.is_some()
    }

    fn start(&mut self, step: Step, slot: Slot, permit: OwnedSemaphorePermit, now: Instant) {
        self.record.attempt_started(step.is_retry());
        let Step { task, rank, wait, retry } = step;
        if let Task::ReadDirectory { directory, .. } = &task {
            self.scheduler.start_page(*directory, now);
        }
        let permits = (permit, self.directory_permit.take_if(|_| task.reads_directory()));
        let (operation, addresses) = (task.operation(), task.addresses());
        let context = *self.context;
        self.in_flight.push(Box::pin(async move {
            let result = task.attempt(context, now).await;
            FinishedAttempt { operation, addresses, rank, wait, retry, result, slot, _permits: permits }
        }));
    }

    fn finish(&mut self, finished: FinishedAttempt, now: Instant) {
        let FinishedAttempt { operation, addresses, rank, wait, retry, result, slot, .. } = finished;
        let ended = result.as_ref().map(|_| ()).map_err(|(_, rejection)| rejection);
        self.record.attempt_ended(self.context, operation, addresses, slot, ended, now);
        let (task, rejection) = match result {
            Ok(response) => return self.scheduler.record(response, now),
            Err(rejected) => rejected,
        };
        match self.context.retry(operation, retry, rejection, now) {
            Ok((due, retry)) => {
                if let Some(group) = task.group() {
                    self.scheduler.stop_waiting_for(group);
                }
                self.agenda.push_later(due, Step { task, rank, wait, retry: Some(retry) });
            }
            Err(rejected) => self.scheduler.record(StepResponse::Rejected { task, rejected }, now),
        }
    }

    /// Moves the steps that the scheduler needs next into the agenda.
    fn collect_steps(&mut self, now: Instant) {
        self.scheduler.release().into_iter().for_each(|step| self.agenda.push(step));
        while let Some(step) = self.scheduler.next_step(now) {
            let (Some(wait), Some(group)) = (step.wait, step.task.group()) else {
                self.agenda.push(step);
                continue;
            };
            let settings = self.context.limits.backoff;
            let backoff = self.room_backoffs.entry(group).or_insert_with(|| Backoff::new(settings));
            let due = now + backoff.next_wait().max(wait);
            if self.context.deadline.allows(due) {
                self.agenda.push_later(due, step);
            } else {
                let reason = "no time was left to wait for room on the queue";
                self.scheduler.end(&step.task, Failure::deadline_exceeded_after_rejection(reason), now);
            }
        }
    }

    /// Ends every step without a call. The end of a step may lead to others.
    fn end_all(&mut self, now: Instant, end: impl Fn(&mut Self, Step, Instant)) {
        while !self.agenda.is_empty() {
            self.agenda.drain_all().into_iter().for_each(|step| end(self, step, now));
            self.collect_steps(now);
        }
    }

    /// Ends a step because no time is left for its next attempt.
    fn expire(&mut self, step: Step, now: Instant) {
        let Step { task, retry, .. } = step;
        let Some(retry) = retry else {
            let reason = "the invocation ran out of time before it could make the call";
            return self.scheduler.end(&task, Failure::deadline_exceeded(reason), now);
        };
        let rejected = RejectedCall { rejection: retry.last, out_of_time: true };
        self.scheduler.record(StepResponse::Rejected { task, rejected }, now);
    }
}
