//! Groups pairs by queue. The addresses of a group are cut into chunks, and each chunk is one API call.
//!
//! The number of chunks is the number of calls if nothing fails: the sum over queues of ceil(addresses / 50). Pairs
//! whose names are still being looked up join the plan later.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::associate::names::LookupResults;
use crate::associate::order::CHUNK;
use crate::failure::Failure;
use crate::index::{AddressIndex, GroupIndex, IndexList, PairIndex, QueueIndex, SourceIndex};
use crate::pairs::{Pair, Pairs};
use crate::requests::{EmailAddressId, InstanceId, Intent, Named, QueueId};

mod chunks;

pub(crate) use chunks::{AddedChunks, PlannedChunk};

/// The groups of an invocation.
#[derive(Debug, Default)]
pub struct Plan {
    /// One group for each queue, in the order in which the queues were first requested.
    pub(crate) groups: IndexList<GroupIndex, Group>,
    /// The group of each of [`Pairs::queues`], or the failure to find the queue.
    pub(crate) group_of: IndexList<QueueIndex, Result<GroupIndex, Arc<Failure>>>,
    /// The place of each of [`Pairs::pairs`] in a group, or the failure of a pair without a place.
    pub(crate) places: IndexList<PairIndex, Result<Place, Arc<Failure>>>,
    /// Groups by instance and queue, and addresses by group and identifier. Both are empty if callers gave only identifiers.
    group_index: HashMap<(InstanceId, QueueId), GroupIndex>,
    address_index: HashMap<(GroupIndex, EmailAddressId), AddressIndex>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub group: GroupIndex,
    pub address: AddressIndex,
}

/// One of the distinct pairs of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum DistinctPair {
    Placed(Place),
    /// The pair has no place.
    Named(PairIndex),
}

/// All pairs of the invocation with the same instance and queue.
#[derive(Debug)]
pub(crate) struct Group {
    pub instance: InstanceId,
    pub queue: QueueId,
    /// The distinct addresses, in the order in which they were first requested. An address whose name was found later is
    /// at the end.
    pub addresses: IndexList<AddressIndex, PlannedAddress>,
    /// Whether a request checks the queue. The group may have no addresses.
    pub is_checked: bool,
    /// Number of calls of the smallest request that checks the queue. The list of a queue counts as one call.
    pub check_request_calls: usize,
}

#[derive(Debug)]
pub(crate) struct PlannedAddress {
    pub id: EmailAddressId,
    /// The greatest intent of the requests for the address. [`Intent`] is ordered from planning to associating.
    pub intent: Intent,
    /// The sources that request the address. Empty if every name with this identifier has another one now.
    pub sources: Sources,
    /// The first pair with the address.
    pub(crate) first_pair: PairIndex,
}

/// The sources that request an address, each once, in order. Nearly every address has one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sources {
    None,
    One(SourceIndex),
    /// The list is boxed, because a large plan has this enum once for each address.
    #[allow(clippy::box_collection, reason = "a list in place would make every address eight bytes larger")]
    Many(Box<Vec<SourceIndex>>),
}

impl PlannedAddress {
    /// Whether a source requests the address.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.sources.as_slice().is_empty()
    }
}

impl Group {
    /// Adds an address without sources, and returns its position.
    fn push(&mut self, id: EmailAddressId, first_pair: PairIndex) -> AddressIndex {
        self.addresses.push(PlannedAddress { id, intent: Intent::Plan, sources: Sources::None, first_pair })
    }

    /// Number of calls that the group needs if nothing fails. If only dry runs request its addresses, it is the number
    /// that a live run would need.
    pub(crate) fn calls_needed(&self) -> usize {
        let wanted = || self.addresses.iter().filter(|address| address.is_wanted());
        match wanted().filter(|address| !address.intent.is_dry()).count() {
            0 => wanted().count().div_ceil(CHUNK),
            live => live.div_ceil(CHUNK),
        }
    }
}

impl Plan {
    /// Groups the pairs whose identifiers are known, from their requests or from `found`. `unread` is the failure of all
    /// other pairs. The lists in `found` are in the order of the indices. Returns the chunks to associate, too.
    pub(crate) fn new(pairs: &Pairs, found: LookupResults, unread: &Arc<Failure>) -> (Self, AddedChunks) {
        let mut plan = Plan::default();
        plan.group_of.reserve_exact(pairs.queues.len());
        plan.group_index.reserve(pairs.queues.len());
        let mut found_queues = found.queues.into_iter().peekable();
        for (index, queue) in pairs.queues.indexed() {
            let id = match (found_queues.next_if(|(found, _)| *found == index), &queue.queue) {
                (Some((_, id)), _) => id,
                (None, Named::Id(id)) => Ok(id.clone()),
                (None, Named::Name(_)) => Err(unread.clone()),
            };
            let group = id.map(|id| plan.group(&queue.instance, id));
            plan.group_of.push(group);
        }
        // Pairs are distinct as callers gave them. Two of them can be the same only if one was given by name.
        let names = pairs.has_names();
        if !names {
            plan.group_index = HashMap::new();
        }
        plan.reserve_addresses(pairs);
        plan.places.reserve_exact(pairs.pairs.len());
        let mut found_pairs = found.pairs.into_iter().peekable();
        for (index, pair) in pairs.pairs.indexed() {
            let id = match (found_pairs.next_if(|(found, _)| *found == index), pair) {
                (Some((_, id)), _) => id,
                (None, Pair::Id(_, id)) => Ok(id.clone()),
                (None, Pair::Name(..)) => Err(unread.clone()),
            };
            let place = plan.group_of[pair.queue()].clone().and_then(|group| {
                let id = id?;
                let address = match names {
                    true => plan.address(group, id, index),
                    false => plan.groups[group].push(id, index),
                };
                Ok(Place { group, address })
            });
            plan.places.push(place);
        }
        debug_assert!(
            found_queues.next().is_none() && found_pairs.next().is_none(),
            "the lists are in order"
        );
        plan.mark_checked(pairs);
        let added = plan.add_chunks(pairs, |_| true);
        (plan, added)
    }

