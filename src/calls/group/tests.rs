//! The calls of a group, without a socket.

mod full;

use std::ops::Range;
use std::time::Duration;

use crate::index::{Index, PairIndex, SourceIndex};
use crate::plan::{Address, Chunk as PlannedChunk, Sources};
use crate::requests::Intent;

use super::*;

const LIMITS: GroupLimits = GroupLimits { additional_addresses: 49, max_attempts: 10 };

/// A group of addresses `a0`, `a1`, ...
fn group(addresses: usize) -> Group {
    let address = |position| Address {
        id: format!("a{position}").as_str().into(),
        intent: Intent::Associate,
        sources: Sources::One(SourceIndex::new(0)),
        first_pair: PairIndex::new(position),
    };
    Group {
        instance: "i".into(),
        queue: "q".into(),
        addresses: (0..addresses).map(address).collect(),
        chunks: (0..addresses)
            .map(AddressIndex::new)
            .collect::<Vec<_>>()
            .chunks(50)
            .map(|chunk| PlannedChunk { addresses: chunk.to_vec(), urgency: 1 })
            .collect(),
        is_checked: false,
        check_urgency: 1,
    }
}

/// A directory that has every address.
fn all_exist(_: &EmailAddressId) -> Result<(), Arc<Failure>> {
    Ok(())
}

fn begin(group: &Group, limits: GroupLimits) -> Progress {
    Progress::new(group, limits)
}

fn refused(class: Class) -> Refused {
    let refusal = Refusal { class, code: "E".to_owned(), message: "no".to_owned(), retry_after: None };
    Refused { refusal, out_of_time: false, maybe_done: false }
}

/// The chunk of the next step.
fn next_chunk(progress: &mut Progress) -> Option<Chunk> {
    match progress.next_step(false)? {
        GroupStep::Associate(chunk) => Some(chunk),
        GroupStep::List(listing) => panic!("{listing:?} is wanted"),
    }
}

fn next_members(progress: &mut Progress) -> Option<Vec<usize>> {
    next_chunk(progress).map(|chunk| numbers(&chunk))
}

fn numbers(chunk: &Chunk) -> Vec<usize> {
    chunk.members.iter().map(|member| member.get()).collect()
}

/// The next step associates a chunk, and the API refuses it.
fn refuse(progress: &mut Progress, class: Class) {
    let chunk = next_chunk(progress).unwrap();
    assert_eq!(progress.not_associated(chunk, refused(class)), None);
}

/// The next step associates a chunk. The API refuses it, and the group tries it again after a pause.
fn refuse_for_now(progress: &mut Progress, class: Class) {
    let chunk = next_chunk(progress).unwrap();
    assert_eq!(progress.not_associated(chunk, refused(class)), Some(Pause { at_least: Duration::ZERO }));
}

/// The next step associates these addresses, and the API accepts them.
fn associate(progress: &mut Progress, members: Range<usize>) {
    let chunk = next_chunk(progress).unwrap();
    assert_eq!(numbers(&chunk), members.collect::<Vec<_>>());
    progress.associated(&chunk);
}

fn next_listing(progress: &mut Progress) -> Listing {
    match progress.next_step(false) {
        Some(GroupStep::List(listing)) => listing,
        other => panic!("{other:?} is wanted and no list"),
    }
}

/// A page with these addresses. None of them is the queue's default one.
fn page(ids: &[&str]) -> Page<ListedAddress> {
    let address = |id: &&str| ListedAddress { id: (*id).to_owned(), is_default: false };
    Page { items: ids.iter().map(address).collect(), next_token: None }
}

/// The next step reads the queue's list. It holds these addresses, and none of them is the default one.
fn list<const N: usize>(progress: &mut Progress, group: &Group, ids: [&str; N]) {
    let listing = next_listing(progress);
    assert_eq!(progress.listed(listing, page(&ids), group, all_exist), None);
}

/// The error, retry and message of each address that failed.
fn failures(progress: Progress) -> Vec<Option<(String, Retry, String)>> {
    let failure = |outcome| match outcome {
        Outcome::Failed(failure) => Some((failure.error.clone(), failure.retry, failure.message.clone())),
        _ => None,
    };
    progress.finish().by_address.into_iter().map(failure).collect()
}

