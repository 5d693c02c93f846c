//! Plan: pairs grouped per queue and cut into chunks, each of which is one API call.
//!
//! The number of chunks is the number of calls if nothing fails: the sum over queues of ceil(addresses / 50). Pairs
//! whose names are still being looked up join the plan later (`plan/join.rs`).

use std::collections::HashMap;
use std::sync::Arc;

use crate::failure::Failure;
use crate::index::Index;
use crate::names::Resolved;
use crate::pairs::{Named, Pairs};
use crate::requests::Intent;

mod join;

pub use join::Joined;

/// Addresses in one AssociateQueueEmailAddresses call (API reference: EmailAddressesConfig, at most 50).
pub const CHUNK: usize = 50;

/// The groups of an invocation.
#[derive(Debug, Default)]
pub struct Plan {
    /// One group for each queue, in the order the queues were first named.
    pub groups: Vec<Group>,
    /// For each queue of [`Pairs::queues`]: its group, or why it has none.
    pub group_of: Vec<Result<usize, Arc<Failure>>>,
    /// For each pair of [`Pairs::pairs`]: its place in a group, or why it has none.
    pub places: Vec<Result<Place, Arc<Failure>>>,
    /// Finds groups and addresses by their identifiers. Empty, if nothing is named by name.
    known: Known,
}

/// Finds what is in a plan by its identifiers.
#[derive(Debug, Default)]
struct Known {
    /// Groups by instance and queue.
    groups: HashMap<(Arc<str>, Arc<str>), usize>,
    /// Positions in their group, by group and address.
    addresses: HashMap<(usize, Arc<str>), usize>,
}

/// Where a pair stands in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    group: Index,
    address: Index,
}

/// One of the distinct pairs of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Distinct {
    /// It has a place in the plan.
    Placed(Place),
    /// It has none: which of [`Pairs::pairs`] it is.
    Named(usize),
}

/// Every pair of the invocation that names the same instance and queue.
#[derive(Debug)]
pub struct Group {
    /// The instance's identifier.
    pub instance: Arc<str>,
    /// The queue's identifier.
    pub queue: Arc<str>,
    /// The distinct addresses, in the order they were first requested.
    pub addresses: Vec<Address>,
    /// The addresses to associate, at most [`CHUNK`] each: those that were known when the plan was made. Where only dry
    /// runs ask for anything, none.
    pub chunks: Vec<Chunk>,
    /// How urgent it is to read the queue's list for addresses that are only checked. As [`Chunk::urgency`], each queue
    /// counting as a call.
    pub check_urgency: usize,
}

/// One address of a group.
#[derive(Debug)]
pub struct Address {
    /// The address's identifier.
    pub id: Arc<str>,
    /// The greatest intent of the requests that ask for it.
    pub intent: Intent,
    /// What asks for it. Nothing, if the only names that led to it lead to another address now.
    pub sources: Sources,
    /// The first pair that names it.
    pub first_pair: Index,
}

/// The sources that ask for an address, each once, in order. Nearly always it is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sources {
    /// Only this.
    One(usize),
    /// These.
    Many(Vec<usize>),
}

/// One call, if nothing fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Which of [`Group::addresses`].
    pub addresses: Vec<Index>,
    /// How many calls that request needs which, of all that ask for an address of this chunk, needs the fewest.
    /// What needs few calls goes first, so that a large message does not starve small ones.
    pub urgency: usize,
}

impl Place {
    /// Which of [`Plan::groups`].
    pub fn group(self) -> usize {
        self.group.get()
    }

    /// Which of [`Group::addresses`].
    pub fn address(self) -> usize {
        self.address.get()
    }
}

impl Chunk {
    /// Which of [`Group::addresses`], in ascending order.
    pub fn positions(&self) -> impl Iterator<Item = usize> {
        self.addresses.iter().map(|address| address.get())
    }
}

impl Address {
    /// Whether anything asks for it.
    pub fn is_wanted(&self) -> bool {
        !self.sources.as_slice().is_empty()
    }
}

impl Group {
    /// Adds an address, which nothing asks for yet, and gives its position.
    fn push(&mut self, id: Arc<str>, first_pair: Index) -> usize {
        self.addresses.push(Address {
            id,
            intent: Intent::Plan,
            sources: Sources::Many(Vec::new()),
            first_pair,
        });
        self.addresses.len() - 1
    }

