//! Makes one call at a time, with its retries, at the pace of its operation and before the deadline.

use std::cell::RefCell;

use tokio::time::{Instant, sleep_until};

use crate::associate::pace::Slot;
use crate::associate::{CallContext, CallCounts, CallRecord, RetryState};
use crate::connect::{Operation, RejectedCall, Rejection};

/// Makes calls with the rules of associations: the same retries, backoff, pace and time limits.
pub(super) struct Retrier<'a> {
    pub(super) context: CallContext<'a>,
    record: RefCell<CallRecord>,
}

#[derive(Debug)]
pub(super) enum CallError {
    /// The time ended before the first attempt could start.
    NoTime,
    /// The API rejected the call, and a retry cannot help or would be too late.
    Rejected(RejectedCall),
}

impl<'a> Retrier<'a> {
    pub(super) fn new(context: CallContext<'a>) -> Self {
        Retrier { context, record: RefCell::default() }
    }

    pub(super) fn counts(&self) -> CallCounts {
        self.record.borrow().counts
    }

    /// Makes a call, with its retries. `addresses` is the number of addresses that it changes.
    pub(super) async fn call<T>(
        &self,
        operation: Operation,
        addresses: usize,
        attempt: impl AsyncFn() -> Result<T, Rejection>,
    ) -> Result<T, CallError> {
        let mut retry = None;
        loop {
            let stopped_by = self.record.borrow().credentials.stopped_by.clone();
            if let Some(rejection) = stopped_by {
                return Err(CallError::Rejected(RejectedCall { rejection, out_of_time: false }));
            }
            let Some(slot) = self.slot(operation).await else {
                return Err(retry.map_or(CallError::NoTime, |retry: Box<RetryState>| {
                    CallError::Rejected(RejectedCall { rejection: retry.last, out_of_time: true })
                }));
            };
            self.record.borrow_mut().attempt_started(retry.is_some());
            let result = self.context.attempt(Instant::now(), attempt()).await;
            let (ended, now) = (result.as_ref().map(|_| ()), Instant::now());
            self.record.borrow_mut().attempt_ended(&self.context, operation, addresses, slot, ended, now);
            let rejection = match result {
                Ok(response) => return Ok(response),
                Err(rejection) => rejection,
            };
            let (due, state) =
                self.context.retry(operation, retry, rejection, now).map_err(CallError::Rejected)?;
            retry = Some(state);
            sleep_until(due).await;
        }
    }

    /// Waits for a slot of the pace, or returns `None` if it would come too late.
    async fn slot(&self, operation: Operation) -> Option<Slot> {
        loop {
            let now = Instant::now();
            if !self.context.deadline.allows(now) {
                return None;
            }
            match self.context.shared.pace(operation).take(now) {
                Ok(slot) => return Some(slot),
                Err(at) if self.context.deadline.allows(at) => sleep_until(at).await,
                Err(_) => return None,
            }
        }
    }
}
