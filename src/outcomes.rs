//! Outcomes: what became of each pair.
//!
//! A pair that failed is a value, not an error: errors are for the invocation as a whole.

use std::sync::Arc;

use crate::failure::Failure;
use crate::plan::{Address, Plan};

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

/// The outcomes of one group.
#[derive(Debug)]
pub struct GroupOutcomes {
    /// The outcome of each address, in the order of the plan.
    pub by_address: Vec<Outcome>,
    /// Addresses on the queue, beside its default one, that nobody asks for. Known only if the queue was checked.
    pub unrequested: Option<Vec<String>>,
}

/// What became of every pair of an invocation.
#[derive(Debug)]
pub struct Outcomes {
    /// For each group of the plan, the outcomes of its addresses that are wanted.
    pub by_group: Vec<GroupOutcomes>,
    /// For each pair as it was named.
    pub by_pair: Vec<Outcome>,
}

impl Outcomes {
    /// Finds for each pair what became of it in its group, or why it was in none.
    pub fn new(plan: &Plan, mut by_group: Vec<GroupOutcomes>) -> Self {
        let by_pair = plan
            .places
            .iter()
            .map(|place| match place {
                Ok(place) => by_group[place.group()].by_address[place.address()].clone(),
                Err(failure) => Outcome::Failed(failure.clone()),
            })
            .collect();
        for (outcomes, group) in by_group.iter_mut().zip(&plan.groups) {
            let mut addresses = group.addresses.iter();
            outcomes.by_address.retain(|_| addresses.next().is_some_and(Address::is_wanted));
        }
        Outcomes { by_group, by_pair }
    }
}
