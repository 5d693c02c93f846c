//! Outcomes: what became of each pair.
//!
//! A pair that failed is a value, not an error: errors are for the invocation as a whole.

use std::sync::Arc;

use crate::failure::{Blame, Failure};
use crate::pairs::Pairs;
use crate::plan::{Plan, Resolved};

/// What became of one pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A call associated it (or would have found it associated already, which the API does not tell).
    Associated,
    /// It was found on the queue.
    AlreadyAssociated,
    /// It was only asked for in dry runs.
    Planned,
    /// It was not associated. One failure may explain many pairs.
    Failed(Arc<Failure>),
}

/// What became of every pair of an invocation.
#[derive(Debug)]
pub struct Outcomes {
    /// For each group of the plan, what became of each of its addresses.
    pub by_group: Vec<Vec<Outcome>>,
    /// For each pair as it was named.
    pub by_pair: Vec<Outcome>,
}

impl Outcomes {
    /// Finds for each pair what became of it in its group, or why it was in none.
    pub fn new(plan: &Plan, by_group: Vec<Vec<Outcome>>) -> Self {
        let by_pair = plan
            .places
            .iter()
            .map(|place| match place {
                Ok(place) => by_group[place.group()][place.address()].clone(),
                Err(failure) => Outcome::Failed(failure.clone()),
            })
            .collect();
        Outcomes { by_group, by_pair }
    }

    /// The identifiers of a second round: those of `resolved` for the pairs that the API refused for theirs, those of the
    /// plan for all others. So what was done stays done under the identifiers that it was done with.
    pub fn keep_in(&self, mut resolved: Resolved, pairs: &Pairs, plan: &Plan) -> Resolved {
        let blamed = |outcome: &Outcome| match outcome {
            Outcome::Failed(failure) => failure.blame != Blame::Nothing,
            _ => false,
        };
        // A pair that was associated shows that the queue's identifier is right, whatever was said of others.
        let mut associated = vec![false; pairs.queues.len()];
        let mut refused = vec![false; pairs.queues.len()];
        for (pair, outcome) in pairs.pairs.iter().zip(&self.by_pair) {
            match outcome {
                Outcome::Associated | Outcome::AlreadyAssociated => associated[pair.queue()] = true,
                Outcome::Failed(failure) => refused[pair.queue()] |= failure.blame.queue(),
                Outcome::Planned => {}
            }
        }
        let keeps_queue = |number: usize| associated[number] || !refused[number];
        for (number, group) in plan.group_of.iter().enumerate().filter(|(number, _)| keeps_queue(*number)) {
            resolved.queues[number] = group.clone().map(|group| plan.groups[group].queue.clone());
        }
        for (number, _) in self.by_pair.iter().enumerate().filter(|(_, outcome)| !blamed(outcome)) {
            let place = plan.places[number].clone();
            resolved.addresses[number] =
                place.map(|place| plan.groups[place.group()].addresses[place.address()].id.clone());
        }
        resolved
    }
}

#[cfg(test)]
mod tests;
