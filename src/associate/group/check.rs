//! Decides the addresses that requests only check, by the queue's list.
//!
//! The rules are the same as in a live run. The other addresses are planned in the requested order while there is room,
//! and an address that is missing from the directory is not found. After the first address that does not fit, the queue
//! is full for all other addresses.

use std::collections::HashSet;
use std::sync::Arc;

use crate::associate::outcome::Outcome;
use crate::associate::plan::Group;
use crate::failure::Failure;
use crate::index::AddressIndex;
use crate::requests::EmailAddressId;

use super::failure::{FillLevel, FullBy};
use super::listing::OnQueue;

/// Decides addresses that the queue's list does not contain. `limit` is the number of addresses that the queue accepts in
/// addition to its default one. `existing` says whether the directory of addresses has an identifier.
pub(super) fn check(
    on_queue: &OnQueue,
    group: &Group,
    mut undecided: Vec<AddressIndex>,
    limit: usize,
    existing: impl Fn(&EmailAddressId) -> Result<(), Arc<Failure>>,
) -> Vec<(AddressIndex, Outcome)> {
    // An address whose name was found late is at the end of the group.
    undecided.sort_by_key(|member| group.addresses[*member].first_pair);
    let held = on_queue.additional();
    let (mut decided, mut left, mut added) = (Vec::with_capacity(undecided.len()), Vec::new(), 0);
    for member in undecided {
        match existing(&group.addresses[member].id) {
            // After an address that does not fit, a live run makes no more calls for the queue.
            _ if !left.is_empty() => left.push(member),
            Err(failure) => decided.push((member, Outcome::Failed(failure))),
            Ok(()) if held + added < limit => {
                added += 1;
                decided.push((member, Outcome::Planned));
            }
            Ok(()) => left.push(member),
        }
    }
    let fill_level = FillLevel { held, added, left: left.len(), limit };
    let full = Arc::new(fill_level.failure(FullBy::Plan));
    decided.extend(left.into_iter().map(|member| (member, Outcome::Failed(full.clone()))));
    decided
}

/// The addresses on the queue that no request contains, in order, without its default address.
pub(super) fn unrequested(on_queue: &OnQueue, group: &Group) -> Vec<String> {
    let requested: HashSet<&str> = group.addresses.iter().map(|address| &*address.id).collect();
    let mut unrequested: Vec<String> =
        on_queue.without_default().filter(|id| !requested.contains(id)).map(str::to_owned).collect();
    unrequested.sort_unstable();
    unrequested
}
