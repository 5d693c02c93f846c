//! Group: the state machine that associates the addresses of one queue.
//!
//! A group gives its next step away and gets the step back with the answer. It has no clock and no socket. Its calls
//! are made one after the other, because each answer decides which addresses the next call may hold.
//!
//! - When the API accepts a chunk, all addresses of the chunk are done.
//! - At the first refusal for content, the group reads the queue's list. The list shows whether the queue exists, and
//!   which addresses are on it already. The group then narrows the chunk (`narrowing`).
//! - At the first LimitExceededException, the group reads the list to find out the room on the queue (`room`).
//! - Before an address fails for good, the group may read the list once more (`confirm`).
//! - Last, the list decides the addresses that requests only check (`check`).

mod check;
mod confirm;
mod failure;
mod joining;
mod listing;
mod narrowing;
mod room;
mod unconfirmed;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::connect::{Class, ListedAddress, Page, Refusal, Refused};
use crate::failure::{Blame, Failure, Retry};
use crate::index::{AddressIndex, IndexList};
use crate::outcomes::{GroupOutcomes, Outcome};
use crate::plan::Group;
use crate::requests::EmailAddressId;

use self::failure::{failed, limited, no_time_to_retry, refused_for_content};
use self::listing::{Purpose, Read};
use self::narrowing::Narrowing;
use self::room::Room;
use self::unconfirmed::Unconfirmed;
use super::pause::Pause;

pub(crate) use self::listing::Listing;
pub(crate) use self::narrowing::Chunk;

/// The settings of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupLimits {
    /// Number of addresses that a queue takes beside its default one.
    pub(crate) additional_addresses: usize,
    /// Number of attempts of one call, the first one included.
    pub(crate) max_attempts: u32,
}

/// The state of one group.
#[derive(Debug)]
pub(crate) struct Progress {
    limits: GroupLimits,
    outcomes: IndexList<AddressIndex, Option<Outcome>>,
    narrowing: Narrowing,
    /// The next page of the queue's list, if the group needs one.
    listing: Option<Listing>,
    list: List,
    room: Room,
    /// Number of addresses beside its default one that the queue held when its list was read, without those that this
    /// group added.
    held: usize,
    /// Whether addresses have joined the group since the queue's list was read.
    joined_since_list: bool,
    /// Addresses that the API refused alone after the list was read. The group has not decided them yet.
    unconfirmed: Vec<Unconfirmed>,
    /// The urgency of the last call.
    urgency: usize,
    verdict: Option<QueueVerdict>,
    /// Addresses that are only checked.
    checked: BTreeSet<AddressIndex>,
    /// The failure of every address that is not decided, once the group makes no more calls.
    closed: Option<Arc<Failure>>,
    /// Addresses on the queue that no request names, without its default one. Known once the queue was checked.
    unrequested: Option<Vec<String>>,
}

/// Whether the queue's list was read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum List {
    /// The list was not read to its end yet.
    Unread,
    /// The list was read to its end at least once.
    Read,
    /// The function has no permission to read the list.
    Denied,
    /// The list could not be read to explain a refusal for content, and is not read again for that.
    Unreadable(Box<Refused>),
}

/// Whether the API knows the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueueVerdict {
    /// The API accepted a call for the queue or listed its addresses.
    Found,
    /// The API refused to list the queue's addresses. That call names only the queue and the instance.
    NotFound,
}

/// What the API's responses show about the queue of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing<'g> {
    /// Nothing.
    Unknown,
    /// The API rejected a call for its content. The queue's list is read to find out whether the queue exists.
    Doubtful,
    /// The API found the queue.
    Found,
    /// The API did not find the queue. All addresses of the group failed for this reason.
    NotFound(&'g Failure),
}

/// The next step of a group. The round gives it back with the answer.
#[derive(Debug)]
pub(crate) enum GroupStep {
    /// Associate the addresses of this chunk.
    Associate(Chunk),
    /// Read the next page of the queue's list.
    List(Listing),
}

