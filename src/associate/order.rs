//! The order of the calls: requests that need few calls go first, so that a large request does not delay small ones.

use crate::index::{IndexList, RequestIndex};

/// Maximum number of addresses in one AssociateQueueEmailAddresses call (API reference, EmailAddressesConfig).
pub const CHUNK: usize = 50;

/// Returns for each call the number of calls that the smallest request that needs it makes. `mentions` yields the request
/// and the call of each mention, in the order of the requests.
pub(crate) fn fewest_calls(
    calls: usize,
    requests: usize,
    mentions: impl Iterator<Item = (RequestIndex, usize)>,
) -> Vec<usize> {
    // Mentions are in the order of their requests, so one mark for each call shows whether a request was counted.
    let mut counted = vec![None; calls];
    let mut calls_of = IndexList::from(vec![0; requests]);
    let mut needs = Vec::new();
    for (request, call) in mentions {
        if counted[call].replace(request) != Some(request) {
            calls_of[request] += 1;
            needs.push((request, call));
        }
    }
    let mut fewest = vec![usize::MAX; calls];
    for (request, call) in needs {
        fewest[call] = fewest[call].min(calls_of[request]);
    }
    fewest
}
