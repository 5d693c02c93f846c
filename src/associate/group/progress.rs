//! The state machine of one group.

use std::sync::Arc;
use std::time::Duration;

use crate::associate::outcome::{GroupOutcomes, Outcome};
use crate::associate::plan::{Group, PlannedChunk};
use crate::connect::{Class, ListedAddress, Page, RejectedCall, Rejection};
use crate::failure::{Blame, Failure, Retry};
use crate::index::AddressIndex;
use crate::requests::{EmailAddressId, Intent};

use super::addresses::Addresses;
use super::check::{check, unrequested};
use super::failure::{
    FillLevel, FullBy, failed, limited, maybe_full, rejected_for_content, unavailable, unchecked, undecided,
};
use super::listing::{ListStatus, Listing, OnQueue, Purpose};
use super::narrowing::Chunk;
use super::room::{AfterLimit, Room};
use super::{GroupLimits, GroupStep, QueueStatus};

/// The addresses of a group, and what its responses so far show.
///
/// If the queue may have room later, a response leads to a wait before the next step, which then is a retry. The group
/// returns the least wait, which the server requests.
#[derive(Debug)]
pub(crate) struct Progress {
    limits: GroupLimits,
    state: GroupState,
    addresses: Addresses,
    /// Whether the API accepted a call for the queue or listed its addresses.
    is_found: bool,
    list: ListStatus,
    room: Room,
    /// Addresses on the queue that no request contains, without its default one. Known after a check of the queue.
    unrequested: Option<Vec<String>>,
}

/// What the group does next.
#[derive(Debug)]
enum GroupState {
    /// The next step is a chunk, if there is one.
    Ready,
    /// The next step is a page of the queue's list.
    Reading(Box<Listing>),
    /// The group waits for the response to its step.
    Waiting,
    /// The queue does not exist. Addresses that join later fail for this reason too.
    Missing(Arc<Failure>),
    /// The group makes no more calls for another reason. Addresses that join later fail for it too.
    Closed(Arc<Failure>),
}

impl Progress {
    pub(crate) fn new(limits: GroupLimits) -> Self {
        Progress {
            limits,
            state: GroupState::Ready,
            addresses: Addresses::default(),
            is_found: false,
            list: ListStatus::Unread,
            room: Room::Unknown,
            unrequested: None,
        }
    }

    /// The next step, or `None` if the group has no call to make now.
    ///
    /// If more addresses may join the group soon, a chunk that is not full waits for them.
    pub(crate) fn next_step(&mut self, group: &Group, more_may_join: bool) -> Option<GroupStep> {
        let step = match std::mem::replace(&mut self.state, GroupState::Ready) {
            GroupState::Reading(listing) => GroupStep::List(listing),
            GroupState::Ready => self.next_chunk(group, more_may_join)?,
            state @ (GroupState::Waiting | GroupState::Missing(_) | GroupState::Closed(_)) => {
                self.state = state;
                return None;
            }
        };
        self.state = GroupState::Waiting;
        Some(step)
    }

    /// The step that reads the queue's list for a check. The caller requests it after all addresses to associate were
    /// decided, so that the list shows their outcome.
    pub(crate) fn next_check(&mut self, group: &Group) -> Option<GroupStep> {
        let is_first = group.is_checked && self.unrequested.is_none();
        let is_wanted = is_first || !self.addresses.undecided(group, Intent::Check).is_empty();
        if !matches!(self.state, GroupState::Ready) || !is_wanted {
            return None;
        }
        self.state = GroupState::Waiting;
        let purpose = Purpose::Check { request_calls: group.check_request_calls };
        Some(GroupStep::List(Box::new(Listing::new(purpose))))
    }

    /// Tops up an untried chunk with addresses that have joined the group meanwhile.
    pub(crate) fn fill(&mut self, chunk: &mut Chunk, group: &Group) {
        if chunk.takes_more() && self.room.next_call().is_none() {
            self.addresses.narrowing.fill(chunk, |member| group.addresses[member].first_pair);
        }
    }

