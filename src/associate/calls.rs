//! The rules that all calls of an invocation share: their limits, their counts, and when a rejected call is retried.

use std::future::Future;
use std::ops::AddAssign;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::backoff::{Backoff, WaitBounds};
use crate::connect::{Class, Connect, Operation, RejectedCall, Rejection};

use super::deadline::Deadline;
use super::pace::Slot;
use super::process_limits::ProcessLimits;

/// Limits for each call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    pub(crate) backoff: WaitBounds,
    /// Maximum number of attempts of one call, including the first.
    pub(crate) max_attempts: u32,
    /// Timeout of one attempt.
    pub call_timeout: Duration,
}

/// The call counters of an invocation. Each attempt counts as a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CallCounts {
    pub api_calls: u64,
    pub throttled_calls: u64,
    /// Attempts after the first one of a call.
    pub retries: u64,
}

impl AddAssign for CallCounts {
    fn add_assign(&mut self, other: Self) {
        self.api_calls += other.api_calls;
        self.throttled_calls += other.throttled_calls;
        self.retries += other.retries;
    }
}

/// Observes the calls of an invocation, for example to show progress.
pub trait Observer: Send + Sync {
    /// Records the end of an attempt. `addresses` is the number of addresses to associate, or zero if the call only
    /// reads.
    fn attempt_ended(&self, operation: Operation, addresses: usize, result: Result<(), &Rejection>);
}

#[derive(Clone, Copy)]
pub(crate) struct CallContext<'a> {
    pub connect: &'a Connect,
    /// The limits that all invocations of the process share.
    pub shared: &'a ProcessLimits,
    pub limits: CallLimits,
    /// The time by which calls must have ended.
    pub deadline: Deadline,
    pub observer: Option<&'a dyn Observer>,
}

/// What a call needs to know of its rejected attempts to be retried.
#[derive(Debug)]
pub(crate) struct RetryState {
    attempts: u32,
    backoff: Backoff,
    pub(crate) last: Rejection,
}

impl CallContext<'_> {
    /// Makes one attempt of a call, with its timeout.
    pub(crate) async fn attempt<T>(
        &self,
        now: Instant,
        call: impl Future<Output = Result<T, Rejection>>,
    ) -> Result<T, Rejection> {
        let time = self.deadline.time_for_call(now, self.limits.call_timeout);
        timeout(time, call).await.unwrap_or_else(|_| Err(Rejection::timed_out(time)))
    }

    /// Returns the time of the next attempt of a rejected call, or the rejection if a retry cannot help or would be too late.
    pub(crate) fn retry(
        &self,
        operation: Operation,
        earlier: Option<Box<RetryState>>,
        rejection: Rejection,
        now: Instant,
    ) -> Result<(Instant, Box<RetryState>), RejectedCall> {
        let attempts = earlier.as_ref().map_or(0, |earlier| earlier.attempts) + 1;
        tracing::debug!(
            %operation, attempt = attempts, error = rejection.code, class = ?rejection.class, "call rejected"
        );
        if !rejection.class.is_retried() || attempts >= self.limits.max_attempts {
            return Err(RejectedCall { rejection, out_of_time: false });
        }
        let mut backoff =
            earlier.map_or_else(|| Backoff::new(self.limits.backoff), |earlier| earlier.backoff);
        let due = now + backoff.next_wait().max(rejection.retry_after.unwrap_or_default());
        if !self.deadline.allows(due) {
            return Err(RejectedCall { rejection, out_of_time: true });
        }
        Ok((due, Box::new(RetryState { attempts, backoff, last: rejection })))
    }
}

/// What an invocation learns from all of its calls.
#[derive(Debug, Default)]
pub(crate) struct CallRecord {
    pub(crate) counts: CallCounts,
    pub(crate) credentials: Credentials,
}

impl CallRecord {
    pub(crate) fn attempt_started(&mut self, is_retry: bool) {
        self.counts.api_calls += 1;
        self.counts.retries += u64::from(is_retry);
    }

    /// Records the end of an attempt, also for the pace of its operation. `addresses` is as for
    /// [`Observer::attempt_ended`].
    pub(crate) fn attempt_ended(
        &mut self,
        context: &CallContext<'_>,
        operation: Operation,
        addresses: usize,
        slot: Slot,
        result: Result<(), &Rejection>,
        now: Instant,
    ) {
        if let Some(observer) = context.observer {
            observer.attempt_ended(operation, addresses, result);
        }
        self.credentials.attempt_ended(result);
        let pace = context.shared.pace(operation);
        match result.map_err(|rejection| rejection.class) {
            Err(Class::Throttled) => {
                self.counts.throttled_calls += 1;
                pace.throttled(slot, now);
            }
            // Without a response, it is not known whether the API would have throttled the call.
            Err(Class::Unavailable) => {}
            Ok(()) | Err(_) => pace.not_throttled(slot, now),
        }
    }
}

/// Rejections of the credentials in a row after which the invocation makes no more calls. A single one may be an
/// accident.
const REJECTIONS_TO_STOP: u32 = 2;

/// Whether the API accepts the credentials of an invocation.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    rejections_in_a_row: u32,
    /// The reason why all remaining pairs fail, or `None` while calls are made.
    pub(crate) stopped_by: Option<Rejection>,
}

impl Credentials {
    /// Records the end of an attempt. An attempt without a response shows nothing about the credentials.
    fn attempt_ended(&mut self, result: Result<(), &Rejection>) {
        match result {
            Err(rejection) if rejection.class == Class::Credentials => {
                self.rejections_in_a_row += 1;
                if self.rejections_in_a_row >= REJECTIONS_TO_STOP {
                    self.stopped_by.get_or_insert_with(|| rejection.clone());
                }
            }
            Err(rejection) if !rejection.is_response() => {}
            Ok(()) | Err(_) => self.rejections_in_a_row = 0,
        }
    }
}
