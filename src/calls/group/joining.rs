//! Joining: addresses that come to a group while it is under way, because their names were looked up meanwhile.

use std::sync::Arc;

use crate::failure::Failure;
use crate::outcomes::Outcome;
use crate::plan::{Chunk as PlannedChunk, Group};

use super::room::Room;
use super::{Progress, Chunk, beforehand, positions_to_check};

impl Progress {
    /// Addresses that have joined the group, or were only dry before, are to be associated.
    pub fn join(&mut self, chunks: &[PlannedChunk]) {
        for position in chunks.iter().flat_map(PlannedChunk::positions) {
            self.checked.remove(&position);
            let outcome = &mut self.outcomes[position];
            if matches!(outcome, None | Some(Outcome::Planned)) {
                *outcome = self.closed.clone().map(Outcome::Failed);
            }
        }
        if self.room.next_call() == Some(0) {
            // The list that told so may be old by now, and what has joined may be on the queue already.
            self.room = Room::Unknown;
        }
        self.narrowing.add(chunks.iter().map(|chunk| (chunk.positions().collect(), chunk.urgency)));
    }

    /// Knows of the addresses that have joined the group in the plan.
    pub fn grow(&mut self, group: &Group) {
        let known = self.outcomes.len();
        self.outcomes.extend(group.addresses[known..].iter().map(beforehand));
        self.checked.extend(positions_to_check(group, known));
    }

    /// Has a set that was not tried yet take what has joined the group meanwhile.
    pub fn fill(&mut self, chunk: &mut Chunk, group: &Group) {
        if chunk.takes_more() && self.room.next_call().is_none() {
            self.narrowing.fill(chunk, |member| group.addresses[member].first_pair);
        }
    }

    /// The outcome of an address, once it is known.
    pub fn outcome(&self, address: usize) -> Option<&Outcome> {
        self.outcomes[address].as_ref()
    }

    /// Fails everything that is undecided, and everything that joins the group later.
    pub fn close(&mut self, failure: Failure) {
        self.closed = Some(Arc::new(failure.clone()));
        self.fail_undecided(failure);
    }
}