    /// The calls that its addresses need if nothing fails; where only dry runs ask for any, that they would need.
    pub fn calls_needed(&self) -> usize {
        let wanted = || self.addresses.iter().filter(|address| address.is_wanted());
        match wanted().filter(|address| !address.intent.is_dry()).count() {
            0 => wanted().count().div_ceil(CHUNK),
            live => live.div_ceil(CHUNK),
        }
    }

    /// Which of its chunks an address is in: none, where only dry runs ask for it.
    fn chunk_of(&self, address: usize) -> Option<usize> {
        let before = |chunk: &Chunk| chunk.addresses.last() < Some(&Index::new(address));
        (!self.addresses[address].intent.is_dry()).then(|| self.chunks.partition_point(before))
    }
}

impl Plan {
    /// Groups the pairs and cuts the groups into chunks.
    pub fn new(pairs: &Pairs, resolved: Resolved) -> Self {
        let mut plan = Plan {
            groups: Vec::new(),
            group_of: Vec::with_capacity(pairs.queues.len()),
            places: Vec::new(),
            known: Known::default(),
        };
        plan.add_groups(pairs, &resolved.queues);
        plan.add_addresses(pairs, resolved.addresses);
        plan.add_sources(pairs);
        plan.cut();
        plan.rank(pairs);
        plan
    }

    /// The instance, queue and address that stand at a place.
    pub fn identifiers(&self, place: Place) -> (&str, &str, &str) {
        let group = &self.groups[place.group()];
        (&group.instance, &group.queue, &group.addresses[place.address()].id)
    }

    /// Which of the distinct pairs a pair is. Two names of one pair share its place, and only names can make two pairs one.
    /// A pair without a place is known by its name alone.
    pub fn distinct(&self, pair: usize) -> Distinct {
        match &self.places[pair] {
            Ok(place) => Distinct::Placed(*place),
            Err(_) => Distinct::Named(pair),
        }
    }

    /// The number of calls if nothing fails.
    pub fn calls(&self) -> usize {
        self.groups.iter().map(|group| group.chunks.len()).sum()
    }

    fn add_groups(&mut self, pairs: &Pairs, ids: &[Result<Arc<str>, Arc<Failure>>]) {
        self.known.groups.reserve(ids.len());
        for (queue, id) in pairs.queues.iter().zip(ids) {
            let group = id.clone().map(|id| self.group(&queue.instance, id));
            self.group_of.push(group);
        }
    }

    /// The group of a queue, which is made if there is none.
    fn group(&mut self, instance: &Arc<str>, queue: Arc<str>) -> usize {
        let next = self.groups.len();
        let group = *self.known.groups.entry((instance.clone(), queue.clone())).or_insert(next);
        if group == next {
            let instance = instance.clone();
            self.groups.push(Group {
                instance,
                queue,
                addresses: Vec::new(),
                chunks: Vec::new(),
                check_urgency: usize::MAX,
            });
        }
        group
    }

    fn add_addresses(&mut self, pairs: &Pairs, ids: Vec<Result<Arc<str>, Arc<Failure>>>) {
        // Pairs are distinct as they were named: only names can make two of them one.
        let names = pairs.queues.iter().any(|queue| matches!(queue.queue, Named::Name(_)))
            || pairs.pairs.iter().any(|pair| matches!(pair.address(), Named::Name(_)));
        if !names {
            self.known = Known::default();
        }
        self.make_room(pairs);
        // Identifiers and places are of one size, so the places come to stand where the identifiers stood.
        let places = ids.into_iter().zip(&pairs.pairs).enumerate().map(|(number, (id, pair))| {
            let group = self.group_of[pair.queue()].clone()?;
            let (id, first_pair) = (id?, Index::new(number));
            let address = if names {
                self.address(group, id, first_pair)
            } else {
                self.groups[group].push(id, first_pair)
            };
            Ok(Place { group: Index::new(group), address: Index::new(address) })
        });
        self.places = places.collect();
    }

    /// The position of an address in a group, which it is added to if it is not in it.
    fn address(&mut self, group: usize, id: Arc<str>, first_pair: Index) -> usize {
        let next = self.groups[group].addresses.len();
        let address = *self.known.addresses.entry((group, id.clone())).or_insert(next);
        if address == next {
            self.groups[group].push(id, first_pair);
        }
        address
    }

