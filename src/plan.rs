//! Plan: pairs grouped per queue and cut into chunks, each of which is one API call.
//!
//! The number of chunks is the number of calls if nothing fails: the sum over queues of ceil(addresses / 50).

use std::collections::HashMap;
use std::sync::Arc;

use crate::failure::Failure;
use crate::index::Index;
use crate::pairs::{Named, Pairs};

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
    /// The addresses to associate, at most [`CHUNK`] each. Where only dry runs ask for anything, none.
    pub chunks: Vec<Chunk>,
}

/// One address of a group.
#[derive(Debug)]
pub struct Address {
    /// The address's identifier.
    pub id: Arc<str>,
    /// Only dry runs ask for it, so it is planned and not associated.
    pub dry_run: bool,
    /// What asks for it.
    pub sources: Sources,
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

/// The identifiers behind the names of [`Pairs`]: for each queue and each pair, or why there is none.
#[derive(Debug)]
pub struct Resolved {
    /// For each of [`Pairs::queues`].
    pub queues: Vec<Result<Arc<str>, Arc<Failure>>>,
    /// For each of [`Pairs::pairs`], its address.
    pub addresses: Vec<Result<Arc<str>, Arc<Failure>>>,
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

impl Group {
    /// The calls that its addresses need if nothing fails; where only dry runs ask for any, that they would need.
    pub fn calls_needed(&self) -> usize {
        match self.chunks.len() {
            0 => self.addresses.len().div_ceil(CHUNK),
            chunks => chunks,
        }
    }

    /// Which of its chunks an address is in: none, where only dry runs ask for it.
    fn chunk_of(&self, address: usize) -> Option<usize> {
        let before = |chunk: &Chunk| chunk.addresses.last() < Some(&Index::new(address));
        (!self.addresses[address].dry_run).then(|| self.chunks.partition_point(before))
    }
}

impl Plan {
    /// Groups the pairs and cuts the groups into chunks.
    pub fn new(pairs: &Pairs, resolved: Resolved) -> Self {
        let mut plan =
            Plan { groups: Vec::new(), group_of: Vec::with_capacity(pairs.queues.len()), places: Vec::new() };
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
        let mut known: HashMap<(Arc<str>, Arc<str>), usize> = HashMap::with_capacity(ids.len());
        for (queue, id) in pairs.queues.iter().zip(ids) {
            self.group_of.push(id.clone().map(|id| {
                let next = self.groups.len();
                let group = *known.entry((queue.instance.clone(), id.clone())).or_insert(next);
                if group == next {
                    self.groups.push(Group {
                        instance: queue.instance.clone(),
                        queue: id,
                        addresses: Vec::new(),
                        chunks: Vec::new(),
                    });
                }
                group
            }));
        }
    }

    fn add_addresses(&mut self, pairs: &Pairs, ids: Vec<Result<Arc<str>, Arc<Failure>>>) {
        // Pairs are distinct as they were named: only names can make two of them one.
        let names = pairs.queues.iter().any(|queue| matches!(queue.queue, Named::Name(_)))
            || pairs.pairs.iter().any(|pair| matches!(pair.address(), Named::Name(_)));
        let mut known: HashMap<(usize, Arc<str>), usize> = HashMap::new();
        self.make_room(pairs);
        // Identifiers and places are of one size, so the places come to stand where the identifiers stood.
        let places = ids.into_iter().zip(&pairs.pairs).map(|(id, pair)| {
            let group = self.group_of[pair.queue()].clone()?;
            let id = id?;
            let addresses = &mut self.groups[group].addresses;
            let next = addresses.len();
            let address = match names {
                true => *known.entry((group, id.clone())).or_insert(next),
                false => next,
            };
            if address == next {
                addresses.push(Address { id, dry_run: true, sources: Sources::Many(Vec::new()) });
            }
            Ok(Place { group: Index::new(group), address: Index::new(address) })
        });
        self.places = places.collect();
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
            address.dry_run &= pairs.requests[ask.request()].options.dry_run;
            address.sources.add(pairs.source_of(ask));
        }
    }

    fn cut(&mut self) {
        let mut live = Vec::new();
        for group in &mut self.groups {
            let positions = (0..group.addresses.len()).filter(|position| !group.addresses[*position].dry_run);
            live.clear();
            live.extend(positions.map(Index::new));
            group.chunks = live
                .chunks(CHUNK)
                .map(|chunk| Chunk { addresses: chunk.to_vec(), urgency: usize::MAX })
                .collect();
        }
    }

    /// Finds how urgent each chunk is: first how many chunks each request needs, then for each chunk the fewest.
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
                let chunk = self.groups[place.group()].chunk_of(place.address())?;
                Some((ask.request(), first_chunk[place.group()] + chunk))
            })
        };
        // Asks stand in the order of their requests, so one mark a chunk tells whether a request was counted.
        let mut counted = vec![usize::MAX; chunks];
        let mut calls = vec![0; pairs.requests.len()];
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
        let mut fewest = fewest.into_iter();
        for chunk in self.groups.iter_mut().flat_map(|group| &mut group.chunks) {
            chunk.urgency = fewest.next().unwrap_or(usize::MAX);
        }
    }
}

impl Sources {
    /// The sources.
    pub fn as_slice(&self) -> &[usize] {
        match self {
            Sources::One(source) => std::slice::from_ref(source),
            Sources::Many(sources) => sources,
        }
    }

    /// Adds a source, which is the last one added or a later one.
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
