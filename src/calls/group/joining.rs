//! Joining: adds addresses to a group after its first call, because their names were found only then.

use std::sync::Arc;

use crate::failure::Failure;
use crate::index::AddressIndex;
use crate::outcomes::Outcome;
use crate::plan::{Chunk as PlannedChunk, Group};
use crate::requests::Intent;

use super::room::Room;
use super::{Chunk, Progress};

impl Progress {
    /// Adds chunks to associate. Their addresses have just joined the group, or only dry runs asked for them before.
    pub(crate) fn join(&mut self, chunks: &[PlannedChunk]) {
        for member in chunks.iter().flat_map(|chunk| &chunk.addresses) {
            self.checked.remove(member);
            let outcome = &mut self.outcomes[*member];
            if matches!(outcome, None | Some(Outcome::Planned)) {
                *outcome = self.closed.clone().map(Outcome::Failed);
            }
        }
        // The list may be old by now, and the queue may hold the new addresses already.
        self.joined_since_list = true;
        if self.room == Room::AtMost(0) {
            self.room = Room::Unknown;
        }
        self.narrowing.add(chunks.iter().map(|chunk| (chunk.addresses.clone(), chunk.urgency)));
        if self.room.next_call() == Some(0) {
            self.narrowing.in_requested_order();
        }
    }

    /// Adds the addresses that have joined the group in the plan.
    pub(crate) fn grow(&mut self, group: &Group) {
        for (member, address) in group.addresses.indexed().skip(self.outcomes.len()) {
            // An address that requests only plan needs no call.
            self.outcomes.push((address.intent == Intent::Plan).then_some(Outcome::Planned));
            if address.intent == Intent::Check {
                self.checked.insert(member);
            }
        }
    }

    /// Fills a chunk that was not tried yet with addresses that have joined the group meanwhile.
    pub(crate) fn fill(&mut self, chunk: &mut Chunk, group: &Group) {
        if chunk.takes_more() && self.room.next_call().is_none() {
            self.narrowing.fill(chunk, |member| group.addresses[member].first_pair);
        }
    }

    /// The outcome of an address, or `None` if the group has not decided it.
    pub(crate) fn outcome(&self, address: AddressIndex) -> Option<&Outcome> {
        self.outcomes[address].as_ref()
    }

    /// Fails the addresses that are not decided, and those that join the group later.
    pub(crate) fn close(&mut self, failure: Arc<Failure>) {
        self.closed = Some(failure.clone());
        self.fail_undecided(failure);
    }
}
