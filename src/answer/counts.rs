//! Counts the pairs of an invocation by outcome.

use std::collections::HashMap;

use serde::Serialize;

use crate::associate::DistinctPair;
use crate::pairs::Pairs;
use crate::settle::{Failures, Subject};

use super::QueueRow;

/// `associated + already_associated + planned + failed` is `distinct`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Requested pairs, repetitions included, and invalid parts.
    pub requested: usize,
    /// Distinct pairs, and invalid parts.
    pub distinct: usize,
    /// Pairs that a call associated.
    pub associated: usize,
    /// Pairs that were already on their queue.
    pub already_associated: usize,
    /// Pairs that were only planned.
    pub planned: usize,
    /// Pairs that were not associated, and invalid parts.
    pub failed: usize,
    /// Failed pairs that may succeed later for every request that contains them.
    #[serde(skip)]
    pub retryable: usize,
}

impl Counts {
    /// Adds up the rows of the queues, and the invalid parts, which belong to no queue.
    pub(crate) fn new(pairs: &Pairs, rows: &[QueueRow], failures: &Failures) -> Self {
        let sum = |count: fn(&QueueRow) -> usize| rows.iter().map(count).sum::<usize>();
        let invalid = pairs.invalid.len();
        let mut counts = Counts {
            requested: sum(|row| row.requested) + invalid,
            distinct: 0,
            associated: sum(|row| row.associated),
            already_associated: sum(|row| row.already_associated),
            planned: sum(|row| row.planned),
            failed: sum(|row| row.failed) + invalid,
            retryable: retryable(failures).into_values().filter(|retryable| *retryable).count(),
        };
        counts.distinct = counts.associated + counts.already_associated + counts.planned + counts.failed;
        counts
    }
}

/// The distinct pairs that failed. The value is true if the pair may succeed later for every request that contains it.
fn retryable(failures: &Failures) -> HashMap<DistinctPair, bool> {
    let mut failed = HashMap::new();
    for failure in failures.as_slice() {
        if let Subject::Pair { distinct, .. } = failure.subject {
            *failed.entry(distinct).or_insert(true) &= failure.retryable;
        }
    }
    failed
}
