//! The addresses of a group: their outcomes, and the chunks that are still to be tried.

use std::sync::Arc;

use crate::associate::outcome::Outcome;
use crate::associate::plan::{Group, PlannedChunk};
use crate::connect::Rejection;
use crate::failure::Failure;
use crate::index::{AddressIndex, IndexList};
use crate::requests::Intent;

use super::listing::OnQueue;
use super::narrowing::{Chunk, Narrowing};

#[derive(Debug, Default)]
pub(super) struct Addresses {
    /// The outcome of each address, or `None` until a response decides it.
    outcomes: IndexList<AddressIndex, Option<Outcome>>,
    pub(super) narrowing: Narrowing,
    /// Addresses that the API rejected alone after the list was read. A newer list may still explain the rejection.
    unconfirmed: Vec<Unconfirmed>,
}

/// An address that fails permanently unless a newer list shows it.
#[derive(Debug)]
struct Unconfirmed {
    member: AddressIndex,
    /// Index of the planned chunk that the address comes from.
    planned: usize,
    request_calls: usize,
    rejection: Rejection,
}

impl Addresses {
    /// Adds the addresses that have joined the group in the plan. An address that requests only plan needs no call.
    pub(super) fn grow(&mut self, group: &Group) {
        for address in group.addresses.iter().skip(self.outcomes.len()) {
            self.outcomes.push((address.intent == Intent::Plan).then_some(Outcome::Planned));
        }
    }

    /// Adds chunks to try. If the group makes no more calls, their addresses fail for the reason `closed`.
    pub(super) fn join(&mut self, mut chunks: Vec<PlannedChunk>, closed: Option<&Arc<Failure>>) {
        for member in chunks.iter().flat_map(|chunk| &chunk.addresses) {
            let outcome = &mut self.outcomes[*member];
            if matches!(outcome, None | Some(Outcome::Planned)) {
                *outcome = closed.cloned().map(Outcome::Failed);
            }
        }
        chunks.sort_by_key(|chunk| chunk.request_calls);
        self.narrowing.add(chunks.into_iter().map(|chunk| (chunk.addresses, chunk.request_calls)));
    }

    /// Fails every undecided address.
    pub(super) fn close(&mut self, failure: &Arc<Failure>) {
        for outcome in &mut self.outcomes {
            outcome.get_or_insert_with(|| Outcome::Failed(failure.clone()));
        }
        self.unconfirmed.clear();
    }

    /// The outcomes in the order of the plan.
    ///
    /// An address that was never decided fails as `DeadlineExceeded`, so that no address is lost silently.
    pub(super) fn finish(self) -> Vec<Outcome> {
        let undecided = Arc::new(Failure::deadline_exceeded("it was not called"));
        let decided =
            |outcome: Option<Outcome>| outcome.unwrap_or_else(|| Outcome::Failed(undecided.clone()));
        self.outcomes.into_iter().map(decided).collect()
    }

    pub(super) fn outcome(&self, member: AddressIndex) -> Option<&Outcome> {
        self.outcomes[member].as_ref()
    }

    pub(super) fn undecided(&self, group: &Group, intent: Intent) -> Vec<AddressIndex> {
        let is_wanted = |member: &AddressIndex| {
            self.outcomes[*member].is_none() && group.addresses[*member].intent == intent
        };
        self.outcomes.indices().filter(is_wanted).collect()
    }

    pub(super) fn undecided_of(&self, chunk: &Chunk) -> usize {
        chunk.members.iter().filter(|member| self.outcomes[**member].is_none()).count()
    }

    /// Whether no address of a chunk is decided, so that the next call for it is the same.
    pub(super) fn is_undecided(&self, chunk: &Chunk) -> bool {
        self.undecided_of(chunk) == chunk.members.len()
    }

    /// The addresses to associate that are neither decided nor unconfirmed.
    pub(super) fn waiting(&self, group: &Group) -> Vec<AddressIndex> {
        let mut waiting = self.undecided(group, Intent::Associate);
        waiting.retain(|member| self.unconfirmed.iter().all(|unconfirmed| unconfirmed.member != *member));
        waiting
    }

    pub(super) fn associated(&self) -> usize {
        self.outcomes.iter().filter(|outcome| **outcome == Some(Outcome::Associated)).count()
    }

    /// Number of addresses on the queue, without its default one, that the group did not add.
    pub(super) fn held_by_others(&self, on_queue: &OnQueue, group: &Group) -> usize {
        let added = self.outcomes.iter().zip(&group.addresses).filter(|(outcome, address)| {
            **outcome == Some(Outcome::Associated) && on_queue.has_additional(&address.id)
        });
        on_queue.additional() - added.count()
    }

    /// Decides addresses that were not decided before.
    pub(super) fn decide(&mut self, members: &[AddressIndex], outcome: &Outcome) {
        for member in members {
            self.outcomes[*member].get_or_insert_with(|| outcome.clone());
        }
    }

    pub(super) fn fail(&mut self, members: &[AddressIndex], failure: Failure) {
        self.decide(members, &Outcome::Failed(Arc::new(failure)));
    }

    /// Decides the addresses that are on the queue already.
    pub(super) fn mark_listed(&mut self, on_queue: &OnQueue, group: &Group) {
        for (outcome, address) in self.outcomes.iter_mut().zip(&group.addresses) {
            if outcome.is_none() && on_queue.has(&address.id) {
                *outcome = Some(Outcome::AlreadyAssociated);
            }
        }
    }

    pub(super) fn next_chunk(&mut self, at_most: Option<usize>) -> Option<Chunk> {
        let outcomes = &self.outcomes;
        self.narrowing.next(at_most, |member| outcomes[member].is_none())
    }

    pub(super) fn accepted(&mut self, chunk: &Chunk) {
        self.narrowing.accepted(chunk);
        self.decide(&chunk.members, &Outcome::Associated);
    }

    /// Splits a chunk that the API rejected for its content. The address of a chunk of one becomes unconfirmed.
    pub(super) fn narrow(&mut self, chunk: Chunk, rejection: Rejection) {
        let Chunk { planned, request_calls, .. } = chunk;
        if let Err(member) = self.narrowing.rejected(chunk) {
            self.unconfirmed.push(Unconfirmed { member, planned, request_calls, rejection });
        }
    }

    /// Whether all of a planned chunk is done, and some of its addresses are unconfirmed. `next` is the planned chunk of the
    /// next chunk to try.
    pub(super) fn is_done_but_unconfirmed(&self, next: Option<usize>) -> bool {
        self.unconfirmed.last().is_some_and(|unconfirmed| Some(unconfirmed.planned) != next)
    }

    /// Fails the unconfirmed addresses, each for the reason that follows from its rejection.
    pub(super) fn fail_unconfirmed(&mut self, failure: impl Fn(&Rejection) -> Failure) {
        for Unconfirmed { member, rejection, .. } in std::mem::take(&mut self.unconfirmed) {
            self.fail(&[member], failure(&rejection));
        }
    }

    /// [`Chunk::request_calls`] of the addresses that wait for the queue's list.
    pub(super) fn request_calls(&self) -> usize {
        let of_unconfirmed = self.unconfirmed.last().map(|unconfirmed| unconfirmed.request_calls);
        of_unconfirmed.or_else(|| self.narrowing.request_calls()).unwrap_or(usize::MAX)
    }
}
