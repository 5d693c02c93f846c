//! One group: the state machine that brings the addresses of one queue onto it.
//!
//! It gives its next step away, and takes it back with the answer; it knows no clock and no socket. Its calls are made
//! one after the other: what fits on a queue, and which address is at fault, depends on the answer before.
//!
//! - A chunk that is accepted is done.
//! - At the first refusal for content, the queue's list is read. It tells whether the queue exists at all, and what
//!   is on it already. The rest is narrowed down (`narrowing`).
//! - At the first LimitExceededException, the list tells how much room there is (`room`).
//! - Before an address fails for good, the list may have to be read once more (`confirm`).
//! - Addresses that are only checked are decided by the list, after all that is to be associated (`check`).

mod unconfirmed;
mod check;
mod confirm;
mod failure;
mod joining;
mod listing;
mod room;
mod narrowing;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::connect::{Class, ListedAddress, Page, Refusal, Refused};
use crate::failure::{Blame, Failure, Retry};
use crate::outcomes::{GroupOutcomes, Outcome};
use crate::plan::{Address, Group};
use crate::requests::Intent;

use self::unconfirmed::Unconfirmed;
use self::failure::{failed, no_time_to_retry, refused_for_content, undecided};
use self::listing::{Purpose, Read};
use self::room::Room;
use self::narrowing::Narrowing;
use super::pause::Pause;

pub use self::listing::Listing;
pub use self::narrowing::Chunk;

/// What a group needs to know of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupLimits {
    /// Addresses that a queue takes beside its default one.
    pub additional_addresses: usize,
    /// Attempts of one call, the first one included.
    pub max_attempts: u32,
}

/// How far one group has come.
#[derive(Debug)]
pub struct Progress {
    limits: GroupLimits,
    outcomes: Vec<Option<Outcome>>,
    narrowing: Narrowing,
    /// The reading of the queue's list that is wanted next.
    listing: Option<Listing>,
    list: List,
    room: Room,
    /// How many addresses beside its default one the queue held when its room was looked at, without those that this
    /// group added.
    held: usize,
    /// Addresses that the API refused alone, after the list was read. They are not decided yet.
    unconfirmed: Vec<Unconfirmed>,
    /// How urgent the last call was.
    urgency: usize,
    verdict: Option<QueueVerdict>,
    begun: bool,
    /// Addresses that are only checked.
    checked: BTreeSet<usize>,
    /// Why nothing more of the group is called.
    closed: Option<Arc<Failure>>,
    /// Addresses on the queue, beside its default one, that nobody asks for. Known once the queue was checked.
    unrequested: Option<Vec<String>>,
}

/// Whether the queue's list was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    /// It was not read to its end yet.
    Unread,
    /// It was read to its end at least once.
    Read,
    /// The function has no permission to read it.
    Denied,
}

/// Whether the API knows the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueVerdict {
    /// It accepted a call for the queue or listed its addresses.
    Found,
    /// It refused to list the queue's addresses for its content, which names only the queue and the instance.
    NotFound,
}

/// What a group wants called next. It comes back with the answer.
#[derive(Debug)]
pub enum GroupStep {
    /// Associate these addresses.
    Associate(Chunk),
    /// Read the next page of the queue's list.
    List(Listing),
}

impl Progress {
    /// A group of which nothing was called yet.
    pub fn new(group: &Group, limits: GroupLimits) -> Self {
        let outcomes = group.addresses.iter().map(beforehand).collect();
        let chunks = group.chunks.iter().map(|chunk| (chunk.positions().collect(), chunk.urgency));
        let mut chunks: Vec<(Vec<usize>, _)> = chunks.collect();
        chunks.sort_by_key(|(_, urgency)| *urgency);
        Progress {
            limits,
            outcomes,
            narrowing: Narrowing::new(chunks.into_iter()),
            listing: None,
            list: List::Unread,
            room: Room::Unknown,
            held: 0,
            unconfirmed: Vec::new(),
            urgency: 0,
            verdict: None,
            begun: false,
            checked: positions_to_check(group, 0).collect(),
            closed: None,
            unrequested: None,
        }
    }

    /// The next step, or nothing if all is decided. The one before must have been answered.
    ///
    /// If more addresses may join the group soon, a chunk that is not whole waits for them.
    pub fn next_step(&mut self, more_may_join: bool) -> Option<GroupStep> {
        if let Some(listing) = self.listing.take() {
            return Some(GroupStep::List(listing));
        }
        if more_may_join && !self.narrowing.whole_chunk_first() {
            return None;
        }
        let outcomes = &self.outcomes;
        let chunk = self.narrowing.next(self.room.next_call(), |member| outcomes[member].is_none());
        if let Some(listing) = self.list_to_confirm(chunk.as_ref().map(|chunk| chunk.planned)) {
            chunk.into_iter().for_each(|chunk| self.narrowing.put_back(chunk));
            return Some(GroupStep::List(listing));
        }
        chunk.map(GroupStep::Associate)
    }

