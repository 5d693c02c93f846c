//! Joining: adds pairs to the plan when their names are found while calls are in progress.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::failure::Failure;
use crate::index::Index;
use crate::names::Found;
use crate::pairs::Pairs;
use crate::requests::Intent;

use super::{CHUNK, Chunk, Place, Plan, Sources, fewest_calls};

/// Addresses of a group that join the plan and are to be associated now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Index into [`Plan::groups`].
    pub group: usize,
    /// The addresses.
    pub chunks: Vec<Chunk>,
}

impl Plan {
    /// Gives each pair that was looked up its place, or its failure.
    pub fn join(&mut self, pairs: &Pairs, found: Found) -> Vec<Joined> {
        for (number, id) in found.queues {
            let queue = &pairs.queues[number];
            self.group_of[number] = id.map(|id| self.group(&queue.instance, id));
        }
        let mut joined: HashSet<usize> = HashSet::with_capacity(found.pairs.len());
        for (number, id) in found.pairs {
            let group = self.group_of[pairs.pairs[number].queue()].clone();
            self.places[number] = group.and_then(|group| {
                let address = self.address(group, id?, Index::new(number));
                joined.insert(number);
                Ok(Place { group: Index::new(group), address: Index::new(address) })
            });
        }
        self.chunks_of(pairs, &joined)
    }

    /// Removes a pair from its place. [`Plan::leave_out_unwanted`] then takes its address out of the plan.
    pub fn remove(&mut self, pair: usize, why: Arc<Failure>) {
        self.places[pair] = Err(why);
    }

    /// Takes an address out of the plan if all of its pairs were removed.
    pub fn leave_out_unwanted(&mut self) {
        let wanted: HashSet<Place> = self.places.iter().flatten().copied().collect();
        for (number, group) in self.groups.iter_mut().enumerate() {
            for (position, address) in group.addresses.iter_mut().enumerate() {
                let place = Place { group: Index::new(number), address: Index::new(position) };
                if !wanted.contains(&place) {
                    (address.intent, address.sources) = (Intent::Plan, Sources::None);
                }
            }
        }
    }

    /// Adds the sources of the joined pairs, and cuts the addresses that are to be associated into chunks.
    fn chunks_of(&mut self, pairs: &Pairs, joined: &HashSet<usize>) -> Vec<Joined> {
        let mentions = || pairs.mentions.iter().filter(|mention| joined.contains(&mention.pair()));
        let mut live: BTreeMap<usize, Vec<Index>> = BTreeMap::new();
        for mention in mentions() {
            let Ok(place) = self.places[mention.pair()] else { continue };
            let address = &mut self.groups[place.group()].addresses[place.address()];
            let before = address.intent;
            address.intent = before.max(pairs.requests[mention.request()].options.intent);
            address.first_pair = address.first_pair.min(Index::new(mention.pair()));
            address.sources.add(pairs.source_of(mention));
            if before.is_dry() && !address.intent.is_dry() {
                live.entry(place.group()).or_default().push(place.address);
            }
        }
        let cut = |(group, addresses): (usize, Vec<Index>)| {
            let chunk = |addresses: &[Index]| Chunk { addresses: addresses.to_vec(), urgency: usize::MAX };
            Joined { group, chunks: addresses.chunks(CHUNK).map(chunk).collect() }
        };
        let mut all: Vec<Joined> = live.into_iter().map(cut).collect();
        let mut chunk_at: HashMap<(usize, Index), usize> = HashMap::new();
        let mut count = 0;
        for Joined { group, chunks } in &all {
            for chunk in chunks {
                chunk_at.extend(chunk.addresses.iter().map(|address| ((*group, *address), count)));
                count += 1;
            }
        }
        let in_chunks = || {
            mentions().filter_map(|mention| {
                let place = self.places[mention.pair()].as_ref().ok()?;
                Some((mention.request(), *chunk_at.get(&(place.group(), place.address))?))
            })
        };
        let mut fewest = fewest_calls(count, pairs.requests.len(), in_chunks).into_iter();
        for chunk in all.iter_mut().flat_map(|joined| &mut joined.chunks) {
            chunk.urgency = fewest.next().unwrap_or(usize::MAX);
        }
        all
    }
}
