//! Counts the pairs of an invocation by outcome.

use std::collections::HashMap;

use serde::Serialize;

use crate::associate::{DistinctPair, Outcome};
use crate::outcomes::Outcomes;
use crate::pairs::Pairs;
use crate::settle::{Failures, Subject};

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
    /// Counts the pairs of an invocation. The failures supply the number of failed pairs.
    pub(crate) fn new(pairs: &Pairs, outcomes: &Outcomes, failures: &Failures) -> Self {
        let mut counts =
            Counts { requested: pairs.mentions.len() + pairs.invalid.len(), ..Counts::default() };
        outcomes.by_group.iter().flat_map(|group| &group.by_address).for_each(|outcome| counts.add(outcome));
        let retryable = retryable(failures);
        counts.failed = retryable.len() + pairs.invalid.len();
        counts.retryable = retryable.into_values().filter(|retryable| *retryable).count();
        counts.distinct = counts.associated + counts.already_associated + counts.planned + counts.failed;
        counts
    }

    fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Associated => self.associated += 1,
            Outcome::AlreadyAssociated => self.already_associated += 1,
            Outcome::Planned => self.planned += 1,
            Outcome::Failed(_) => {}
        }
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