#[test]
fn standing_follows_from_the_responses() {
    let group = group(2);
    let mut progress = begin(&group, LIMITS);
    let chunk = next_chunk(&mut progress).unwrap();
    assert_eq!(numbers(&chunk), [0, 1]);
    assert_eq!(progress.standing(), Standing::Unknown);
    assert_eq!(progress.not_associated(chunk, refused(Class::NotFound)), None);
    assert_eq!(progress.standing(), Standing::Doubtful);
    let listing = next_listing(&mut progress);
    assert_eq!(progress.not_listed(listing, &refused(Class::NotFound)), None);
    assert!(matches!(progress.standing(), Standing::NotFound(failure) if failure.error == "E"));
}

#[test]
fn refused_chunk_is_split_if_none_of_it_is_on_the_queue() {
    let group = group(5);
    let mut progress = begin(&group, LIMITS);
    refuse(&mut progress, Class::Content);
    list(&mut progress, &group, ["b"]);
    assert_eq!(next_members(&mut progress), Some(vec![0, 1]));
}

/// The API may have refused the chunk because of the address that is on the queue.
#[test]
fn other_addresses_of_a_refused_chunk_are_tried_together() {
    let group = group(5);
    let mut progress = begin(&group, LIMITS);
    refuse(&mut progress, Class::Content);
    list(&mut progress, &group, ["a1"]);
    assert_eq!(next_members(&mut progress), Some(vec![0, 2, 3, 4]));
}

#[test]
fn addresses_on_the_queue_wait_for_no_room() {
    let group = group(2);
    let mut progress = begin(&group, LIMITS);
    refuse(&mut progress, Class::Limit);
    list(&mut progress, &group, ["a0", "a1"]);
    assert_eq!(next_members(&mut progress), None);
    assert_eq!(progress.finish().by_address, [Outcome::AlreadyAssociated, Outcome::AlreadyAssociated]);
}

/// A chunk that should fit has no retry here, so the API's answer wins over the list, and the group halves the chunk.
#[test]
fn one_attempt_then_fewer_addresses_are_tried() {
    let limits = GroupLimits { max_attempts: 1, ..LIMITS };
    for (addresses, tried) in [(2, 1), (4, 2), (5, 2), (7, 3)] {
        let group = group(addresses);
        let mut progress = begin(&group, limits);
        refuse(&mut progress, Class::Limit);
        list(&mut progress, &group, []);
        assert_eq!(next_members(&mut progress), Some((0..tried).collect()), "of {addresses}");
    }
}

/// The refused chunk held an address that is on the list, so the API has not refused the other addresses by themselves.
#[test]
fn one_attempt_for_the_addresses_not_on_the_list() {
    let limits = GroupLimits { max_attempts: 1, ..LIMITS };
    let group = group(4);
    let mut progress = begin(&group, limits);
    refuse(&mut progress, Class::Limit);
    list(&mut progress, &group, ["a0"]);
    assert_eq!(next_members(&mut progress), Some(vec![1, 2, 3]));
}

/// The list was read before the address was refused alone, so another process may have put it on the queue since.
#[test]
fn unconfirmed_address_is_looked_for_once_more() {
    for (ids, a0) in [
        (&["a0", "a1", "a2"][..], Outcome::AlreadyAssociated),
        (
            &["a1", "a2"],
            Outcome::Failed(Arc::new(refused_for_content(&refused(Class::Content).refusal, Blame::Address))),
        ),
    ] {
        let group = group(3);
        let mut progress = begin(&group, LIMITS);
        refuse(&mut progress, Class::Content);
        list(&mut progress, &group, ["b"]);
        refuse(&mut progress, Class::Content);
        associate(&mut progress, 1..3);
        let listing = next_listing(&mut progress);
        assert_eq!(progress.listed(listing, page(ids), &group, all_exist), None);
        assert_eq!(next_members(&mut progress), None);
        assert_eq!(progress.finish().by_address, [a0, Outcome::Associated, Outcome::Associated]);
    }
}

#[test]
fn chunk_is_confirmed_before_the_next_one() {
    let group = group(51);
    let mut progress = begin(&group, LIMITS);
    refuse(&mut progress, Class::Content);
    list(&mut progress, &group, []);
    let mut refused = 0;
    while let Some(GroupStep::Associate(chunk)) = progress.next_step(false) {
        assert!(!numbers(&chunk).contains(&50));
        refused += 1;
        if numbers(&chunk).contains(&0) {
            refuse_chunk(&mut progress, chunk);
        } else {
            progress.associated(&chunk);
        }
    }
    assert!(refused <= 9);
    // The step that ended the loop reads the list.
    assert_eq!(progress.unconfirmed.len(), 1);
}

