//! A group's calls, one by one, without a socket.

use crate::index::Index;
use crate::plan::{Address, Chunk, Sources};

use super::*;

const LIMITS: GroupLimits = GroupLimits { additional_addresses: 49, max_attempts: 10 };

/// A group of addresses `a0`, `a1`, ..., all in one chunk.
fn group(addresses: usize) -> Group {
    let address =
        |position| Address { id: format!("a{position}").into(), dry_run: false, sources: Sources::One(0) };
    Group {
        instance: "i".into(),
        queue: "q".into(),
        addresses: (0..addresses).map(address).collect(),
        chunks: vec![Chunk { addresses: (0..addresses).map(Index::new).collect(), urgency: 1 }],
    }
}

fn begin(group: &Group, limits: GroupLimits) -> Progress {
    Progress::new(group, limits, |_| None)
}

fn refused(class: Class) -> Refused {
    let refusal = Refusal { class, code: "E".to_owned(), message: "no".to_owned(), retry_after: None };
    Refused { refusal, out_of_time: false, maybe_done: false }
}

/// The set of the next step, which is to associate it.
fn next_set(progress: &mut Progress) -> Option<Set> {
    match progress.next()? {
        GroupStep::Associate(set) => Some(set),
        GroupStep::List(listing) => panic!("{listing:?} is wanted"),
    }
}

fn next_members(progress: &mut Progress) -> Option<Vec<usize>> {
    next_set(progress).map(|set| set.members)
}

/// The next step is to associate a set, which is refused.
fn refuse(progress: &mut Progress, class: Class) {
    let set = next_set(progress).unwrap();
    assert_eq!(progress.not_associated(set, refused(class)), None);
}

/// The next step is to read the queue's list, which holds these addresses, none of them as its default one.
fn list<const N: usize>(progress: &mut Progress, group: &Group, ids: [&str; N]) {
    let Some(GroupStep::List(listing)) = progress.next() else { panic!("no list is wanted") };
    let items = ids.map(|id| ListedAddress { id: id.to_owned(), is_default: false }).to_vec();
    assert_eq!(progress.listed(listing, Page { items, next_token: None }, group), None);
}

#[test]
fn a_group_is_begun_with_the_answer_to_its_first_call() {
    let group = group(2);
    let mut progress = begin(&group, LIMITS);
    let set = next_set(&mut progress).unwrap();
    assert_eq!(set.members, [0, 1]);
    assert!(!progress.is_begun());
    // Its queue may exist or not: the list is still to be read.
    assert_eq!(progress.not_associated(set, refused(Class::NotFound)), None);
    assert!(progress.is_begun());
    assert_eq!(progress.verdict(), None);
}

#[test]
fn a_refused_set_is_split_where_nothing_of_it_is_on_the_queue() {
    let group = group(5);
    let mut progress = begin(&group, LIMITS);
    refuse(&mut progress, Class::Content);
    list(&mut progress, &group, ["b"]);
    assert_eq!(next_members(&mut progress), Some(vec![0, 1]));
}

/// What is on the queue may have been the reason.
#[test]
fn what_is_left_of_a_refused_set_is_tried_as_a_whole() {
    let group = group(5);
    let mut progress = begin(&group, LIMITS);
    refuse(&mut progress, Class::Content);
    list(&mut progress, &group, ["a1"]);
    assert_eq!(next_members(&mut progress), Some(vec![0, 2, 3, 4]));
}

#[test]
fn nobody_waits_for_room_where_all_is_on_the_queue() {
    let group = group(2);
    let mut progress = begin(&group, LIMITS);
    refuse(&mut progress, Class::Limit);
    list(&mut progress, &group, ["a0", "a1"]);
    assert_eq!(next_members(&mut progress), None);
    assert_eq!(progress.into_outcomes(), [Outcome::AlreadyAssociated, Outcome::AlreadyAssociated]);
}

/// With one attempt the refusal of what should fit is the API's answer, and what fits is fewer: it is halved.
#[test]
fn with_one_attempt_fewer_are_tried_than_were_refused() {
    let limits = GroupLimits { max_attempts: 1, ..LIMITS };
    for (addresses, tried) in [(2, 1), (4, 2), (5, 2), (7, 3)] {
        let group = group(addresses);
        let mut progress = begin(&group, limits);
        refuse(&mut progress, Class::Limit);
        list(&mut progress, &group, []);
        assert_eq!(next_members(&mut progress), Some((0..tried).collect()), "of {addresses}");
    }
}

/// What was refused held more than what the list left of it, so that the rest was never refused.
#[test]
fn with_one_attempt_what_the_list_left_of_a_set_is_tried_once() {
    let limits = GroupLimits { max_attempts: 1, ..LIMITS };
    let group = group(4);
    let mut progress = begin(&group, limits);
    refuse(&mut progress, Class::Limit);
    list(&mut progress, &group, ["a0"]);
    assert_eq!(next_members(&mut progress), Some(vec![1, 2, 3]));
}
