//! The outcome of each pair of an invocation, as the calls decide it.
//!
//! A failed pair is a value, not an error, because an error concerns the invocation as a whole.

use std::sync::Arc;

use crate::failure::Failure;
use crate::index::{GroupIndex, Index, IndexList, PairIndex};

use super::plan::{Place, Plan};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A call associated the pair. The queue may have had the address before, because the API accepts such a call too.
    Associated,
    /// The function found the address on the queue.
    AlreadyAssociated,
    /// Only dry runs requested the pair.
    Planned,
    /// The pair was not associated. Many pairs may share one failure.
    Failed(Arc<Failure>),
}

#[derive(Debug)]
pub(crate) struct GroupOutcomes {
    /// The outcome of each address, in the order of the plan.
    pub by_address: Vec<Outcome>,
    /// Addresses on the queue that no request contains, without the queue's default address. Known only if the queue was
    /// checked.
    pub unrequested: Option<Vec<String>>,
}

#[derive(Debug)]
pub(crate) struct Outcomes {
    /// The outcome of each of [`Pairs::pairs`](crate::pairs::Pairs::pairs).
    pub(crate) by_pair: IndexList<PairIndex, Outcome>,
    /// For each group that was checked, the addresses on its queue that no request contains.
    pub(crate) unrequested: IndexList<GroupIndex, Option<Vec<String>>>,
}

impl Outcomes {
    /// Assigns to each pair the outcome of its place in the plan. A pair without a place gets its failure.
    pub(crate) fn new(plan: &Plan, by_group: IndexList<GroupIndex, GroupOutcomes>) -> Self {
        let outcome = |place: &Result<_, Arc<Failure>>| match place {
            Ok(Place { group, address }) => by_group[*group].by_address[address.get()].clone(),
            Err(failure) => Outcome::Failed(failure.clone()),
        };
        let by_pair = plan.places.iter().map(outcome).collect();
        Outcomes { by_pair, unrequested: by_group.into_iter().map(|group| group.unrequested).collect() }
    }

    pub(crate) fn failure(&self, pair: PairIndex) -> Option<&Arc<Failure>> {
        match &self.by_pair[pair] {
            Outcome::Failed(failure) => Some(failure),
            Outcome::Associated | Outcome::AlreadyAssociated | Outcome::Planned => None,
        }
    }
}
