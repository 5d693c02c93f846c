//! The function's response to the caller of the invocation.
//!
//! A batch of messages gets the list of messages to redeliver. Every other caller gets a report or an error. The
//! envelope and the outcomes of the pairs decide between a report and an error.

mod batch;
mod counts;
mod error;
mod remaining;
mod report;
mod summary;

use serde::Serialize;

pub use batch::BatchItemFailures;
pub use counts::Counts;
pub use error::InvocationError;
pub use report::{QueueRow, Report, Status};
pub(crate) use report::{queue_rows, rows_of_queues};

use crate::associate::{CallCounts, Outcomes};
use crate::index::SourceIndex;
use crate::pairs::Pairs;
use crate::payload::{Envelope, EnvelopeKind};
use crate::settle::Failures;

#[derive(Debug)]
pub(crate) struct FinishedRun<'p> {
    pub(crate) envelope: Envelope<'p>,
    pub(crate) pairs: Pairs,
    pub(crate) outcomes: Outcomes,
    pub(crate) failures: Failures,
    /// The messages to redeliver, in the order of the batch.
    pub(crate) redelivered: Vec<SourceIndex>,
    pub(crate) call_counts: CallCounts,
    pub(crate) counts: Counts,
    pub(crate) queues: Vec<QueueRow>,
}

/// The answer to an invocation that did not end in an error.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// The answer to an SQS or Pipes batch.
    Batch(BatchItemFailures),
    /// The answer to every other payload.
    Report(Box<Report>),
}

/// Chooses between the list of messages, the report, and an error if the caller must see the failures as an error.
pub(crate) fn answer(run: &FinishedRun<'_>) -> Result<Answer, InvocationError> {
    let FinishedRun { envelope, pairs, outcomes, failures, .. } = run;
    let summary = || summary::summary(failures, &run.counts);
    if envelope.kind.is_batch() {
        return Ok(Answer::Batch(BatchItemFailures::new(&envelope.sources, &run.redelivered)));
    }
    let nothing_valid = pairs.mentions.is_empty() && failures.has(|_| true);
    if nothing_valid && envelope.kind != EnvelopeKind::DistributedMap {
        return Err(InvocationError::InvalidRequest(summary()));
    }
    let asynchronous = envelope.kind.is_asynchronous();
    if failures.has(|entry| entry.retryable && (asynchronous || entry.options.fail_on_retryable)) {
        return Err(InvocationError::RetryableFailure(summary()));
    }
    let permanent_is_error =
        failures.has(|entry| !entry.retryable && (asynchronous || entry.options.fail_on_permanent));
    if permanent_is_error && !failures.has(|entry| entry.retryable) {
        return Err(InvocationError::PermanentFailure(summary()));
    }
    let remaining = if asynchronous { Ok(None) } else { remaining::remaining(failures, pairs) };
    match remaining.ok().and_then(|remaining| Report::shortened(run).with_remaining(remaining)) {
        Some(report) => {
            let report = report.with_already_associated(remaining::already_associated(pairs, outcomes));
            Ok(Answer::Report(Box::new(report)))
        }
        // The remaining request is never shortened. If it does not fit, the caller has to send the whole request again.
        None => Err(InvocationError::RetryableFailure(summary())),
    }
}