    /// Lists that grow leave holes in memory behind them, in all as large as they are.
    fn make_room(&mut self, pairs: &Pairs) {
        let mut room = vec![0; self.groups.len()];
        for group in pairs.pairs.iter().filter_map(|pair| self.group_of[pair.queue()].as_ref().ok()) {
            room[*group] += 1;
        }
        for (group, room) in self.groups.iter_mut().zip(room) {
            group.addresses.reserve_exact(room);
        }
    }

    fn add_sources(&mut self, pairs: &Pairs) {
        for ask in &pairs.asks {
            let Ok(place) = &self.places[ask.pair()] else { continue };
            let address = &mut self.groups[place.group()].addresses[place.address()];
            address.intent = address.intent.max(pairs.requests[ask.request()].options.intent);
            address.sources.add(pairs.source_of(ask));
        }
    }

    fn cut(&mut self) {
        let mut live = Vec::new();
        for group in &mut self.groups {
            let positions =
                (0..group.addresses.len()).filter(|position| !group.addresses[*position].intent.is_dry());
            live.clear();
            live.extend(positions.map(Index::new));
            group.chunks = live
                .chunks(CHUNK)
                .map(|chunk| Chunk { addresses: chunk.to_vec(), urgency: usize::MAX })
                .collect();
        }
    }

    /// Finds how urgent each chunk and each check is.
    fn rank(&mut self, pairs: &Pairs) {
        let mut first_chunk = Vec::with_capacity(self.groups.len());
        let mut chunks = 0;
        for group in &self.groups {
            first_chunk.push(chunks);
            chunks += group.chunks.len();
        }
        let asked = || {
            pairs.asks.iter().filter_map(|ask| {
                let place = self.places[ask.pair()].as_ref().ok()?;
                let group = &self.groups[place.group()];
                let call = match group.addresses[place.address()].intent {
                    Intent::Associate => first_chunk[place.group()] + group.chunk_of(place.address())?,
                    // The lists of the queues are numbered behind the chunks.
                    Intent::Check => chunks + place.group(),
                    Intent::Plan => return None,
                };
                Some((ask.request(), call))
            })
        };
        let mut fewest = fewest_calls(chunks + self.groups.len(), pairs.requests.len(), asked).into_iter();
        for chunk in self.groups.iter_mut().flat_map(|group| &mut group.chunks) {
            chunk.urgency = fewest.next().unwrap_or(usize::MAX);
        }
        for (group, urgency) in self.groups.iter_mut().zip(fewest) {
            group.check_urgency = urgency;
        }
    }
}

/// For each chunk, how many calls that request needs which needs the fewest of those that ask for any of it. `asked`
/// gives a request and a chunk for each ask, in the order of the requests.
fn fewest_calls<Asked>(chunks: usize, requests: usize, asked: impl Fn() -> Asked) -> Vec<usize>
where
    Asked: Iterator<Item = (usize, usize)>,
{
    // Asks stand in the order of their requests, so one mark a chunk tells whether a request was counted.
    let mut counted = vec![usize::MAX; chunks];
    let mut calls = vec![0; requests];
    for (request, chunk) in asked() {
        if counted[chunk] != request {
            counted[chunk] = request;
            calls[request] += 1;
        }
    }
    let mut fewest = vec![usize::MAX; chunks];
    for (request, chunk) in asked() {
        fewest[chunk] = fewest[chunk].min(calls[request]);
    }
    fewest
}

impl Sources {
    /// The sources.
    pub fn as_slice(&self) -> &[usize] {
        match self {
            Sources::One(source) => std::slice::from_ref(source),
            Sources::Many(sources) => sources,
        }
    }

    /// Adds a source. One that stands behind a later one already may come to stand in the list twice.
    fn add(&mut self, source: usize) {
        match self {
            Sources::One(only) if *only == source => {}
            Sources::One(only) => *self = Sources::Many(vec![*only, source]),
            Sources::Many(sources) if sources.is_empty() => *self = Sources::One(source),
            Sources::Many(sources) if sources.last() == Some(&source) => {}
            Sources::Many(sources) => sources.push(source),
        }
    }
}

#[cfg(test)]
mod tests;
