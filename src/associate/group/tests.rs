//! The calls of a group, without a socket.

mod full;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::associate::outcome::Outcome;
use crate::associate::plan::{Group, PlannedAddress, PlannedChunk, Sources};
use crate::connect::{Class, ListedAddress, Page, RejectedCall, Rejection};
use crate::failure::{Blame, Retry};
use crate::index::{AddressIndex, Index, PairIndex, SourceIndex};
use crate::requests::Intent;

use super::failure::rejected_for_content;
use super::*;

const LIMITS: GroupLimits = GroupLimits { additional_addresses: 49, max_attempts: 10 };

/// A group of addresses `a0`, `a1`, ...
fn group(addresses: usize) -> Group {
    let address = |position| PlannedAddress {
        id: format!("a{position}").as_str().into(),
        intent: Intent::Associate,
        sources: Sources::One(SourceIndex::new(0)),
        first_pair: PairIndex::new(position),
    };
    Group {
        instance: "i".into(),
        queue: "q".into(),
        addresses: (0..addresses).map(address).collect(),
        is_checked: false,
        check_request_calls: 1,
    }
}

/// A group in the plan, and its state.
struct Tested<'g> {
    group: &'g Group,
    progress: Progress,
}

impl Tested<'_> {
    fn next_step(&mut self) -> Option<GroupStep> {
        self.progress.next_step(self.group, false)
    }

    fn list(&mut self, listing: Listing, page: Page<ListedAddress>) -> Option<Duration> {
        self.progress.listed(listing, page, self.group, |_| Ok(()))
    }

    fn not_listed(&mut self, listing: Listing, class: Class) -> Option<Duration> {
        self.progress.not_listed(listing, &rejected(class), self.group)
    }

    fn finish(self) -> Vec<Outcome> {
        self.progress.finish().by_address
    }
}

fn start(group: &Group, limits: GroupLimits) -> Tested<'_> {
    let mut progress = Progress::new(limits);
    join(&mut progress, group, 0..group.addresses.len());
    Tested { group, progress }
}

/// Addresses of the plan join the group.
fn join(progress: &mut Progress, group: &Group, members: Range<usize>) {
    let members: Vec<AddressIndex> = members.map(AddressIndex::new).collect();
    let chunk = |chunk: &[AddressIndex]| PlannedChunk { addresses: chunk.to_vec(), request_calls: 1 };
    progress.grow(group);
    progress.join(members.chunks(50).map(chunk).collect());
}

fn rejected(class: Class) -> RejectedCall {
    let rejection = Rejection { class, code: "E".to_owned(), message: "no".to_owned(), retry_after: None };
    RejectedCall { rejection, out_of_time: false }
}

/// The chunk of the next step.
fn next_chunk(tested: &mut Tested<'_>) -> Option<Chunk> {
    match tested.next_step()? {
        GroupStep::Associate(chunk) => Some(chunk),
        GroupStep::List(listing) => panic!("expected a chunk, got {listing:?}"),
    }
}

fn next_members(tested: &mut Tested<'_>) -> Option<Vec<usize>> {
    next_chunk(tested).map(|chunk| numbers(&chunk))
}

fn numbers(chunk: &Chunk) -> Vec<usize> {
    chunk.members.iter().map(|member| member.get()).collect()
}

/// The next step associates a chunk, and the API rejects it.
fn reject(tested: &mut Tested<'_>, class: Class) {
    let chunk = next_chunk(tested).unwrap();
    assert_eq!(tested.progress.not_associated(chunk, rejected(class)), None);
}

/// The next step associates these addresses, and the API accepts them.
fn associate(tested: &mut Tested<'_>, members: Range<usize>) {
    let chunk = next_chunk(tested).unwrap();
    assert_eq!(numbers(&chunk), members.collect::<Vec<_>>());
    tested.progress.associated(&chunk);
}

fn next_listing(tested: &mut Tested<'_>) -> Listing {
    match tested.next_step() {
        Some(GroupStep::List(listing)) => *listing,
        other => panic!("expected a list, got {other:?}"),
    }
}

/// A page with these addresses. None of them is the queue's default one.
fn page(ids: &[&str]) -> Page<ListedAddress> {
    let address = |id: &&str| ListedAddress { id: (*id).to_owned(), is_default: false };
    Page { items: ids.iter().map(address).collect(), next_token: None }
}