    /// Whether the queue's list is to be read for addresses that are only checked. All that is to be associated was
    /// decided before, so that the list shows it.
    pub fn next_check(&mut self, group: &Group) -> Option<GroupStep> {
        let is_wanted = self.to_check().next().is_some();
        is_wanted.then(|| GroupStep::List(Listing::new(Purpose::Check { urgency: group.check_urgency })))
    }

    fn fail_undecided(&mut self, failure: Failure) {
        self.listing = None;
        self.unconfirmed.clear();
        let failure = Arc::new(failure);
        for outcome in self.outcomes.iter_mut().filter(|outcome| outcome.is_none()) {
            *outcome = Some(Outcome::Failed(failure.clone()));
        }
    }

    /// Whether a call of it was answered.
    pub fn is_begun(&self) -> bool {
        self.begun
    }

    /// Whether the API knows the queue, once that is known.
    pub fn verdict(&self) -> Option<QueueVerdict> {
        self.verdict
    }

    /// The outcome of each address of the group, in order.
    ///
    /// An address that was never decided is reported as one that time was too short for: nothing is lost silently.
    pub fn finish(self) -> GroupOutcomes {
        let undecided = Arc::new(Failure::deadline_exceeded("it was not called"));
        let decided =
            |outcome: Option<Outcome>| outcome.unwrap_or_else(|| Outcome::Failed(undecided.clone()));
        GroupOutcomes {
            by_address: self.outcomes.into_iter().map(decided).collect(),
            unrequested: self.unrequested,
        }
    }

    fn fail(&mut self, members: &[usize], failure: Failure) {
        self.decide(members, &Outcome::Failed(Arc::new(failure)));
    }

    fn decide(&mut self, members: &[usize], outcome: &Outcome) {
        for member in members {
            self.outcomes[*member].get_or_insert_with(|| outcome.clone());
        }
    }

    /// Every address of the set is on the queue.
    pub fn associated(&mut self, chunk: &Chunk) {
        self.begun = true;
        self.urgency = chunk.urgency;
        self.verdict = Some(QueueVerdict::Found);
        self.narrowing.accepted(chunk);
        self.room.passed();
        self.room.taken(chunk.members.len());
        self.decide(&chunk.members, &Outcome::Associated);
    }

    /// The call that was to associate the set failed for good. Tells whether the next step is to wait.
    pub fn not_associated(&mut self, chunk: Chunk, refused: Refused) -> Option<Pause> {
        self.begun = true;
        self.urgency = chunk.urgency;
        let Refused { refusal, out_of_time, maybe_done } = refused;
        if refusal.class != Class::Limit {
            self.room.passed();
        }
        match refusal.class {
            Class::Throttled | Class::Unavailable => {
                let failure = if out_of_time {
                    no_time_to_retry(&refusal)
                } else {
                    failed(&refusal, Retry::MayPass, Blame::Nothing)
                };
                self.fail(&chunk.members, failure);
            }
            // The same for every address of the queue.
            Class::Denied => self.close(failed(&refusal, Retry::Never, Blame::Nothing)),
            Class::Credentials => self.close(failed(&refusal, Retry::MayPass, Blame::Nothing)),
            // A lost answer to an earlier attempt may be why an address is refused now: as one that is on the queue.
            Class::NotFound | Class::Content if maybe_done || self.list == List::Unread => {
                self.explain(chunk, refusal);
            }
            Class::NotFound | Class::Content => self.narrow(chunk, refusal),
            Class::Limit => return self.over_limit(chunk, refusal),
        }
        None
    }

    fn over_limit(&mut self, chunk: Chunk, refusal: Refusal) -> Option<Pause> {
        match self.room {
            Room::Unknown => self.explain(chunk, refusal),
            Room::Listed { .. } | Room::AtMost(_) => {
                if self.room.retry(self.limits.max_attempts) {
                    self.narrowing.put_back(chunk);
                    return back_off(&refusal);
                }
                self.room = Room::AtMost(chunk.members.len().saturating_sub(1));
                self.narrowing.put_back(chunk);
            }
            Room::Unreadable { refusals } => return self.over_limit_unlisted(chunk, &refusal, refusals + 1),
        }
        None
    }

    /// The queue's list could not be read, so only the API can tell whether there is room.
    fn over_limit_unlisted(&mut self, chunk: Chunk, refusal: &Refusal, refusals: u32) -> Option<Pause> {
        if refusals >= self.limits.max_attempts {
            // The next set has its own attempts.
            self.room = Room::Unreadable { refusals: 0 };
            self.fail(&chunk.members, failed(refusal, Retry::MayPass, Blame::Nothing));
            return None;
        }
        self.room = Room::Unreadable { refusals };
        self.narrowing.put_back(chunk);
        back_off(refusal)
    }

    fn explain(&mut self, chunk: Chunk, refusal: Refusal) {
        self.listing = Some(Listing::new(Purpose::Explain(chunk, Box::new(refusal))));
    }

