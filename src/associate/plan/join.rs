//! Adds pairs to the plan whose names are found while calls are made.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::associate::names::LookupResults;
use crate::failure::Failure;
use crate::index::{AddressIndex, GroupIndex, PairIndex};
use crate::pairs::Pairs;
use crate::requests::Intent;

use super::{Place, Plan, PlannedChunk, Sources};
use crate::associate::urgency::{CHUNK, fewest_calls};

/// The new chunks of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AddedChunks {
    /// The group.
    pub group: GroupIndex,
    /// The chunks.
    pub chunks: Vec<PlannedChunk>,
}

impl Plan {
    /// Adds the pairs that were found, and records the failures of the others. Returns the chunks to associate.
    pub(crate) fn join(&mut self, pairs: &Pairs, found: LookupResults) -> Vec<AddedChunks> {
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
        self.chunks_of(pairs, &joined)
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

    /// Adds the sources of the new pairs, and cuts the addresses to associate into chunks.
    fn chunks_of(&mut self, pairs: &Pairs, joined: &HashSet<PairIndex>) -> Vec<AddedChunks> {
        let mentions = || pairs.mentions.iter().filter(|mention| joined.contains(&mention.pair));
        let mut live: BTreeMap<GroupIndex, Vec<AddressIndex>> = BTreeMap::new();
        for mention in mentions() {
            let Ok(place) = self.places[mention.pair] else { continue };
            let address = &mut self.groups[place.group].addresses[place.address];
            let before = address.intent;
            address.intent = before.max(pairs.requests[mention.request].options.intent);
            address.first_pair = address.first_pair.min(mention.pair);
            address.sources.add(pairs.source_of(mention));
            if before.is_dry() && !address.intent.is_dry() {
                live.entry(place.group).or_default().push(place.address);
            }
        }
        let cut = |(group, addresses): (GroupIndex, Vec<AddressIndex>)| {
            let chunk = |addresses: &[AddressIndex]| PlannedChunk {
                addresses: addresses.to_vec(),
                urgency: usize::MAX,
            };
            AddedChunks { group, chunks: addresses.chunks(CHUNK).map(chunk).collect() }
        };
        let mut all: Vec<AddedChunks> = live.into_iter().map(cut).collect();
        let mut chunk_at: HashMap<(GroupIndex, AddressIndex), usize> = HashMap::new();
        let mut count = 0;
        for AddedChunks { group, chunks } in &all {
            for chunk in chunks {
                chunk_at.extend(chunk.addresses.iter().map(|address| ((*group, *address), count)));
                count += 1;
            }
        }
        let in_chunks = || {
            mentions().filter_map(|mention| {
                let place = self.places[mention.pair].as_ref().ok()?;
                Some((mention.request, *chunk_at.get(&(place.group, place.address))?))
            })
        };
        let mut fewest = fewest_calls(count, pairs.requests.len(), in_chunks).into_iter();
        for chunk in all.iter_mut().flat_map(|joined| &mut joined.chunks) {
            chunk.urgency = fewest.next().unwrap_or(usize::MAX);
        }
        all
    }
}
