//! The results of all pairs of an invocation.

use std::sync::Arc;

use crate::associate::{GroupOutcomes, Outcome, Plan, PlannedAddress};
use crate::failure::Failure;
use crate::index::{GroupIndex, Index, IndexList, PairIndex};

/// The results of all pairs of an invocation.
#[derive(Debug)]
pub(crate) struct Outcomes {
    /// For each group of the plan, the outcomes of its addresses, without addresses that no source requests.
    pub(crate) by_group: IndexList<GroupIndex, GroupOutcomes>,
    /// For each pair of [`Pairs::pairs`](crate::pairs::Pairs::pairs), its outcome.
    pub(crate) by_pair: IndexList<PairIndex, Outcome>,
}

impl Outcomes {
    /// Assigns to each pair the outcome of its place in the plan. A pair without a place gets its failure.
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
            outcomes.by_address.retain(|_| addresses.next().is_some_and(PlannedAddress::is_wanted));
        }
        Outcomes { by_group, by_pair }
    }

    /// Why a pair failed, or `None` if it did not.
    pub(crate) fn failure(&self, pair: PairIndex) -> Option<&Arc<Failure>> {
        match &self.by_pair[pair] {
            Outcome::Failed(failure) => Some(failure),
            Outcome::Associated | Outcome::AlreadyAssociated | Outcome::Planned => None,
        }
    }
}
