//! The result of each pair after the calls.

use crate::calls::{GroupOutcomes, Outcome};
use crate::index::{GroupIndex, Index, IndexList, PairIndex};
use crate::plan::{Address, Plan};

/// The results of all pairs of an invocation.
#[derive(Debug)]
pub(crate) struct Outcomes {
    /// For each group of the plan, the outcomes of its addresses, without addresses that no source requests.
    pub(crate) by_group: IndexList<GroupIndex, GroupOutcomes>,
    /// For each pair of [`Pairs::pairs`](crate::pairs::Pairs::pairs), its outcome.
    pub(crate) by_pair: IndexList<PairIndex, Outcome>,
}

impl Outcomes {
    /// Looks up the outcome of each pair at its place in the plan. A pair without a place has its failure.
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
