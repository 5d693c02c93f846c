//! Everything that is known after a run.

use crate::associate::{Plan, Tally};
use crate::index::SourceIndex;
use crate::outcomes::Outcomes;
use crate::pairs::Pairs;
use crate::payload::Envelope;
use crate::settle::Failures;

use super::report::{add_up, queue_rows};
use super::{Counts, QueueRow};

/// A finished run: what was requested, and what became of it.
#[derive(Debug)]
pub(crate) struct FinishedRun<'p> {
    pub(crate) envelope: Envelope<'p>,
    pub(crate) pairs: Pairs,
    pub(crate) outcomes: Outcomes,
    pub(crate) failures: Failures,
    /// The messages to redeliver, in the order of the batch.
    pub(crate) redelivered: Vec<SourceIndex>,
    pub(crate) tally: Tally,
    pub(crate) counts: Counts,
    /// The queues, in the order in which requests first name them.
    pub(crate) queues: Vec<QueueRow>,
}

impl<'p> FinishedRun<'p> {
    /// Counts the outcomes of a run.
    pub(crate) fn new(
        envelope: Envelope<'p>,
        pairs: Pairs,
        plan: &Plan,
        outcomes: Outcomes,
        settled: (Failures, Vec<SourceIndex>),
        tally: Tally,
    ) -> Self {
        let (failures, redelivered) = settled;
        let counts = Counts::new(&pairs, &outcomes, &failures);
        let queues = queue_rows(&pairs, plan, &outcomes);
        debug_assert!(add_up(&queues, pairs.invalid.len(), &counts), "{counts:?} of {queues:#?}");
        FinishedRun { envelope, pairs, outcomes, failures, redelivered, tally, counts, queues }
    }
}