    /// Groups pairs that have identifiers only, and no names.
    pub fn of_identifiers(pairs: &Pairs) -> (Self, AddedChunks) {
        let no_names = Arc::new(Failure::deadline_exceeded("the pairs have no names"));
        Plan::new(pairs, LookupResults::default(), &no_names)
    }

    /// Adds the pairs that were found, and records the failures of the others. Returns the chunks to associate.
    pub(crate) fn join(&mut self, pairs: &Pairs, found: LookupResults) -> AddedChunks {
        for (queue, id) in found.queues {
            self.group_of[queue] = id.map(|id| self.group(&pairs.queues[queue].instance, id));
        }
        let mut joined: HashSet<PairIndex> = HashSet::with_capacity(found.pairs.len());
        for (pair, id) in found.pairs {
            let group = self.group_of[pairs.pairs[pair].queue()].clone();
            self.places[pair] = group.and_then(|group| {
                let address = self.address(group, id?, pair);
                joined.insert(pair);
                Ok(Place { group, address })
            });
        }
        self.mark_checked(pairs);
        self.add_chunks(pairs, |pair| joined.contains(&pair))
    }

    /// Removes a pair from its place. [`Plan::remove_unwanted`] then removes its address.
    pub(crate) fn remove(&mut self, pair: PairIndex, why: Arc<Failure>) {
        self.places[pair] = Err(why);
    }

    /// Removes the addresses from the plan whose pairs were all removed.
    pub(crate) fn remove_unwanted(&mut self) {
        let wanted: HashSet<Place> = self.places.iter().flatten().copied().collect();
        for (group, planned) in self.groups.indexed_mut() {
            for (index, address) in planned.addresses.indexed_mut() {
                if !wanted.contains(&Place { group, address: index }) {
                    (address.intent, address.sources) = (Intent::Plan, Sources::None);
                }
            }
        }
    }

    /// The instance, queue and address at a place.
    pub(crate) fn identifiers(&self, place: Place) -> (&str, &str, &str) {
        let group = &self.groups[place.group];
        (&group.instance, &group.queue, &group.addresses[place.address].id)
    }

    /// Returns the distinct pair of a requested pair. Pairs whose names turn out to have the same identifiers share one
    /// place. A pair without a place is distinct by its names.
    pub(crate) fn distinct(&self, pair: PairIndex) -> DistinctPair {
        match &self.places[pair] {
            Ok(place) => DistinctPair::Placed(*place),
            Err(_) => DistinctPair::Named(pair),
        }
    }

    /// Returns the group of a queue, which is added if it is new.
    fn group(&mut self, instance: &InstanceId, queue: QueueId) -> GroupIndex {
        let next = self.groups.next_index();
        let group = *self.group_index.entry((instance.clone(), queue.clone())).or_insert(next);
        if group == next {
            let instance = instance.clone();
            self.groups.push(Group {
                instance,
                queue,
                addresses: IndexList::default(),
                is_checked: false,
                check_request_calls: usize::MAX,
            });
        }
        group
    }

    /// Returns the position of an address in its group. The address is added if it is new.
    fn address(&mut self, group: GroupIndex, id: EmailAddressId, first_pair: PairIndex) -> AddressIndex {
        let next = self.groups[group].addresses.next_index();
        let address = *self.address_index.entry((group, id.clone())).or_insert(next);
        if address == next {
            self.groups[group].push(id, first_pair);
        }
        address
    }

    /// Reserves the exact memory for the addresses of each group. A list that grows is copied, and its old memory is
    /// fragmented.
    fn reserve_addresses(&mut self, pairs: &Pairs) {
        let mut counts = IndexList::from(vec![0; self.groups.len()]);
        for group in pairs.pairs.iter().filter_map(|pair| self.group_of[pair.queue()].as_ref().ok()) {
            counts[*group] += 1;
        }
        for (group, count) in self.groups.iter_mut().zip(counts) {
            group.addresses.reserve_exact(count);
        }
    }

    fn mark_checked(&mut self, pairs: &Pairs) {
        for mention in &pairs.mentions {
            if pairs.requests[mention.request].options.intent == Intent::Check
                && let Ok(group) = self.group_of[pairs.pairs[mention.pair].queue()]
            {
                self.groups[group].is_checked = true;
            }
        }
    }
}

impl Sources {
    pub(crate) fn as_slice(&self) -> &[SourceIndex] {
        match self {
            Sources::None => &[],
            Sources::One(source) => std::slice::from_ref(source),
            Sources::Many(sources) => sources,
        }
    }

    /// Adds a source. The list may contain a source twice if sources arrive out of order.
    fn add(&mut self, source: SourceIndex) {
        match self {
            Sources::None => *self = Sources::One(source),
            Sources::One(only) if *only == source => {}
            Sources::One(only) => *self = Sources::Many(Box::new(vec![*only, source])),
            Sources::Many(sources) if sources.last() == Some(&source) => {}
            Sources::Many(sources) => sources.push(source),
        }
    }
}

#[cfg(test)]
mod tests;