fn refuse_chunk(progress: &mut Progress, chunk: Chunk) {
    assert_eq!(progress.not_associated(chunk, refused(Class::Content)), None);
}

/// The list is newer than the refusal, so the group does not read it again.
#[test]
fn single_refused_address_costs_two_calls() {
    let group = group(1);
    let mut progress = begin(&group, LIMITS);
    refuse(&mut progress, Class::Content);
    list(&mut progress, &group, []);
    assert_eq!(next_members(&mut progress), None);
    assert_eq!(failures(progress), [Some(("E".to_owned(), Retry::Never, "no".to_owned()))]);
}

#[test]
fn unconfirmed_address_may_succeed_later_without_a_list() {
    let group = group(2);
    let unconfirmed = || {
        let mut progress = begin(&group, LIMITS);
        refuse(&mut progress, Class::Content);
        list(&mut progress, &group, []);
        refuse(&mut progress, Class::Content);
        associate(&mut progress, 1..2);
        let listing = next_listing(&mut progress);
        (progress, listing)
    };
    let retry = |progress| failures(progress)[0].clone().map(|(_, retry, _)| retry);
    let (mut progress, listing) = unconfirmed();
    assert_eq!(progress.not_listed(listing, &refused(Class::Unavailable)), None);
    assert_eq!(retry(progress), Some(Retry::MayPass));
    let (mut progress, _) = unconfirmed();
    progress.close(Arc::new(Failure::deadline_exceeded("late")));
    assert_eq!(retry(progress), Some(Retry::NextInvocation));
    // Without permission, the list that was read before decides.
    let (mut progress, listing) = unconfirmed();
    assert_eq!(progress.not_listed(listing, &refused(Class::Denied)), None);
    assert_eq!(retry(progress), Some(Retry::Never));
}

/// A list that could not be read decides nothing.
#[test]
fn unread_list_is_read_at_the_next_refusal() {
    let group = group(2);
    let mut progress = begin(&group, LIMITS);
    refuse(&mut progress, Class::Limit);
    let listing = next_listing(&mut progress);
    assert!(progress.not_listed(listing, &refused(Class::Unavailable)).is_some());
    refuse(&mut progress, Class::Content);
    list(&mut progress, &group, ["a0"]);
    associate(&mut progress, 1..2);
    assert_eq!(progress.finish().by_address, [Outcome::AlreadyAssociated, Outcome::Associated]);
}

#[test]
fn each_fitting_call_has_its_own_retries() {
    let group = group(200);
    let mut progress = begin(&group, GroupLimits { additional_addresses: 5_000, ..LIMITS });
    refuse(&mut progress, Class::Limit);
    let listing = next_listing(&mut progress);
    assert!(progress.listed(listing, page(&[]), &group, all_exist).is_some());
    for chunk in 0..4 {
        let (first, retries) = (chunk * 50, if chunk == 0 { 2 } else { 3 });
        (0..retries).for_each(|_| refuse_for_now(&mut progress, Class::Limit));
        associate(&mut progress, first..first + 50);
    }
    assert_eq!(next_members(&mut progress), None);
    assert!(progress.finish().by_address.iter().all(|outcome| *outcome == Outcome::Associated));
}

#[test]
fn list_without_an_end_may_pass() {
    let group = group(1);
    let mut progress = begin(&group, LIMITS);
    refuse(&mut progress, Class::Content);
    for expected in [true, false] {
        let listing = next_listing(&mut progress);
        let page = Page { next_token: Some("again".to_owned()), ..page(&["b"]) };
        assert_eq!(progress.listed(listing, page, &group, all_exist), None);
        assert_eq!(progress.listing.is_some(), expected);
    }
    let (error, retry, message) = failures(progress)[0].clone().unwrap();
    assert_eq!((&*error, retry), ("EndlessPages", Retry::MayPass));
    assert!(message.ends_with("do not end: a page's token was seen before"), "{message}");
}

/// The group does not narrow a chunk if its queue was deleted meanwhile.
#[test]
fn deleted_queue_costs_two_more_calls() {
    let group = group(100);
    let mut progress = begin(&group, LIMITS);
    associate(&mut progress, 0..50);
    refuse(&mut progress, Class::NotFound);
    let listing = next_listing(&mut progress);
    assert_eq!(progress.not_listed(listing, &refused(Class::NotFound)), None);
    assert_eq!(next_members(&mut progress), None);
    assert!(matches!(progress.standing(), Standing::NotFound(_)));
}