    pub(crate) fn queue_status(&self) -> QueueStatus<'_> {
        match &self.state {
            GroupState::Missing(failure) => QueueStatus::NotFound(failure),
            _ if self.is_found => QueueStatus::Found,
            GroupState::Reading(listing) if listing.explains_rejection() => QueueStatus::Doubtful,
            _ => QueueStatus::Unknown,
        }
    }

    pub(crate) fn outcome(&self, address: AddressIndex) -> Option<&Outcome> {
        self.addresses.outcome(address)
    }

    /// Adds the addresses that have joined the group in the plan.
    pub(crate) fn grow(&mut self, group: &Group) {
        self.addresses.grow(group);
    }

    /// Adds chunks to associate. Their addresses have just joined the group, or only dry runs requested them before.
    pub(crate) fn join(&mut self, chunks: Vec<PlannedChunk>) {
        let closed = match &self.state {
            GroupState::Missing(failure) | GroupState::Closed(failure) => Some(failure),
            GroupState::Ready | GroupState::Reading(_) | GroupState::Waiting => None,
        };
        self.addresses.join(chunks, closed);
        self.room.joined();
        if self.room.is_full() {
            self.addresses.narrowing.sort_by_request_order();
        }
    }

    /// Fails the undecided addresses, and the addresses that join the group later.
    pub(crate) fn close(&mut self, failure: Arc<Failure>) {
        self.addresses.close(&failure);
        self.state = GroupState::Closed(failure);
    }

    pub(crate) fn finish(self) -> GroupOutcomes {
        GroupOutcomes { by_address: self.addresses.finish(), unrequested: self.unrequested }
    }

    /// Records that every address of the chunk is on the queue.
    pub(crate) fn associated(&mut self, chunk: &Chunk) {
        self.state = GroupState::Ready;
        self.is_found = true;
        self.addresses.accepted(chunk);
        self.room.passed();
        self.room.associated(chunk.members.len());
    }

    /// Records that a chunk's call failed after all its retries.
    pub(crate) fn not_associated(&mut self, chunk: Chunk, rejected: RejectedCall) -> Option<Duration> {
        self.state = GroupState::Ready;
        let RejectedCall { rejection, out_of_time } = rejected;
        if rejection.class != Class::Limit {
            self.room.passed();
        }
        match rejection.class {
            Class::Throttled | Class::Unavailable => {
                self.addresses.fail(&chunk.members, unavailable(&rejection, out_of_time));
            }
            // The API would reject every other address of the queue for the same reason.
            Class::Denied => self.close(Arc::new(failed(&rejection, Retry::Never, Blame::Nothing))),
            Class::Credentials => self.close(Arc::new(failed(&rejection, Retry::MayPass, Blame::Nothing))),
            Class::NotFound | Class::Content if self.list == ListStatus::Unread => {
                self.read_list(Purpose::ExplainRejection(chunk, Box::new(rejection)));
            }
            Class::NotFound | Class::Content => self.narrow(chunk, rejection),
            Class::Limit => return self.over_limit(chunk, rejection),
        }
        None
    }

    /// Takes a page of the queue's list.
    ///
    /// `existing` says whether the directory of addresses has an identifier. The group uses it only for addresses that
    /// requests check.
    pub(crate) fn listed(
        &mut self,
        mut listing: Listing,
        page: Page<ListedAddress>,
        group: &Group,
        existing: impl Fn(&EmailAddressId) -> Result<(), Arc<Failure>>,
    ) -> Option<Duration> {
        self.is_found = true;
        match listing.add(page) {
            Ok(true) => {}
            Ok(false) => {
                self.state = GroupState::Reading(Box::new(listing));
                return None;
            }
            Err(endless) => return self.not_listed(listing, &endless, group),
        }
        let Listing { on_queue, purpose, .. } = listing;
        self.state = GroupState::Ready;
        self.list = ListStatus::Read;
        self.addresses.mark_listed(&on_queue, group);
        self.room.list_read();
        // The list is newer than the rejections of these addresses.
        self.fail_unconfirmed();
        match purpose {
            Purpose::Confirm { .. } => {
                let room = on_queue.room(self.limits.additional_addresses);
                if self.room.confirm(room, self.addresses.held_by_others(&on_queue, group)) {
                    self.fail_full(group, FullBy::Rejection);
                }
            }
            Purpose::Check { .. } => {
                let to_check = self.addresses.undecided(group, Intent::Check);
                let limit = self.limits.additional_addresses;
                for (member, outcome) in check(&on_queue, group, to_check, limit, existing) {
                    self.addresses.decide(&[member], &outcome);
                }
                self.unrequested = Some(unrequested(&on_queue, group));
            }
            Purpose::FindRoom(chunk, rejection) => {
                return self.room_listed(chunk, &rejection, &on_queue, group);
            }
            Purpose::ExplainRejection(chunk, rejection) if self.addresses.is_undecided(&chunk) => {
                self.narrow(chunk, *rejection);
                self.fail_unconfirmed();
            }
            // The addresses on the queue may have been the reason, so the others are tried together.
            Purpose::ExplainRejection(chunk, _) => self.addresses.narrowing.put_back(chunk),
        }
        None
    }

    /// Records that the queue's list could not be read.
    pub(crate) fn not_listed(
        &mut self,
        listing: Listing,
        call: &RejectedCall,
        group: &Group,
    ) -> Option<Duration> {
        self.state = GroupState::Ready;
        // The call for the first page contains only the queue and its instance. The API may reject a later page because
        // of its token.
        if call.rejection.class.blames_content() && listing.next_token().is_none() {
            let failure = Arc::new(rejected_for_content(&call.rejection, Blame::Queue));
            self.close(failure.clone());
            self.state = GroupState::Missing(failure);
            return None;
        }
        if call.rejection.class == Class::Denied {
            self.list = ListStatus::Denied;
        }
        match listing.purpose {
            Purpose::Confirm { .. } => self.not_confirmed(call, group),
            Purpose::Check { .. } => self.close(Arc::new(unchecked(call))),
            Purpose::FindRoom(chunk, rejection) => {
                self.room = Room::unreadable(call.clone());
                return self.over_limit(chunk, *rejection);
            }
            Purpose::ExplainRejection(chunk, rejection) => {
                if self.list != ListStatus::Denied {
                    self.list = ListStatus::Unreadable(Box::new(call.clone()));
                }
                self.narrow(chunk, *rejection);
            }
        }
        None
    }

    /// The next chunk to try, or the list that must be read before it.
    fn next_chunk(&mut self, group: &Group, more_may_join: bool) -> Option<GroupStep> {
        if more_may_join && !self.addresses.narrowing.move_full_chunk_first() {
            return None;
        }
        let chunk = self.addresses.next_chunk(self.room.next_call());
        if let Some(listing) = self.list_to_confirm(group, chunk.as_ref().map(|chunk| chunk.planned)) {
            chunk.into_iter().for_each(|chunk| self.addresses.narrowing.put_back(chunk));
            return Some(GroupStep::List(Box::new(listing)));
        }
        chunk.map(GroupStep::Associate)
    }

    /// The list that must be read before the next chunk, if any. The list is read once for all unconfirmed addresses of a
    /// chunk, after the others are decided. It is also read before addresses fail because the queue is full, if it may
    /// have changed since. `next` is the planned chunk that the next chunk belongs to.
    fn list_to_confirm(&mut self, group: &Group, next: Option<usize>) -> Option<Listing> {
        let is_full = self.room.is_full() && !self.addresses.waiting(group).is_empty();
        if self.addresses.is_done_but_unconfirmed(next) || (is_full && self.room.needs_list()) {
            return Some(Listing::new(Purpose::Confirm { request_calls: self.addresses.request_calls() }));
        }
        if is_full {
            // The group read this list because of the rejection, so the list is newer.
            self.fail_full(group, FullBy::List);
        }
        None
    }

    fn read_list(&mut self, purpose: Purpose) {
        self.state = GroupState::Reading(Box::new(Listing::new(purpose)));
    }

    /// Narrows a chunk that was rejected for its content. A chunk of one address is at fault, unless the list shows or may
    /// show another reason.
    fn narrow(&mut self, chunk: Chunk, rejection: Rejection) {
        self.addresses.narrow(chunk, rejection);
        match &self.list {
            // The API may reject an address because the queue already has it, and it rejects every address of a missing
            // queue. So no address is blamed if the list cannot show that.
            ListStatus::Unreadable(list) => {
                self.addresses.fail_unconfirmed(|rejection| undecided(rejection, list));
            }
            ListStatus::Denied => self.fail_unconfirmed(),
            ListStatus::Unread | ListStatus::Read => {}
        }
    }

    /// Handles a LimitExceededException.
    fn over_limit(&mut self, chunk: Chunk, rejection: Rejection) -> Option<Duration> {
        match self.room.over_limit(chunk.members.len(), self.limits.max_attempts) {
            AfterLimit::ReadList => self.read_list(Purpose::FindRoom(chunk, Box::new(rejection))),
            AfterLimit::GiveUp(list) => self.addresses.fail(&chunk.members, limited(&rejection, &list)),
            AfterLimit::TryFewer => self.addresses.narrowing.put_back(chunk),
            AfterLimit::Retry => {
                self.addresses.narrowing.put_back(chunk);
                return Some(rejection.retry_after.unwrap_or_default());
            }
        }
        None
    }

    /// Takes the room from the list that was read because of a LimitExceededException.
    fn room_listed(
        &mut self,
        chunk: Chunk,
        rejection: &Rejection,
        on_queue: &OnQueue,
        group: &Group,
    ) -> Option<Duration> {
        let room = on_queue.room(self.limits.additional_addresses);
        let left = self.addresses.undecided_of(&chunk);
        let is_same_call = self.addresses.is_undecided(&chunk);
        self.room = Room::listed(room, self.addresses.held_by_others(on_queue, group));
        self.addresses.narrowing.put_back(chunk);
        self.addresses.narrowing.sort_by_request_order();
        // If the whole chunk fits, the limit may pass, so the group makes the same call again.
        if left > 0 && left <= room {
            if self.room.retry(self.limits.max_attempts) {
                return Some(rejection.retry_after.unwrap_or_default());
            }
            if is_same_call {
                self.room.rejected(left);
            }
        }
        None
    }

    /// Records that the list could not be read to confirm failures.
    fn not_confirmed(&mut self, rejected: &RejectedCall, group: &Group) {
        let is_denied = self.list == ListStatus::Denied;
        // The list that was read because of the rejection still decides, unless addresses have joined since.
        if matches!(self.room, Room::Listed { is_outdated, .. } if is_denied || !is_outdated) {
            self.fail_full(group, FullBy::List);
        }
        if is_denied {
            // Without permission, the list that was read before decides.
            self.fail_unconfirmed();
            self.fail_full(group, FullBy::Rejection);
            return;
        }
        self.addresses.fail_unconfirmed(|rejection| undecided(rejection, rejected));
        if self.room.is_full() {
            let waiting = self.addresses.waiting(group);
            self.addresses.fail(&waiting, maybe_full(rejected));
        }
    }

    /// Fails the unconfirmed addresses permanently. The list has shown that they are not on the queue.
    fn fail_unconfirmed(&mut self) {
        let blame = if self.is_found { Blame::Address } else { Blame::Either };
        self.addresses.fail_unconfirmed(|rejection| rejected_for_content(rejection, blame));
    }

    /// Permanently fails the addresses that have no room.
    fn fail_full(&mut self, group: &Group, full_by: FullBy) {
        if !self.room.is_full() {
            return;
        }
        let waiting = self.addresses.waiting(group);
        let fill_level = FillLevel {
            held: self.room.held(),
            added: self.addresses.associated(),
            left: waiting.len(),
            limit: self.limits.additional_addresses,
        };
        self.addresses.fail(&waiting, fill_level.failure(full_by));
    }
}