    /// A page of the queue's list was read. Tells whether the next step is to wait.
    ///
    /// `existing` tells for an identifier whether the directory of addresses has it. It is asked only for addresses that
    /// are checked.
    pub fn listed(
        &mut self,
        listing: Listing,
        page: Page<ListedAddress>,
        group: &Group,
        existing: impl Fn(&str) -> Result<(), Arc<Failure>>,
    ) -> Option<Pause> {
        self.verdict = Some(QueueVerdict::Found);
        let (on_queue, purpose) = match listing.add(page) {
            Read::Whole(on_queue, purpose) => (on_queue, purpose),
            Read::More(listing) => {
                self.listing = Some(listing);
                return None;
            }
            Read::Endless(listing, refused) => return self.not_listed(listing, &refused),
        };
        self.list = List::Read;
        for (outcome, address) in self.outcomes.iter_mut().zip(&group.addresses) {
            if outcome.is_none() && on_queue.holds(&address.id) {
                *outcome = Some(Outcome::AlreadyAssociated);
            }
        }
        // The list is newer than the refusals of the accused.
        self.fail_unconfirmed();
        if matches!(self.room, Room::Unreadable { .. }) {
            self.room = Room::Unknown;
        }
        match purpose {
            Purpose::Confirm { .. } => self.confirmed(&on_queue, group),
            Purpose::Check { .. } => self.checked(&on_queue, group, existing),
            Purpose::Explain(chunk, refusal) if refusal.class == Class::Limit => {
                self.held = self.held_by_others(&on_queue, group);
                return self.room_listed(chunk, &refusal, on_queue.additional());
            }
            Purpose::Explain(chunk, refusal) if self.is_undecided(&chunk) => {
                self.narrow(chunk, *refusal);
                self.fail_unconfirmed();
            }
            // What was on the queue may have been the reason: the rest is asked for as a whole.
            Purpose::Explain(chunk, _) => self.narrowing.put_back(chunk),
        }
        None
    }

    /// Whether nothing of the set is decided.
    fn is_undecided(&self, chunk: &Chunk) -> bool {
        chunk.members.iter().all(|member| self.outcomes[*member].is_none())
    }

    fn room_listed(&mut self, chunk: Chunk, refusal: &Refusal, additional: usize) -> Option<Pause> {
        let room = self.limits.additional_addresses.saturating_sub(additional);
        let left = chunk.members.iter().filter(|member| self.outcomes[**member].is_none()).count();
        let as_refused = self.is_undecided(&chunk);
        self.room = Room::listed(room);
        self.narrowing.put_back(chunk);
        self.narrowing.in_requested_order();
        // Where all of the set fits, the refusal may pass: the same call is made again, which is a retry.
        if left > 0 && left <= room {
            if self.room.retry(self.limits.max_attempts) {
                return back_off(refusal);
            }
            if as_refused {
                self.room = Room::AtMost(left - 1);
            }
        }
        None
    }

    /// The queue's list was refused. Tells whether the next step is to wait.
    pub fn not_listed(&mut self, listing: Listing, refused: &Refused) -> Option<Pause> {
        let of_list = &refused.refusal;
        // A call for the first page names nothing but the queue and its instance. A later page may be refused for its
        // token.
        if of_list.class.blames_content() && listing.next_token().is_none() {
            self.verdict = Some(QueueVerdict::NotFound);
            self.close(refused_for_content(of_list, Blame::Queue));
            return None;
        }
        if of_list.class == Class::Denied {
            self.list = List::Denied;
        }
        match listing.into_purpose() {
            Purpose::Confirm { .. } => self.not_confirmed(refused),
            Purpose::Check { .. } => self.not_checked(refused),
            Purpose::Explain(chunk, refusal) if refusal.class == Class::Limit => {
                return self.over_limit_unlisted(chunk, &refusal, 1);
            }
            Purpose::Explain(chunk, refusal) if self.list == List::Denied => self.narrow(chunk, *refusal),
            // The API may refuse an address because the queue already has it, and it refuses every address of a
            // missing queue. So nothing is blamed before the list was read.
            Purpose::Explain(chunk, refusal) => self.fail(&chunk.members, undecided(&refusal, refused)),
        }
        None
    }
}

/// The outcome that an address has before anything is called.
fn beforehand(address: &Address) -> Option<Outcome> {
    (address.intent == Intent::Plan).then_some(Outcome::Planned)
}

/// The addresses of a group, from a position on, that are only checked.
fn positions_to_check(group: &Group, from: usize) -> impl Iterator<Item = usize> {
    (from..group.addresses.len()).filter(|position| group.addresses[*position].intent == Intent::Check)
}

/// The refused call is made again.
fn back_off(refusal: &Refusal) -> Option<Pause> {
    Some(Pause { at_least: refusal.retry_after.unwrap_or_default() })
}

#[cfg(test)]
mod tests;
