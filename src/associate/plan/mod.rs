//! Groups pairs by queue. A group is cut into chunks, and each chunk is one API call.
//!
//! The number of chunks is the number of calls if nothing fails: the sum over queues of ceil(addresses / 50). Pairs
//! whose names are still being looked up join the plan later (`plan/join.rs`).

use std::collections::HashMap;
use std::sync::Arc;

use crate::associate::names::{Resolution, Resolutions};
use crate::associate::urgency::{CHUNK, fewest_calls};
use crate::failure::Failure;
use crate::index::{AddressIndex, GroupIndex, Index, IndexList, PairIndex, QueueIndex, SourceIndex};
use crate::pairs::Pairs;
use crate::requests::{EmailAddressId, InstanceId, Intent, QueueId};

mod join;

pub(crate) use join::AddedChunks;

/// The groups of an invocation.
#[derive(Debug, Default)]
pub struct Plan {
    /// One group for each queue, in the order in which the queues were first requested.
    pub groups: IndexList<GroupIndex, Group>,
    /// The group of each of [`Pairs::queues`], or the failure to find the queue.
    pub(crate) group_of: IndexList<QueueIndex, Result<GroupIndex, Arc<Failure>>>,
    /// The place of each of [`Pairs::pairs`] in a group, or the failure of a pair without a place.
    pub places: IndexList<PairIndex, Result<Place, Arc<Failure>>>,
    /// Finds groups and addresses by their identifiers. Empty if callers gave only identifiers.
    index: PlanIndex,
}

/// The groups and addresses of a plan by their identifiers.
#[derive(Debug, Default)]
struct PlanIndex {
    /// Groups by instance and queue.
    groups: HashMap<(InstanceId, QueueId), GroupIndex>,
    /// Positions in their group, by group and address.
    addresses: HashMap<(GroupIndex, EmailAddressId), AddressIndex>,
}

/// The position of a pair in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The group.
    pub group: GroupIndex,
    /// The address in the group.
    pub address: AddressIndex,
}

/// One of the distinct pairs of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum DistinctPair {
    /// The pair has a place in the plan.
    Placed(Place),
    /// The pair has no place.
    Named(PairIndex),
}

/// All pairs of the invocation with the same instance and queue.
#[derive(Debug)]
pub struct Group {
    /// The instance.
    pub instance: InstanceId,
    /// The queue.
    pub queue: QueueId,
    /// The distinct addresses, in the order in which they were first requested.
    pub(crate) addresses: IndexList<AddressIndex, PlannedAddress>,
    /// The chunks of the addresses that were known when the plan was made. An address that only dry runs
    /// request is in no chunk.
    pub chunks: Vec<PlannedChunk>,
    /// Whether a request checks the queue. None of its addresses may exist.
    pub(crate) is_checked: bool,
    /// The urgency of reading the queue's list for a check, as [`PlannedChunk::urgency`]. The list of a queue counts as
    /// one call.
    pub(crate) check_urgency: usize,
}

/// One address of a group.
#[derive(Debug)]
pub(crate) struct PlannedAddress {
    /// The address's identifier.
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
    /// No source.
    None,
    /// One source.
    One(SourceIndex),
    /// Several sources. The list is boxed, because a large plan has this enum once for each address.
    #[allow(clippy::box_collection, reason = "a list in place would make every address eight bytes larger")]
    Many(Box<Vec<SourceIndex>>),
}

/// The addresses of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedChunk {
    /// The positions of the addresses in their group, in ascending order.
    pub addresses: Vec<AddressIndex>,
    /// Number of calls that the smallest request with an address in this chunk needs. Chunks with a low number go
    /// first, so that a large request does not delay small ones.
    pub(crate) urgency: usize,
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

    /// Index of the chunk with an address. `None` if only dry runs request the address.
    fn chunk_of(&self, address: AddressIndex) -> Option<usize> {
        let before = |chunk: &PlannedChunk| chunk.addresses.last() < Some(&address);
        (!self.addresses[address].intent.is_dry()).then(|| self.chunks.partition_point(before))
    }
}

impl Plan {
    /// Groups the pairs and cuts the groups into chunks.
    pub fn new(pairs: &Pairs, resolved: Resolutions) -> Self {
        let mut plan = Plan {
            groups: IndexList::default(),
            group_of: IndexList::with_capacity(pairs.queues.len()),
            places: IndexList::default(),
            index: PlanIndex::default(),
        };
        plan.add_groups(pairs, &resolved.queues);
        plan.add_addresses(pairs, resolved.addresses);
        plan.add_sources(pairs);
        plan.mark_checked(pairs);
        plan.cut();
        plan.rank(pairs);
        plan
    }

