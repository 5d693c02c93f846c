//! Confirm: reads the queue's list again before an address fails for good, if the list is older than the refusal.
//!
//! Another process may change the queue at any time. By now, a refused address may be on the queue, or other addresses
//! may have taken the last room. The group reads the list again once for all unconfirmed addresses of a chunk, after it
//! has decided the others. It also reads the list once more before addresses fail for lack of room, in two cases: the API
//! takes no more addresses although the list showed room, or addresses have joined the group since the list was read.

use crate::connect::{Refusal, Refused};
use crate::failure::{Blame, Failure};
use crate::index::AddressIndex;
use crate::outcomes::Outcome;
use crate::plan::{Address, Group};

use super::failure::{Fill, maybe_full, refused_for_content, undecided};
use super::listing::{Listing, OnQueue, Purpose};
use super::narrowing::Chunk;
use super::room::Room;
use super::unconfirmed::Unconfirmed;
use super::{List, Progress, QueueVerdict};

impl Progress {
    /// Narrows a chunk that was refused for its content. A chunk of one address becomes unconfirmed.
    pub(super) fn narrow(&mut self, chunk: Chunk, refusal: Refusal) {
        let planned = chunk.planned;
        if let Err(member) = self.narrowing.refused(chunk) {
            match &self.list {
                // The API may refuse an address because the queue already has it, and it refuses every address of a
                // missing queue. So no address is blamed if the list cannot show that.
                List::Unreadable(list) => {
                    let failure = undecided(&refusal, list);
                    self.fail(&[member], failure);
                }
                List::Unread | List::Read => self.unconfirmed.push(Unconfirmed { member, planned, refusal }),
                List::Denied => {
                    self.unconfirmed.push(Unconfirmed { member, planned, refusal });
                    self.fail_unconfirmed();
                }
            }
        }
    }

    /// Fails the unconfirmed addresses for good. The list has shown that they are not on the queue.
    pub(super) fn fail_unconfirmed(&mut self) {
        let blame = match self.verdict {
            Some(QueueVerdict::Found) => Blame::Address,
            Some(QueueVerdict::NotFound) | None => Blame::Either,
        };
        for Unconfirmed { member, refusal, .. } in std::mem::take(&mut self.unconfirmed) {
            self.fail(&[member], refused_for_content(&refusal, blame));
        }
    }

    /// The reading of the list that must come before the next chunk, if one must. `next` is the planned chunk that the
    /// next chunk belongs to.
    pub(super) fn list_to_confirm(&mut self, next: Option<usize>) -> Option<Listing> {
        let is_full = self.room.next_call() == Some(0) && !self.waiting().is_empty();
        let is_refused_room = is_full && self.room == Room::AtMost(0);
        let is_old_list = is_full && self.joined_since_list;
        let is_end_of_chunk =
            self.unconfirmed.last().is_some_and(|unconfirmed| Some(unconfirmed.planned) != next);
        let is_wanted = is_refused_room || is_old_list || is_end_of_chunk;
        if is_full && !is_wanted {
            // The group read this list because of the refusal, so the list is newer.
            self.fail_full(Fill::by_list);
        }
        is_wanted.then(|| Listing::new(Purpose::Confirm { urgency: self.urgency }))
    }

    /// Takes a list that was read to confirm failures. The unconfirmed addresses were decided before.
    pub(super) fn confirmed(&mut self, on_queue: &OnQueue, group: &Group) {
        let room = self.limits.additional_addresses.saturating_sub(on_queue.additional());
        let held = self.held_by_others(on_queue, group);
        let was_freed = held < std::mem::replace(&mut self.held, held);
        match &self.room {
            Room::Listed { .. } => self.room = Room::listed(room),
            // Somebody removed addresses from the queue meanwhile, so more may fit now.
            Room::AtMost(0) if was_freed => self.room = Room::listed(room),
            // The list explains why the API took no more.
            Room::AtMost(0) if room == 0 => self.room = Room::listed(0),
            Room::AtMost(0) => self.fail_full(Fill::by_refusal),
            Room::Unknown | Room::Unreadable { .. } | Room::AtMost(_) => {}
        }
    }

    /// Records that the list could not be read to confirm failures.
    pub(super) fn not_confirmed(&mut self, refused: &Refused) {
        // The list that was read because of the refusal still decides, unless addresses have joined since.
        if matches!(self.room, Room::Listed { .. }) && (self.list == List::Denied || !self.joined_since_list)
        {
            self.fail_full(Fill::by_list);
        }
        if self.list == List::Denied {
            // Without permission, the list that was read before decides.
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

    /// Number of addresses beside its default one that the queue holds and that this group did not add.
    pub(super) fn held_by_others(&self, on_queue: &OnQueue, group: &Group) -> usize {
        let added = |(outcome, address): &(&Option<Outcome>, &Address)| {
            **outcome == Some(Outcome::Associated) && on_queue.holds_beside_default(&address.id)
        };
        on_queue.additional() - self.outcomes.iter().zip(&group.addresses).filter(added).count()
    }

    /// Fails the addresses for good for which there is no room.
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

    /// The addresses to associate that are neither decided nor unconfirmed.
    fn waiting(&self) -> Vec<AddressIndex> {
        let is_unconfirmed =
            |member: AddressIndex| self.unconfirmed.iter().any(|unconfirmed| unconfirmed.member == member);
        let waits = |member: &AddressIndex| self.outcomes[*member].is_none() && !is_unconfirmed(*member);
        self.outcomes.indices().filter(|member| !self.checked.contains(member)).filter(waits).collect()
    }
}