/// The next step reads the queue's list. It contains these addresses, and none of them is the default one.
fn list<const N: usize>(tested: &mut Tested<'_>, ids: [&str; N]) {
    let listing = next_listing(tested);
    assert_eq!(tested.list(listing, page(&ids)), None);
}

/// The error, retry and message of each address that failed.
fn failures(tested: Tested<'_>) -> Vec<Option<(String, Retry, String)>> {
    let failure = |outcome| match outcome {
        Outcome::Failed(failure) => Some((failure.error.clone(), failure.retry, failure.message.clone())),
        _ => None,
    };
    tested.finish().into_iter().map(failure).collect()
}

/// The list was read before the address was rejected alone, so another process may have put it on the queue since.
#[test]
fn unconfirmed_address_is_looked_for_once_more() {
    for (ids, a0) in [
        (&["a0", "a1", "a2"][..], Outcome::AlreadyAssociated),
        (
            &["a1", "a2"],
            Outcome::Failed(Arc::new(rejected_for_content(
                &rejected(Class::Content).rejection,
                Blame::Address,
            ))),
        ),
    ] {
        let group = group(3);
        let mut tested = start(&group, LIMITS);
        reject(&mut tested, Class::Content);
        list(&mut tested, ["b"]);
        reject(&mut tested, Class::Content);
        associate(&mut tested, 1..3);
        let listing = next_listing(&mut tested);
        assert_eq!(tested.list(listing, page(ids)), None);
        assert_eq!(next_members(&mut tested), None);
        assert_eq!(tested.finish(), [a0, Outcome::Associated, Outcome::Associated]);
    }
}

#[test]
fn chunk_is_confirmed_before_the_next_one() {
    let group = group(51);
    let mut tested = start(&group, LIMITS);
    reject(&mut tested, Class::Content);
    list(&mut tested, []);
    let mut calls = 0;
    let last = loop {
        let chunk = match tested.next_step() {
            Some(GroupStep::Associate(chunk)) => chunk,
            other => break other,
        };
        assert!(!numbers(&chunk).contains(&50));
        calls += 1;
        if numbers(&chunk).contains(&0) {
            reject_chunk(&mut tested, chunk);
        } else {
            tested.progress.associated(&chunk);
        }
    };
    assert!(calls <= 9);
    assert!(matches!(last, Some(GroupStep::List(_))), "{last:?}");
}

fn reject_chunk(tested: &mut Tested<'_>, chunk: Chunk) {
    assert_eq!(tested.progress.not_associated(chunk, rejected(Class::Content)), None);
}

#[test]
fn unconfirmed_address_may_succeed_later_without_a_list() {
    let group = group(2);
    let unconfirmed = || {
        let mut tested = start(&group, LIMITS);
        reject(&mut tested, Class::Content);
        list(&mut tested, []);
        reject(&mut tested, Class::Content);
        associate(&mut tested, 1..2);
        let listing = next_listing(&mut tested);
        (tested, listing)
    };
    let retry = |tested| failures(tested)[0].clone().map(|(_, retry, _)| retry);
    let (mut tested, listing) = unconfirmed();
    assert_eq!(tested.not_listed(listing, Class::Unavailable), None);
    assert_eq!(retry(tested), Some(Retry::MayPass));
    let (mut tested, _) = unconfirmed();
    tested.progress.close(Arc::new(Failure::deadline_exceeded("late")));
    assert_eq!(retry(tested), Some(Retry::NextInvocation));
    // Without permission, the list that was read before decides.
    let (mut tested, listing) = unconfirmed();
    assert_eq!(tested.not_listed(listing, Class::Denied), None);
    assert_eq!(retry(tested), Some(Retry::Never));
}

/// The group does not narrow a chunk if its queue was deleted meanwhile.
#[test]
fn deleted_queue_costs_two_more_calls() {
    let group = group(100);
    let mut tested = start(&group, LIMITS);
    associate(&mut tested, 0..50);
    reject(&mut tested, Class::NotFound);
    let listing = next_listing(&mut tested);
    assert_eq!(tested.not_listed(listing, Class::NotFound), None);
    assert_eq!(next_members(&mut tested), None);
    assert!(matches!(tested.progress.queue_status(), QueueStatus::NotFound(_)));
}