impl Progress {
    /// Creates the state of a group before its first call.
    pub(crate) fn new(group: &Group, limits: GroupLimits) -> Self {
        let chunks = group.chunks.iter().map(|chunk| (chunk.addresses.clone(), chunk.urgency));
        let mut chunks: Vec<_> = chunks.collect();
        chunks.sort_by_key(|(_, urgency)| *urgency);
        let mut progress = Progress {
            limits,
            outcomes: IndexList::default(),
            narrowing: Narrowing::new(chunks.into_iter()),
            listing: None,
            list: List::Unread,
            room: Room::Unknown,
            held: 0,
            joined_since_list: false,
            unconfirmed: Vec::new(),
            urgency: 0,
            verdict: None,
            checked: BTreeSet::new(),
            closed: None,
            unrequested: None,
        };
        progress.grow(group);
        progress
    }

    /// The next step, or `None` if the group has no call to make now. The caller asks only after the step before was
    /// answered.
    ///
    /// If more addresses may join the group soon, a chunk that is not full waits for them.
    pub(crate) fn next_step(&mut self, more_may_join: bool) -> Option<GroupStep> {
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

    /// The step that reads the queue's list for a check. The caller requests it after all addresses to associate were
    /// decided, so that the list shows their outcome.
    pub(crate) fn next_check(&mut self, group: &Group) -> Option<GroupStep> {
        let is_first = group.is_checked && self.unrequested.is_none() && self.closed.is_none();
        let is_wanted = is_first || self.to_check().next().is_some();
        is_wanted.then(|| GroupStep::List(Listing::new(Purpose::Check { urgency: group.check_urgency })))
    }

    fn fail_undecided(&mut self, failure: Arc<Failure>) {
        self.listing = None;
        self.unconfirmed.clear();
        for outcome in self.outcomes.iter_mut().filter(|outcome| outcome.is_none()) {
            *outcome = Some(Outcome::Failed(failure.clone()));
        }
    }

    /// What the responses so far show about the queue.
    pub(crate) fn standing(&self) -> Standing<'_> {
        match (self.verdict, &self.closed, &self.listing) {
            (Some(QueueVerdict::Found), _, _) => Standing::Found,
            (Some(QueueVerdict::NotFound), Some(failure), _) => Standing::NotFound(failure),
            (_, _, Some(listing)) if listing.explains_content() => Standing::Doubtful,
            _ => Standing::Unknown,
        }
    }

    /// The outcome of each address of the group, in order.
    ///
    /// An address that was never decided fails as `DeadlineExceeded`, so that no address is lost silently.
    pub(crate) fn finish(self) -> GroupOutcomes {
        let undecided = Arc::new(Failure::deadline_exceeded("it was not called"));
        let decided =
            |outcome: Option<Outcome>| outcome.unwrap_or_else(|| Outcome::Failed(undecided.clone()));
        GroupOutcomes {
            by_address: self.outcomes.into_iter().map(decided).collect(),
            unrequested: self.unrequested,
        }
    }

    fn fail(&mut self, members: &[AddressIndex], failure: Failure) {
        self.decide(members, &Outcome::Failed(Arc::new(failure)));
    }

    fn decide(&mut self, members: &[AddressIndex], outcome: &Outcome) {
        for member in members {
            self.outcomes[*member].get_or_insert_with(|| outcome.clone());
        }
    }

    /// Records that every address of the chunk is on the queue.
    pub(crate) fn associated(&mut self, chunk: &Chunk) {
        self.urgency = chunk.urgency;
        self.verdict = Some(QueueVerdict::Found);
        self.narrowing.accepted(chunk);
        self.room.passed();
        self.room.taken(chunk.members.len());
        self.decide(&chunk.members, &Outcome::Associated);
    }

