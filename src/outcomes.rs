//! The outcomes of all pairs of an invocation.

use std::sync::Arc;

use crate::associate::{GroupOutcomes, Outcome, Place, Plan};
use crate::failure::Failure;
use crate::index::{GroupIndex, Index, IndexList, PairIndex};

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
