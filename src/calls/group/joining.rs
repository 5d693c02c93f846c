//! Joining: adds addresses to a group after its first call, because their names were found only then.

use std::sync::Arc;

use crate::failure::Failure;
use crate::outcomes::Outcome;
use crate::plan::{Chunk as PlannedChunk, Group};

use super::room::Room;
use super::{Chunk, Progress, beforehand, positions_to_check};

impl Progress {
    /// Adds chunks to associate. Their addresses have just joined the group, or only dry runs asked for them before.
    pub fn join(&mut self, chunks: &[PlannedChunk]) {
        for position in chunks.iter().flat_map(PlannedChunk::positions) {
            self.checked.remove(&position);
            let outcome = &mut self.outcomes[position];
            if matches!(outcome, None | Some(Outcome::Planned)) {
                *outcome = self.closed.clone().map(Outcome::Failed);
            }
        }
        if self.room.next_call() == Some(0) {
            // The list that showed no room may be old by now, and the queue may hold the new addresses already.
            self.room = Room::Unknown;
        }
        self.narrowing.add(chunks.iter().map(|chunk| (chunk.positions().collect(), chunk.urgency)));
    }

    /// Adds the addresses that have joined the group in the plan.
    pub fn grow(&mut self, group: &Group) {
        let known = self.outcomes.len();
        self.outcomes.extend(group.addresses[known..].iter().map(beforehand));
        self.checked.extend(positions_to_check(group, known));
    }

    /// Fills a chunk that was not tried yet with addresses that have joined the group meanwhile.
    pub fn fill(&mut self, chunk: &mut Chunk, group: &Group) {
        if chunk.takes_more() && self.room.next_call().is_none() {
            self.narrowing.fill(chunk, |member| group.addresses[member].first_pair);
        }
    }

    /// The outcome of an address, or `None` if the group has not decided it.
    pub fn outcome(&self, address: usize) -> Option<&Outcome> {
        self.outcomes[address].as_ref()
    }

    /// Fails the addresses that are not decided, and those that join the group later.
    pub fn close(&mut self, failure: Failure) {
        self.closed = Some(Arc::new(failure.clone()));
        self.fail_undecided(failure);
    }
}
