//! The order of the calls: requests that need few calls go first, so that a large request does not delay small ones.

use crate::index::{IndexList, RequestIndex};

/// Addresses in one AssociateQueueEmailAddresses call (API reference: EmailAddressesConfig, at most 50).
pub const CHUNK: usize = 50;

/// For each chunk, returns the number of calls that the smallest request with an address in it needs. `mentions`
/// gives the request and the chunk of each mention, in the order of the requests.
pub(crate) fn fewest_calls<Mentions>(
    chunks: usize,
    requests: usize,
    mentions: impl Fn() -> Mentions,
) -> Vec<usize>
where
    Mentions: Iterator<Item = (RequestIndex, usize)>,
{
    // Mentions are in the order of their requests, so one mark for each chunk shows whether a request was counted.
    let mut counted = vec![None; chunks];
    let mut calls = IndexList::from(vec![0; requests]);
    for (request, chunk) in mentions() {
        if counted[chunk].replace(request) != Some(request) {
            calls[request] += 1;
        }
    }
    let mut fewest = vec![usize::MAX; chunks];
    for (request, chunk) in mentions() {
        fewest[chunk] = fewest[chunk].min(calls[request]);
    }
    fewest
}