    /// Records that the call for a chunk failed after all its retries. Returns how long the next step must wait, if it
    /// must.
    pub(crate) fn not_associated(&mut self, chunk: Chunk, refused: Refused) -> Option<Pause> {
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
            // The API would refuse every other address of the queue for the same reason.
            Class::Denied => self.close(Arc::new(failed(&refusal, Retry::Never, Blame::Nothing))),
            Class::Credentials => self.close(Arc::new(failed(&refusal, Retry::MayPass, Blame::Nothing))),
            // An earlier attempt may have succeeded although its answer was lost. The API then refuses an address
            // because it is on the queue already, and only the list shows that.
            Class::NotFound | Class::Content => match self.list {
                List::Unread => self.explain(chunk, refusal),
                List::Read if maybe_done => self.explain(chunk, refusal),
                List::Read | List::Denied | List::Unreadable(_) => self.narrow(chunk, refusal),
            },
            Class::Limit => return self.over_limit(chunk, refusal),
        }
        None
    }

    fn over_limit(&mut self, chunk: Chunk, refusal: Refusal) -> Option<Pause> {
        match &self.room {
            Room::Unknown => self.explain(chunk, refusal),
            Room::Listed { .. } | Room::AtMost(_) => {
                if self.room.retry(self.limits.max_attempts) {
                    self.narrowing.put_back(chunk);
                    return back_off(&refusal);
                }
                self.room = Room::AtMost(chunk.members.len().saturating_sub(1));
                self.narrowing.put_back(chunk);
            }
            Room::Unreadable { refusals, list } => {
                let (refusals, list) = (refusals + 1, list.clone());
                return self.over_limit_unlisted(chunk, &refusal, refusals, list);
            }
        }
        None
    }

    /// Handles a full queue whose list could not be read. Only another attempt shows whether there is room by then.
    fn over_limit_unlisted(
        &mut self,
        chunk: Chunk,
        refusal: &Refusal,
        refusals: u32,
        list: Box<Refused>,
    ) -> Option<Pause> {
        if refusals >= self.limits.max_attempts {
            self.fail(&chunk.members, limited(refusal, &list));
            // The next chunk has its own attempts.
            self.room = Room::Unreadable { refusals: 0, list };
            return None;
        }
        self.room = Room::Unreadable { refusals, list };
        self.narrowing.put_back(chunk);
        back_off(refusal)
    }

    fn explain(&mut self, chunk: Chunk, refusal: Refusal) {
        self.listing = Some(Listing::new(Purpose::Explain(chunk, Box::new(refusal))));
    }

    /// Takes a page of the queue's list. Returns how long the next step must wait, if it must.
    ///
    /// `existing` says whether the directory of addresses has an identifier. The group uses it only for addresses that
    /// requests check.
    pub(crate) fn listed(
        &mut self,
        listing: Listing,
        page: Page<ListedAddress>,
        group: &Group,
        existing: impl Fn(&EmailAddressId) -> Result<(), Arc<Failure>>,
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
        self.joined_since_list = false;
        for (outcome, address) in self.outcomes.iter_mut().zip(&group.addresses) {
            if outcome.is_none() && on_queue.holds(&address.id) {
                *outcome = Some(Outcome::AlreadyAssociated);
            }
        }
        // The list is newer than the refusals of these addresses.
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
            // The addresses on the queue may have been the reason, so the others are tried together.
            Purpose::Explain(chunk, _) => self.narrowing.put_back(chunk),
        }
        None
    }

    /// Whether no address of the chunk is decided.
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
        // If the whole chunk fits, the refusal may pass, so the group makes the same call again.
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

    /// Records that the queue's list could not be read. Returns how long the next step must wait, if it must.
    pub(crate) fn not_listed(&mut self, listing: Listing, refused: &Refused) -> Option<Pause> {
        let of_list = &refused.refusal;
        // The call for the first page names only the queue and its instance. The API may refuse a later page because of
        // its token.
        if of_list.class.blames_content() && listing.next_token().is_none() {
            self.verdict = Some(QueueVerdict::NotFound);
            self.close(Arc::new(refused_for_content(of_list, Blame::Queue)));
            return None;
        }
        if of_list.class == Class::Denied {
            self.list = List::Denied;
        }
        match listing.into_purpose() {
            Purpose::Confirm { .. } => self.not_confirmed(refused),
            Purpose::Check { .. } => self.not_checked(refused),
            Purpose::Explain(chunk, refusal) if refusal.class == Class::Limit => {
                return self.over_limit_unlisted(chunk, &refusal, 1, Box::new(refused.clone()));
            }
            Purpose::Explain(chunk, refusal) => {
                if self.list != List::Denied {
                    self.list = List::Unreadable(Box::new(refused.clone()));
                }
                self.narrow(chunk, *refusal);
            }
        }
        None
    }
}

/// Makes the refused call again after a pause.
fn back_off(refusal: &Refusal) -> Option<Pause> {
    Some(Pause { at_least: refusal.retry_after.unwrap_or_default() })
}

#[cfg(test)]
mod tests;