    /// The instance, queue and address at a place.
    pub fn identifiers(&self, place: Place) -> (&str, &str, &str) {
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

    /// The number of calls if nothing fails.
    pub fn calls(&self) -> usize {
        self.groups.iter().map(|group| group.chunks.len()).sum()
    }

    fn add_groups(&mut self, pairs: &Pairs, ids: &IndexList<QueueIndex, Resolution<QueueId>>) {
        self.index.groups.reserve(ids.len());
        for (queue, id) in pairs.queues.iter().zip(ids) {
            let group = id.clone().map(|id| self.group(&queue.instance, id));
            self.group_of.push(group);
        }
    }

    /// Returns the group of a queue, which is added if it is new.
    fn group(&mut self, instance: &InstanceId, queue: QueueId) -> GroupIndex {
        let next = self.groups.next_index();
        let group = *self.index.groups.entry((instance.clone(), queue.clone())).or_insert(next);
        if group == next {
            let instance = instance.clone();
            self.groups.push(Group {
                instance,
                queue,
                addresses: IndexList::default(),
                chunks: Vec::new(),
                is_checked: false,
                check_urgency: usize::MAX,
            });
        }
        group
    }

    fn add_addresses(&mut self, pairs: &Pairs, ids: IndexList<PairIndex, Resolution<EmailAddressId>>) {
        // Pairs are distinct as callers gave them. Two of them can be the same only if one was given by name.
        let names = pairs.has_names();
        if !names {
            self.index = PlanIndex::default();
        }
        self.reserve_addresses(pairs);
        // Identifiers and places have the same size, so `collect` reuses the memory of the identifiers.
        let places = ids.into_iter().zip(&pairs.pairs).enumerate().map(|(number, (id, pair))| {
            let group = self.group_of[pair.queue()].clone()?;
            let (id, first_pair) = (id?, PairIndex::new(number));
            let address = if names {
                self.address(group, id, first_pair)
            } else {
                self.groups[group].push(id, first_pair)
            };
            Ok(Place { group, address })
        });
        self.places = places.collect();
    }

    /// Returns the position of an address in its group. The address is added if it is new.
    fn address(&mut self, group: GroupIndex, id: EmailAddressId, first_pair: PairIndex) -> AddressIndex {
        let next = self.groups[group].addresses.next_index();
        let address = *self.index.addresses.entry((group, id.clone())).or_insert(next);
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

    /// Marks the groups whose queue a request checks.
    fn mark_checked(&mut self, pairs: &Pairs) {
        for mention in &pairs.mentions {
            if pairs.requests[mention.request].options.intent == Intent::Check
                && let Ok(group) = self.group_of[pairs.pairs[mention.pair].queue()]
            {
                self.groups[group].is_checked = true;
            }
        }
    }

    fn add_sources(&mut self, pairs: &Pairs) {
        for mention in &pairs.mentions {
            let Ok(place) = &self.places[mention.pair] else { continue };
            let address = &mut self.groups[place.group].addresses[place.address];
            address.intent = address.intent.max(pairs.requests[mention.request].options.intent);
            address.sources.add(pairs.source_of(mention));
        }
    }

    fn cut(&mut self) {
        let mut live = Vec::new();
        for group in &mut self.groups {
            live.clear();
            live.extend(group.addresses.indices().filter(|index| !group.addresses[*index].intent.is_dry()));
            group.chunks = live
                .chunks(CHUNK)
                .map(|chunk| PlannedChunk { addresses: chunk.to_vec(), urgency: usize::MAX })
                .collect();
        }
    }

    /// Sets the urgency of each chunk and each check.
    fn rank(&mut self, pairs: &Pairs) {
        let mut first_chunk = IndexList::<GroupIndex, usize>::with_capacity(self.groups.len());
        let mut chunks = 0;
        for group in &self.groups {
            first_chunk.push(chunks);
            chunks += group.chunks.len();
        }
        let mentions = || {
            pairs.mentions.iter().filter_map(|mention| {
                let place = self.places[mention.pair].as_ref().ok()?;
                let group = &self.groups[place.group];
                let call = match group.addresses[place.address].intent {
                    Intent::Associate => first_chunk[place.group] + group.chunk_of(place.address)?,
                    // The lists of the queues take the numbers after the chunks.
                    Intent::Check => chunks + place.group.get(),
                    Intent::Plan => return None,
                };
                Some((mention.request, call))
            })
        };
        let mut fewest = fewest_calls(chunks + self.groups.len(), pairs.requests.len(), mentions).into_iter();
        for chunk in self.groups.iter_mut().flat_map(|group| &mut group.chunks) {
            chunk.urgency = fewest.next().unwrap_or(usize::MAX);
        }
        for (group, urgency) in self.groups.iter_mut().zip(fewest) {
            group.check_urgency = urgency;
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
