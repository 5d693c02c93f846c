//! One group: the state machine that brings the addresses of one queue onto it.
//!
//! It gives its next step away, and takes it back with the answer; it knows no clock and no socket. Its calls are made
//! one after the other: what fits on a queue, and which address is at fault, depends on the answer before.
//!
//! - A chunk that is accepted is done.
//! - At the first refusal for content, the queue's list is read: it tells whether the queue exists at all, and what
//!   is on it already. The rest is narrowed down (`suspects`).
//! - At the first LimitExceededException, the list tells how much room there is (`room`).

mod listing;
mod room;
mod suspects;

use std::sync::Arc;

use crate::connect::{Class, ListedAddress, Page, Refusal, Refused};
use crate::failure::{Blame, Failure, Retry};
use crate::outcomes::Outcome;
use crate::plan::Group;

use self::listing::{OnQueue, RefusedSet};
use self::room::Room;
use self::suspects::Suspects;
use super::step::Pause;

pub use self::listing::Listing;
pub use self::suspects::Set;

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
    suspects: Suspects,
    /// The reading of the queue's list that is wanted next.
    listing: Option<Listing>,
    /// The list was asked for before, with or without success.
    list_asked: bool,
    room: Room,
    /// How many addresses beside its default one the queue held when its room was looked at.
    held: Option<usize>,
    verdict: Option<QueueVerdict>,
    begun: bool,
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
    Associate(Set),
    /// Read the next page of the queue's list.
    List(Listing),
}

impl Progress {
    /// A group of which nothing was called yet. `decided` gives what is known of an address already.
    pub fn new(
        group: &Group,
        limits: GroupLimits,
        mut decided: impl FnMut(usize) -> Option<Outcome>,
    ) -> Self {
        let outcomes = (0..)
            .zip(&group.addresses)
            .map(|(position, address)| match address.dry_run {
                true => Some(Outcome::Planned),
                false => decided(position),
            })
            .collect();
        let chunks = group.chunks.iter().map(|chunk| (chunk.positions().collect(), chunk.urgency));
        let mut chunks: Vec<(Vec<usize>, _)> = chunks.collect();
        chunks.sort_by_key(|(_, urgency)| *urgency);
        Progress {
            limits,
            outcomes,
            suspects: Suspects::new(chunks.into_iter()),
            listing: None,
            list_asked: false,
            room: Room::Unknown,
            held: None,
            verdict: None,
            begun: false,
        }
    }

    /// The next step, or nothing if all is decided. The one before must have been answered.
    pub fn next(&mut self) -> Option<GroupStep> {
        if let Some(listing) = self.listing.take() {
            return Some(GroupStep::List(listing));
        }
        let outcomes = &self.outcomes;
        let set = self.suspects.next(self.room.next_call(), |member| outcomes[member].is_none());
        set.map(GroupStep::Associate)
    }

