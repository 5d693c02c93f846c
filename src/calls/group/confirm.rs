//! Confirming: before an address fails for good, the queue's list must be newer than the refusal that it explains.
//!
//! Another process may change the queue at any time. An address that was refused may be on the queue by now, and so may
//! be what took the last room. The list is read again once for all accused addresses of a chunk, when the rest of the
//! chunk is decided, and once when the API takes no more although the list showed room.

use crate::connect::{Refusal, Refused};
use crate::failure::{Blame, Failure};
use crate::outcomes::Outcome;
use crate::plan::{Address, Group};

use super::unconfirmed::Unconfirmed;
use super::failure::{Fill, maybe_full, refused_for_content, undecided};
use super::listing::{Listing, OnQueue, Purpose};
use super::room::Room;
use super::narrowing::Chunk;
use super::{List, Progress, QueueVerdict};

impl Progress {
    /// Narrows a set that was refused for its content. An address that was refused alone is accused.
    pub(super) fn narrow(&mut self, chunk: Chunk, refusal: Refusal) {
        let planned = chunk.planned;
        if let Err(member) = self.narrowing.refused(chunk) {
            self.unconfirmed.push(Unconfirmed { member, planned, refusal });
            if self.list == List::Denied {
                self.fail_unconfirmed();
            }
        }
    }

    /// Fails for good what was refused alone and was not found on the queue.
    pub(super) fn fail_unconfirmed(&mut self) {
        let blame = match self.verdict {
            Some(QueueVerdict::Found) => Blame::Address,
            Some(QueueVerdict::NotFound) | None => Blame::Either,
        };
        for Unconfirmed { member, refusal, .. } in std::mem::take(&mut self.unconfirmed) {
            self.fail(&[member], refused_for_content(&refusal, blame));
        }
    }

    /// The reading of the list that must come before the next set, if there is one. `next_chunk` is the chunk of that
    /// set.
    pub(super) fn list_to_confirm(&mut self, next: Option<usize>) -> Option<Listing> {
        let is_full = self.room.next_call() == Some(0) && !self.waiting().is_empty();
        if is_full && matches!(self.room, Room::Listed { .. }) {
            // The list that showed no room is newer than the refusal that it was read for.
            self.fail_full(Fill::by_list);
        }
        let is_refused_room = is_full && self.room == Room::AtMost(0);
        let is_end_of_chunk = self.unconfirmed.last().is_some_and(|unconfirmed| Some(unconfirmed.planned) != next);
        (is_refused_room || is_end_of_chunk).then(|| Listing::new(Purpose::Confirm { urgency: self.urgency }))
    }

    /// The list was read to confirm what fails. What is accused was decided before.
    pub(super) fn confirmed(&mut self, on_queue: &OnQueue, group: &Group) {
        let room = self.limits.additional_addresses.saturating_sub(on_queue.additional());
        let held = self.held_by_others(on_queue, group);
        let was_freed = held < std::mem::replace(&mut self.held, held);
        match self.room {
            Room::Listed { .. } => self.room = Room::listed(room),
            // Somebody took addresses off the queue meanwhile, so more may fit now.
            Room::AtMost(0) if was_freed => self.room = Room::listed(room),
            // The list explains why the API took no more.
            Room::AtMost(0) if room == 0 => self.room = Room::listed(0),
            Room::AtMost(0) => self.fail_full(Fill::by_refusal),
            Room::Unknown | Room::Unreadable { .. } | Room::AtMost(_) => {}
        }
    }

    /// The list could not be read to confirm what fails.
    pub(super) fn not_confirmed(&mut self, refused: &Refused) {
        if self.list == List::Denied {
            // The list that was read before is the last word.
            self.fail_unconfirmed();
            self.fail_full(Fill::by_refusal);
            return;
        }
        for Unconfirmed { member, refusal, .. } in std::mem::take(&mut self.unconfirmed) {
            self.fail(&[member], undecided(&refusal, refused));
        }
        if self.room.next_call() == Some(0) {
            let waiting = self.waiting();
            self.fail(&waiting, maybe_full(refused));
        }
    }

    /// How many addresses beside its default one the queue holds that this group did not add.
    pub(super) fn held_by_others(&self, on_queue: &OnQueue, group: &Group) -> usize {
        let added = |(outcome, address): &(&Option<Outcome>, &Address)| {
            **outcome == Some(Outcome::Associated) && on_queue.holds_beside_default(&address.id)
        };
        on_queue.additional() - self.outcomes.iter().zip(&group.addresses).filter(added).count()
    }

    /// Fails the addresses for good that find no room.
    fn fail_full(&mut self, failure: fn(Fill) -> Failure) {
        if self.room.next_call() != Some(0) {
            return;
        }
        let waiting = self.waiting();
        let fill = Fill {
            held: self.held,
            added: self.outcomes.iter().filter(|outcome| **outcome == Some(Outcome::Associated)).count(),
            left: waiting.len(),
            limit: self.limits.additional_addresses,
        };
        self.fail(&waiting, failure(fill));
    }

    /// The addresses that are to be associated and are neither decided nor accused.
    fn waiting(&self) -> Vec<usize> {
        let is_unconfirmed = |member: usize| self.unconfirmed.iter().any(|unconfirmed| unconfirmed.member == member);
        let waits = |member: &usize| self.outcomes[*member].is_none() && !is_unconfirmed(*member);
        (0..self.outcomes.len()).filter(|member| !self.checked.contains(member)).filter(waits).collect()
    }
}
