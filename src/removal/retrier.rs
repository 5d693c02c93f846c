//! Makes one call at a time, with its retries, at the pace of its operation and before the deadline.

use std::cell::{Cell, RefCell};

use tokio::time::{Instant, sleep_until, timeout};

use crate::associate::pace::Turn;
use crate::associate::{CallLimits, Credentials, Deadline, Observer, ProcessLimits, Tally};
use crate::backoff::Backoff;
use crate::connect::{Class, Connect, Operation, RejectedCall, Rejection};

/// Makes calls with the rules of associations: the same retries, backoff, pace and time limits.
pub(super) struct Retrier<'a> {
    pub(super) connect: &'a Connect,
    shared: &'a ProcessLimits,
    limits: CallLimits,
    deadline: Deadline,
    observer: &'a dyn Observer,
    credentials: RefCell<Credentials>,
    tally: Cell<Tally>,
}

/// Why a call did not succeed.
#[derive(Debug)]
pub(super) enum CallError {
    /// The time ended before the first attempt could start.
    NoTime,
    /// The API rejected the call, and a retry cannot help or would be too late.
    Rejected(RejectedCall),
}

impl<'a> Retrier<'a> {
    pub(super) fn new(
        connect: &'a Connect,
        shared: &'a ProcessLimits,
        limits: CallLimits,
        deadline: Deadline,
        observer: &'a dyn Observer,
    ) -> Self {
        Retrier {
            connect,
            shared,
            limits,
            deadline,
            observer,
            credentials: RefCell::default(),
            tally: Cell::default(),
        }
    }

    /// Number of calls so far.
    pub(super) fn tally(&self) -> Tally {
        self.tally.get()
    }

    /// Makes a call. `addresses` is the number of addresses that it changes.
    ///
    /// # Errors
    /// Returns the last rejection after all retries, or [`CallError::NoTime`].
    pub(super) async fn call<T>(
        &self,
        operation: Operation,
        addresses: usize,
        attempt: impl AsyncFn() -> Result<T, Rejection>,
    ) -> Result<T, CallError> {
        let mut backoff = Backoff::new(self.limits.backoff);
        let mut last: Option<Rejection> = None;
        let mut maybe_done = false;
        let mut attempts = 0;
        loop {
            let stopped_by = self.credentials.borrow().stopped_by().cloned();
            if let Some(rejection) = stopped_by {
                return Err(CallError::Rejected(RejectedCall { rejection, out_of_time: false, maybe_done }));
            }
            let Some(turn) = self.turn(operation).await else {
                return Err(last.map_or(CallError::NoTime, |rejection| {
                    CallError::Rejected(RejectedCall { rejection, out_of_time: true, maybe_done })
                }));
            };
            self.count(|tally| {
                tally.api_calls += 1;
                tally.retries += u64::from(attempts > 0);
            });
            attempts += 1;
            let time = self.deadline.time_for_call(Instant::now(), self.limits.call_timeout);
            let result = timeout(time, attempt()).await.unwrap_or_else(|_| Err(Rejection::timed_out(time)));
            self.observer.attempt_ended(operation, addresses, result.as_ref().map(|_| ()));
            self.learn(operation, turn, result.as_ref().err());
            let rejection = match result {
                Ok(answer) => return Ok(answer),
                Err(rejection) => rejection,
            };
            if !rejection.class.is_retried() || attempts >= self.limits.max_attempts {
                return Err(CallError::Rejected(RejectedCall { rejection, out_of_time: false, maybe_done }));
            }
            maybe_done |= rejection.class == Class::Unavailable;
            let due = Instant::now() + backoff.next_wait().max(rejection.retry_after.unwrap_or_default());
            if !self.deadline.allows(due) {
                return Err(CallError::Rejected(RejectedCall { rejection, out_of_time: true, maybe_done }));
            }
            last = Some(rejection);
            sleep_until(due).await;
        }
    }

    /// Waits for a turn of the pace, or returns `None` if it would come too late.
    async fn turn(&self, operation: Operation) -> Option<Turn> {
        loop {
            let now = Instant::now();
            if !self.deadline.allows(now) {
                return None;
            }
            match self.shared.pace(operation).take(now) {
                Ok(turn) => return Some(turn),
                Err(at) if self.deadline.allows(at) => sleep_until(at).await,
                Err(_) => return None,
            }
        }
    }

    /// Adjusts the pace and what is known about the credentials.
    fn learn(&self, operation: Operation, turn: Turn, rejection: Option<&Rejection>) {
        let (pace, now) = (self.shared.pace(operation), Instant::now());
        match rejection.map(|rejection| rejection.class) {
            Some(Class::Throttled) => {
                self.count(|tally| tally.throttled_calls += 1);
                pace.throttled(turn, now);
            }
            Some(Class::Unavailable) => {}
            _ => pace.not_throttled(turn, now),
        }
        match rejection {
            Some(rejection) if rejection.class == Class::Credentials => {
                self.credentials.borrow_mut().rejected(rejection);
            }
            Some(rejection) if !rejection.is_response() => {}
            _ => self.credentials.borrow_mut().accepted(),
        }
    }

    fn count(&self, change: impl FnOnce(&mut Tally)) {
        let mut tally = self.tally.get();
        change(&mut tally);
        self.tally.set(tally);
    }
}