    /// Fails everything that is undecided.
    pub fn fail_rest(&mut self, failure: Failure) {
        self.listing = None;
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

    /// What became of each address of the group, in order.
    ///
    /// An address that was never decided is reported as one that time was too short for: nothing is lost silently.
    pub fn into_outcomes(self) -> Vec<Outcome> {
        let undecided = Arc::new(Failure::deadline_exceeded("it was not called"));
        self.outcomes
            .into_iter()
            .map(|outcome| outcome.unwrap_or_else(|| Outcome::Failed(undecided.clone())))
            .collect()
    }

    fn decide(&mut self, members: &[usize], outcome: &Outcome) {
        for member in members {
            self.outcomes[*member].get_or_insert_with(|| outcome.clone());
        }
    }

    /// Every address of the set is on the queue.
    pub fn associated(&mut self, set: Set) {
        self.begun = true;
        self.verdict = Some(QueueVerdict::Found);
        self.suspects.accepted(&set);
        self.room.taken(set.members.len());
        self.decide(&set.members, &Outcome::Associated);
        self.fail_if_full();
    }

    /// The call that was to associate the set failed for good. Tells whether the next step is to wait.
    pub fn not_associated(&mut self, set: Set, refused: Refused) -> Option<Pause> {
        self.begun = true;
        let Refused { refusal, out_of_time, maybe_done } = refused;
        match refusal.class {
            Class::Throttled | Class::Unavailable => {
                let failure = if out_of_time {
                    no_time_to_retry(&refusal)
                } else {
                    failed(&refusal, Retry::MayPass, Blame::Nothing)
                };
                self.decide(&set.members, &Outcome::Failed(Arc::new(failure)));
            }
            // The same for every address of the queue.
            Class::Denied => self.fail_rest(failed(&refusal, Retry::Never, Blame::Nothing)),
            Class::Credentials => self.fail_rest(failed(&refusal, Retry::MayPass, Blame::Nothing)),
            // A lost answer to an earlier attempt may be why an address is refused now: as one that is on the queue.
            Class::NotFound | Class::Content if maybe_done || !self.list_asked => {
                self.read_list(set, refusal);
            }
            Class::NotFound | Class::Content => self.narrow(set, &refusal),
            Class::Limit => return self.over_limit(set, refusal),
        }
        None
    }

    fn narrow(&mut self, set: Set, refusal: &Refusal) {
        if let Err(at_fault) = self.suspects.refused(set) {
            let blame = match self.verdict {
                Some(QueueVerdict::Found) => Blame::Address,
                Some(QueueVerdict::NotFound) | None => Blame::Either,
            };
            let failure = failed(refusal, content_retry(refusal), blame);
            self.decide(&[at_fault], &Outcome::Failed(Arc::new(failure)));
        }
    }

    fn over_limit(&mut self, set: Set, refusal: Refusal) -> Option<Pause> {
        match self.room {
            Room::Unknown => self.read_list(set, refusal),
            Room::Listed { .. } | Room::AtMost(_) => {
                if self.room.retry() {
                    self.suspects.put_back(set);
                    return back_off(&refusal);
                }
                self.room = Room::AtMost(set.members.len().saturating_sub(1));
                self.suspects.put_back(set);
                self.fail_if_full();
            }
            Room::Unreadable { refusals } => return self.over_limit_unlisted(set, &refusal, refusals + 1),
        }
        None
    }

    /// The queue's list could not be read, so only the API can tell whether there is room.
    fn over_limit_unlisted(&mut self, set: Set, refusal: &Refusal, refusals: u32) -> Option<Pause> {
        if refusals >= self.limits.max_attempts {
            // The next set has its own attempts.
            self.room = Room::Unreadable { refusals: 0 };
            let failure = Arc::new(failed(refusal, Retry::MayPass, Blame::Nothing));
            self.decide(&set.members, &Outcome::Failed(failure));
            return None;
        }
        self.room = Room::Unreadable { refusals };
        self.suspects.put_back(set);
        back_off(refusal)
    }

    fn read_list(&mut self, set: Set, refusal: Refusal) {
        self.list_asked = true;
        self.listing = Some(Listing::new(set, refusal));
    }

    /// A page of the queue's list was read. Tells whether the next step is to wait.
    pub fn listed(&mut self, listing: Listing, page: Page<ListedAddress>, group: &Group) -> Option<Pause> {
        self.verdict = Some(QueueVerdict::Found);
        let (on_queue, RefusedSet { set, refusal }) = match listing.add(page) {
            Ok(complete) => complete,
            Err(listing) => {
                self.listing = Some(listing);
                return None;
            }
        };
        for (outcome, address) in self.outcomes.iter_mut().zip(&group.addresses) {
            if outcome.is_none() && on_queue.holds(&address.id) {
                *outcome = Some(Outcome::AlreadyAssociated);
            }
        }
        let left = set.members.iter().filter(|member| self.outcomes[**member].is_none()).count();
        if refusal.class == Class::Limit {
            return self.room_listed(set, &refusal, left, &on_queue);
        }
        match left == set.members.len() {
            true => self.narrow(set, &refusal),
            // What was on the queue may have been the reason: the rest is asked for as a whole.
            false => self.suspects.put_back(set),
        }
        None
    }

    fn room_listed(&mut self, set: Set, refusal: &Refusal, left: usize, on_queue: &OnQueue) -> Option<Pause> {
        let held = on_queue.additional();
        let room = self.limits.additional_addresses.saturating_sub(held);
        let as_refused = left == set.members.len();
        self.held = Some(held);
        self.room = Room::listed(room, self.limits.max_attempts);
        self.suspects.put_back(set);
        self.suspects.in_requested_order();
        // Where all of the set fits, the refusal may pass: the same call is made again, which is a retry.
        if left > 0 && left <= room {
            if self.room.retry() {
                return back_off(refusal);
            }
            if as_refused {
                self.room = Room::AtMost(left - 1);
            }
        }
        self.fail_if_full();
        None
    }

    /// The queue's list was refused. Tells whether the next step is to wait.
    pub fn not_listed(&mut self, listing: Listing, refused: &Refused) -> Option<Pause> {
        let RefusedSet { set, refusal } = listing.into_refused();
        let of_list = &refused.refusal;
        if of_list.class.blames_content() && self.verdict != Some(QueueVerdict::Found) {
            // The call named nothing but the queue and its instance. (A later page may be refused for its token.)
            self.verdict = Some(QueueVerdict::NotFound);
            self.fail_rest(failed(of_list, content_retry(of_list), Blame::Queue));
            return None;
        }
        if refusal.class == Class::Limit {
            return self.over_limit_unlisted(set, &refusal, 1);
        }
        match of_list.class {
            Class::Denied | Class::NotFound | Class::Content => self.narrow(set, &refusal),
            // What is on the queue may have been refused for that, and a queue that does not exist would be narrowed
            // down to each of its addresses: nobody is blamed before the list was read.
            Class::Throttled | Class::Unavailable | Class::Limit | Class::Credentials => {
                self.list_asked = false;
                let failure = Arc::new(undecided(&refusal, refused));
                self.decide(&set.members, &Outcome::Failed(failure));
            }
        }
        None
    }

    /// What finds no room fails for good.
    fn fail_if_full(&mut self) {
        let left = self.outcomes.iter().filter(|outcome| outcome.is_none()).count();
        if self.room.next_call() != Some(0) || left == 0 {
            return;
        }
        let fitted = self.outcomes.iter().filter(|outcome| **outcome == Some(Outcome::Associated)).count();
        let limit = self.limits.additional_addresses;
        let held = self.held.unwrap_or_default();
        let message = match self.room {
            Room::AtMost(_) => format!(
                "the API takes no more addresses for this queue, which held {held} beside its default one, although \
                 QUEUE_ADDITIONAL_LIMIT is {limit}: {fitted} were added and {left} do not fit; remove addresses from \
                 the queue, or set QUEUE_ADDITIONAL_LIMIT to the queue's true limit"
            ),
            _ => format!(
                "the queue held {held} of {limit} addresses beside its default one: {fitted} were added and {left} do \
                 not fit; remove addresses from the queue, or have quota L-7B867368 raised and set \
                 QUEUE_ADDITIONAL_LIMIT to it"
            ),
        };
        self.fail_rest(Failure::ours("QueueFull", message, Retry::Never));
    }
}

/// The refused call is made again, after a wait.
fn back_off(refusal: &Refusal) -> Option<Pause> {
    Some(Pause { at_least: refusal.retry_after.unwrap_or_default() })
}

/// A failure in the API's own words, and what to do about it where that is known.
fn failed(refusal: &Refusal, retry: Retry, blame: Blame) -> Failure {
    let advice = match refusal.class {
        Class::NotFound => "; create it first, or check the instanceId",
        Class::Denied => {
            "; the function's role needs connect:AssociateQueueEmailAddresses on the instance and its queues"
        }
        _ => "",
    };
    let message = format!("{}{advice}", refusal.message);
    Failure { error: refusal.code.clone(), message, retry, blame }
}

/// What was just created may not be found yet.
fn content_retry(refusal: &Refusal) -> Retry {
    match refusal.class {
        Class::NotFound => Retry::FirstDelivery,
        _ => Retry::Never,
    }
}

/// The failure of addresses that were refused for their content, where the queue's list could not be read.
fn undecided(refusal: &Refusal, list: &Refused) -> Failure {
    let Refused { refusal: of_list, out_of_time, .. } = list;
    let message = format!(
        "refused ({}: {}), and the queue's list, which tells what is on it, cannot be read: {}",
        refusal.code, refusal.message, of_list.message
    );
    match out_of_time {
        true => Failure::deadline_exceeded(message),
        false => Failure::ours(of_list.code.clone(), message, Retry::MayPass),
    }
}

fn no_time_to_retry(refusal: &Refusal) -> Failure {
    Failure::deadline_exceeded(format!(
        "no time was left to try again after {}: {}",
        refusal.code, refusal.message
    ))
}

#[cfg(test)]
mod tests;
