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

fn run(group: &Group, limits: GroupLimits) -> GroupRun {
    GroupRun::new(group, limits, |_| None)
}

fn refused(class: Class) -> Result<Reply, Refused> {
    let refusal = Refusal { class, code: "E".to_owned(), message: "no".to_owned(), retry_after: None };
    Err(Refused { refusal, out_of_time: false, maybe_done: false })
}

/// The queue holds these addresses, none of them as its default one.
fn listed<const N: usize>(ids: [&str; N]) -> Result<Reply, Refused> {
    let items = ids.map(|id| ListedAddress { id: id.to_owned(), is_default: false }).to_vec();
    Ok(Reply::Listed(Page { items, next_token: None }))
}

/// Takes these answers, of which none asks for a wait.
fn answered<const N: usize>(run: &mut GroupRun, group: &Group, answers: [Result<Reply, Refused>; N]) {
    for answer in answers {
        assert!(run.call().is_some());
        assert_eq!(run.record(answer, group), Then::GoOn);
    }
}

#[test]
fn a_group_is_begun_with_the_answer_to_its_first_call() {
    let group = group(2);
    let mut run = run(&group, LIMITS);
    assert_eq!(run.call(), Some(GroupCall::Associate(vec![0, 1])));
    assert!(!run.is_begun());
    // Its queue may exist or not: the list is still to be read.
    answered(&mut run, &group, [refused(Class::NotFound)]);
    assert!(run.is_begun());
    assert_eq!(run.verdict(), None);
}

#[test]
fn a_refused_set_is_split_where_nothing_of_it_is_on_the_queue() {
    let group = group(5);
    let mut run = run(&group, LIMITS);
    answered(&mut run, &group, [refused(Class::Content), listed(["b"])]);
    assert_eq!(run.call(), Some(GroupCall::Associate(vec![0, 1])));
}

/// What is on the queue may have been the reason.
#[test]
fn what_is_left_of_a_refused_set_is_tried_as_a_whole() {
    let group = group(5);
    let mut run = run(&group, LIMITS);
    answered(&mut run, &group, [refused(Class::Content), listed(["a1"])]);
    assert_eq!(run.call(), Some(GroupCall::Associate(vec![0, 2, 3, 4])));
}

#[test]
fn nobody_waits_for_room_where_all_is_on_the_queue() {
    let group = group(2);
    let mut run = run(&group, LIMITS);
    answered(&mut run, &group, [refused(Class::Limit), listed(["a0", "a1"])]);
    assert_eq!(run.call(), None);
    assert_eq!(run.into_outcomes(), [Outcome::AlreadyAssociated, Outcome::AlreadyAssociated]);
}

/// With one attempt the refusal of what should fit is the API's answer, and what fits is fewer: it is halved.
#[test]
fn with_one_attempt_fewer_are_tried_than_were_refused() {
    let limits = GroupLimits { max_attempts: 1, ..LIMITS };
    for (addresses, tried) in [(2, 1), (4, 2), (5, 2), (7, 3)] {
        let group = group(addresses);
        let mut run = run(&group, limits);
        answered(&mut run, &group, [refused(Class::Limit), listed([])]);
        assert_eq!(run.call(), Some(GroupCall::Associate((0..tried).collect())), "of {addresses}");
    }
}

/// What was refused held more than what the list left of it, so that the rest was never refused.
#[test]
fn with_one_attempt_what_the_list_left_of_a_set_is_tried_once() {
    let limits = GroupLimits { max_attempts: 1, ..LIMITS };
    let group = group(4);
    let mut run = run(&group, limits);
    answered(&mut run, &group, [refused(Class::Limit), listed(["a0"])]);
    assert_eq!(run.call(), Some(GroupCall::Associate(vec![1, 2, 3])));
}
