//! Cuts the addresses of new pairs into chunks, and orders the chunks.

use crate::associate::order::{CHUNK, fewest_calls};
use crate::index::{AddressIndex, GroupIndex, Index, IndexList, PairIndex};
use crate::pairs::Pairs;
use crate::requests::Intent;

use super::{Group, Plan};

/// The new chunks of each group. Each chunk is one call if nothing fails.
pub(crate) type AddedChunks = IndexList<GroupIndex, Vec<PlannedChunk>>;

/// The addresses of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedChunk {
    /// The addresses, in the order in which they were first requested.
    pub(crate) addresses: Vec<AddressIndex>,
    /// Number of calls of the smallest request with an address in this chunk. Lower goes first, so that a large request
    /// does not delay small ones.
    pub(crate) request_calls: usize,
}

impl Plan {
    /// Adds the intents and sources of the new pairs to their addresses. Returns the chunks of the addresses that are now
    /// to be associated. An address that only dry runs request is in no chunk.
    pub(super) fn add_chunks(&mut self, pairs: &Pairs, is_new: impl Fn(PairIndex) -> bool) -> AddedChunks {
        let mut live = IndexList::<GroupIndex, Vec<AddressIndex>>::from(vec![Vec::new(); self.groups.len()]);
        for mention in pairs.mentions.iter().filter(|mention| is_new(mention.pair)) {
            let Ok(place) = self.places[mention.pair] else { continue };
            let address = &mut self.groups[place.group].addresses[place.address];
            let was_dry = address.intent.is_dry();
            address.intent = address.intent.max(pairs.requests[mention.request].options.intent);
            address.first_pair = address.first_pair.min(mention.pair);
            address.sources.add(pairs.source_of(mention));
            if was_dry && !address.intent.is_dry() {
                live[place.group].push(place.address);
            }
        }
        let mut added: AddedChunks =
            self.groups.iter().zip(live).map(|(group, addresses)| cut(group, addresses)).collect();
        self.rank(pairs, &mut added, is_new);
        added
    }

    /// Sets how many calls the smallest request makes that needs each new chunk, and each check of a queue.
    fn rank(&mut self, pairs: &Pairs, added: &mut AddedChunks, is_new: impl Fn(PairIndex) -> bool) {
        // Each chunk is a call. The lists of the queues take the numbers after the chunks.
        let mut chunks = 0;
        let mut first_call = IndexList::<GroupIndex, usize>::with_capacity(added.len());
        for of_group in added.iter() {
            first_call.push(chunks);
            chunks += of_group.len();
        }
        let calls = pairs.mentions.iter().filter(|mention| is_new(mention.pair)).filter_map(|mention| {
            let place = self.places[mention.pair].as_ref().ok()?;
            let group = &self.groups[place.group];
            let call = match group.addresses[place.address].intent {
                Intent::Associate => {
                    first_call[place.group] + chunk_of(group, &added[place.group], place.address)?
                }
                Intent::Check => chunks + place.group.get(),
                Intent::Plan => return None,
            };
            Some((mention.request, call))
        });
        let fewest = fewest_calls(chunks + self.groups.len(), pairs.requests.len(), calls);
        let (of_chunks, of_checks) = fewest.split_at(chunks);
        for (chunk, calls) in added.iter_mut().flatten().zip(of_chunks) {
            chunk.request_calls = *calls;
        }
        for (group, calls) in self.groups.iter_mut().zip(of_checks) {
            group.check_request_calls = group.check_request_calls.min(*calls);
        }
    }
}

/// Cuts addresses of a group into chunks in the requested order.
fn cut(group: &Group, mut addresses: Vec<AddressIndex>) -> Vec<PlannedChunk> {
    addresses.sort_unstable_by_key(|address| group.addresses[*address].first_pair);
    let chunk = |addresses: &[AddressIndex]| PlannedChunk {
        addresses: addresses.to_vec(),
        request_calls: usize::MAX,
    };
    addresses.chunks(CHUNK).map(chunk).collect()
}

/// The index of the chunk that contains an address. `None` if the address is in an earlier chunk of the group.
fn chunk_of(group: &Group, chunks: &[PlannedChunk], address: AddressIndex) -> Option<usize> {
    let first_pair = |address: &AddressIndex| group.addresses[*address].first_pair;
    let wanted = first_pair(&address);
    let index = chunks.partition_point(|chunk| chunk.addresses.last().map(first_pair) < Some(wanted));
    chunks.get(index)?.addresses.binary_search_by_key(&wanted, first_pair).ok().map(|_| index)
}
