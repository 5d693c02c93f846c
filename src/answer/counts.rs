//! Counts: how many pairs of an invocation came to what.

use std::collections::HashMap;

use serde::Serialize;

use crate::outcomes::{Outcome, Outcomes};
use crate::pairs::Pairs;
use crate::payload::Source;
use crate::plan::{Place, Plan};

/// `associated + already_associated + planned + failed` is `distinct`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Pairs asked for, repetitions included, and everything invalid.
    pub requested: usize,
    /// Different pairs, and everything invalid.
    pub distinct: usize,
    /// Pairs that a call associated.
    pub associated: usize,
    /// Pairs that were found on their queue.
    pub already_associated: usize,
    /// Pairs that only dry runs ask for.
    pub planned: usize,
    /// Pairs that were not associated, and everything invalid.
    pub failed: usize,
    /// Of the failed ones, those that may succeed later, whoever asked for them.
    #[serde(skip)]
    pub retryable: usize,
}

impl Counts {
    /// Counts the pairs of an invocation.
    pub fn new(sources: &[Source<'_>], pairs: &Pairs, plan: &Plan, outcomes: &Outcomes) -> Self {
        let mut counts = Counts { requested: pairs.asks.len() + pairs.invalid.len(), ..Counts::default() };
        outcomes.by_group.iter().flatten().for_each(|outcome| counts.add(outcome));
        counts.failed += plan.places.iter().filter(|place| place.is_err()).count() + pairs.invalid.len();
        counts.retryable = retryable(sources, pairs, plan, outcomes);
        counts.distinct = counts.associated + counts.already_associated + counts.planned + counts.failed;
        counts
    }

    fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Associated => self.associated += 1,
            Outcome::AlreadyAssociated => self.already_associated += 1,
            Outcome::Planned => self.planned += 1,
            Outcome::Failed(_) => self.failed += 1,
        }
    }
}

/// How many of the failed pairs may succeed later for everybody who asked for them.
fn retryable(sources: &[Source<'_>], pairs: &Pairs, plan: &Plan, outcomes: &Outcomes) -> usize {
    let mut failed: HashMap<(Option<Place>, usize), bool> = HashMap::new();
    for ask in &pairs.asks {
        let Outcome::Failed(failure) = &outcomes.by_pair[ask.pair()] else { continue };
        // Two names of one pair share its place; a pair without a place is known by its name.
        let key = match &plan.places[ask.pair()] {
            Ok(place) => (Some(*place), 0),
            Err(_) => (None, ask.pair()),
        };
        let first_delivery = sources[pairs.source_of(ask)].delivery.is_first();
        *failed.entry(key).or_insert(true) &= failure.is_retryable(first_delivery);
    }
    failed.into_values().filter(|retryable| *retryable).count()
}
