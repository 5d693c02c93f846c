//! Outcomes: the result of each pair.
//!
//! A failed pair is a value, not an error, because an error concerns the invocation as a whole.

use std::sync::Arc;

use crate::failure::Failure;
use crate::index::{GroupIndex, Index, IndexList, PairIndex};
use crate::plan::{Address, Plan};

/// The result of one pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A call associated the pair. The queue may have had the address before, because the API accepts such a call too.
    Associated,
    /// The function found the address on the queue.
    AlreadyAssociated,
    /// Only dry runs asked for the pair.
    Planned,
    /// The pair was not associated. Many pairs may share one failure.
    Failed(Arc<Failure>),
}

/// The outcomes of one group.
#[derive(Debug)]
pub(crate) struct GroupOutcomes {
    /// The outcome of each address, in the order of the plan.
    pub by_address: Vec<Outcome>,
    /// Addresses on the queue that no request names, without the queue's default address. Known only if the queue was
    /// checked.
    pub unrequested: Option<Vec<String>>,
}

/// The results of all pairs of an invocation.
#[derive(Debug)]
pub(crate) struct Outcomes {
    /// For each group of the plan, the outcomes of its addresses, without those that no source asks for.
    pub(crate) by_group: IndexList<GroupIndex, GroupOutcomes>,
    /// For each pair of [`Pairs::pairs`](crate::pairs::Pairs::pairs), its outcome.
    pub(crate) by_pair: IndexList<PairIndex, Outcome>,
}

impl Outcomes {
    /// Gives each pair the outcome of its place in the plan. A pair without a place gets its failure.
    pub(crate) fn new(plan: &Plan, mut by_group: IndexList<GroupIndex, GroupOutcomes>) -> Self {
        let by_pair = plan
            .places
            .iter()
            .map(|place| match place {
                Ok(place) => by_group[place.group].by_address[place.address.get()].clone(),
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
