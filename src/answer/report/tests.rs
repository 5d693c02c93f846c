//! Tests of the report's size and counts.

use crate::associate::CallCounts;
use crate::failure::{Failure, Retry};
use crate::index::{Index, IndexList, InvalidIndex, SourceIndex};
use crate::payload::Envelope;
use crate::requests::Options;
use crate::settle::{Failures, Subject};

use super::*;

/// A row of about a hundred bytes.
fn row(number: usize, failed: usize) -> QueueRow {
    QueueRow {
        instance_id: "i".into(),
        queue_id: Some(format!("q{number:05}").as_str().into()),
        queue_name: None,
        requested: 1,
        associated: 0,
        already_associated: 0,
        planned: 0,
        failed,
        chunks: 1,
        unrequested: None,
        unrequested_ids: Vec::new(),
    }
}

/// A failure of about a thousand bytes.
fn failure(number: usize) -> FailureEntry {
    FailureEntry {
        instance_id: None,
        queue: None,
        address: None,
        failure: Arc::new(Failure::ours("E", format!("{number:01000}"), Retry::Never)),
        retryable: false,
        path: None,
        reference: "r".into(),
        message_id: None,
        source: SourceIndex::new(0),
        subject: Subject::Invalid(InvalidIndex::new(number)),
        sent_on: false,
        options: Options::default(),
    }
}

fn report(queues: Vec<QueueRow>, failures: usize) -> Report {
    Report {
        status: Status::Partial,
        counts: Counts::default(),
        api_calls: 0,
        throttled_calls: 0,
        queues,
        failures: (0..failures).map(failure).collect(),
        failures_omitted: 0,
        queues_omitted: 0,
        remaining: None,
        already_associated_pairs: None,
    }
}

/// Asserts that the report is within its size and has no room for one more entry.
fn assert_filled(report: &Report, entry: usize) {
    let size = json_size(report);
    assert!(size <= MAX_BYTES && size + entry + 64 > MAX_BYTES, "{size}");
}

#[test]
fn queues_without_failures_are_left_out_first() {
    let mut queues: Vec<QueueRow> = (0..3_000).map(|number| row(number, 0)).collect();
    queues.push(row(9_999, 1));
    let entry = json_size(&queues[0]) + 1;
    let cut = report(queues.clone(), 3).with_remaining(None).unwrap();
    assert_filled(&cut, entry);
    assert_eq!((cut.failures.len(), cut.failures_omitted), (3, 0));
    assert_eq!(cut.queues.len() + cut.queues_omitted, 3_001);
    let kept = cut.queues.len() - 1;
    assert_eq!(cut.queues[..kept], queues[..kept]);
    assert_eq!(cut.queues.last(), queues.last());
}

#[test]
fn failures_are_left_out_before_their_queues() {
    let all_failed: Vec<QueueRow> = (0..500).map(|number| row(number, 1)).collect();
    let entry = json_size(&failure(0)) + 1;
    let cut = report(all_failed, 400).with_remaining(None).unwrap();
    assert_filled(&cut, entry);
    assert_eq!((cut.queues.len(), cut.queues_omitted), (500, 0));
    assert_eq!(cut.failures.len() + cut.failures_omitted, 400);
    assert_eq!(cut.failures, report(Vec::new(), 400).failures[..cut.failures.len()]);
    let all_failed: Vec<QueueRow> = (0..3_000).map(|number| row(number, 1)).collect();
    let cut = report(all_failed.clone(), 2).with_remaining(None).unwrap();
    assert_filled(&cut, json_size(&all_failed[0]) + 1);
    assert_eq!((cut.failures.len(), cut.failures_omitted), (0, 2));
    assert_eq!(cut.queues, all_failed[..cut.queues.len()]);
}

#[test]
fn remaining_request_is_never_cut() {
    let remaining = |bytes| Some(Value::String("x".repeat(bytes)));
    let cut = report(Vec::new(), 150).with_remaining(remaining(100_000)).unwrap();
    assert_filled(&cut, json_size(&failure(0)) + 1);
    assert!(cut.failures.len() < 100);
    assert_eq!(report(Vec::new(), 150).with_remaining(remaining(MAX_BYTES)), None);
}

#[test]
fn already_associated_pairs_are_all_named_or_none() {
    let pairs = |bytes| Some(Value::String("x".repeat(bytes)));
    let whole = report(Vec::new(), 100).with_remaining(None).unwrap();
    let room = MAX_BYTES - json_size(&whole.clone().with_already_associated(pairs(0)));
    let filled = whole.clone().with_already_associated(pairs(room));
    assert_eq!((json_size(&filled), filled.failures.len()), (MAX_BYTES, 100));
    assert_eq!(whole.clone().with_already_associated(pairs(room + 1)), whole);
}

#[test]
fn failures_beyond_the_limit_are_only_counted() {
    let run = FinishedRun {
        envelope: Envelope::read(b"{}").unwrap(),
        pairs: Pairs::default(),
        outcomes: Outcomes { by_pair: IndexList::default(), unrequested: IndexList::default() },
        failures: Failures::of(vec![failure(0); MAX_FAILURES + 9]),
        redelivered: Vec::new(),
        call_counts: CallCounts::default(),
        counts: Counts::default(),
        queues: Vec::new(),
    };
    let shortened = Report::shortened(&run);
    assert_eq!((shortened.failures.len(), shortened.failures_omitted), (MAX_FAILURES, 9));
    let whole = Report::new(run);
    assert_eq!((whole.failures.len(), whole.failures_omitted), (MAX_FAILURES + 9, 0));
}

#[test]
fn status_follows_from_the_counts() {
    for ((associated, already_associated, planned, failed), status) in [
        ((0, 0, 0, 0), Status::Succeeded),
        ((1, 1, 0, 0), Status::Succeeded),
        ((0, 0, 1, 0), Status::Planned),
        ((1, 0, 1, 0), Status::Planned),
        ((0, 0, 0, 1), Status::Failed),
        ((1, 0, 0, 1), Status::Partial),
        ((0, 1, 0, 1), Status::Partial),
        ((0, 0, 1, 1), Status::Partial),
    ] {
        let counts = Counts { associated, already_associated, planned, failed, ..Counts::default() };
        assert_eq!(Status::of(&counts), status, "{counts:?}");
    }
}
