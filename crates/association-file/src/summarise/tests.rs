use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use queue_email_associator::requests::ArnScope;
use serde_json::{Value, json};

use super::*;
use crate::group::group;
use crate::step::CaughtError;

mod associated;
mod failed;
mod uploaded_again;

fn context() -> RequestContext {
    RequestContext { scope: ArnScope::new("eu-central-1"), instance: None }
}

/// Returns the requests of a grouped file, and the file as it is read again.
fn grouped(text: &str) -> (Vec<Value>, GroupedFile) {
    grouped_as("f.csv", text)
}

fn grouped_as(key: &str, text: &str) -> (Vec<Value>, GroupedFile) {
    let grouping = group(key, text.as_bytes(), &context()).unwrap();
    let items = grouping.lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (lines, invalid) = (grouping.lines.as_bytes(), grouping.invalid.as_bytes());
    let file = GroupedFile::read(lines, invalid, grouping.table, grouping.counts, &context()).unwrap();
    (items, file)
}

fn input(items: &[Value]) -> String {
    json!({ "BatchInput": { "failOnRetryable": false }, "Items": items }).to_string()
}

fn succeeded(items: &[Value], output: &Value) -> Value {
    json!({ "Input": input(items), "Output": output.to_string(), "Status": "SUCCEEDED" })
}

fn output(associated: usize, failures: &[Value], omitted: usize) -> Value {
    json!({
        "status": "PARTIAL", "associated": associated, "alreadyAssociated": 0, "planned": 0,
        "failed": failures.len() + omitted, "apiCalls": 2, "throttledCalls": 1, "rounds": 1,
        "failures": failures, "failuresOmitted": omitted,
    })
}

fn no_result() -> Reason {
    Reason::new("NoResult", "no result", true)
}

/// Returns the outcome of a file whose batches have these results.
fn outcome(file: &GroupedFile, results: &[(ResultKind, Value)]) -> FileOutcome {
    let context = context();
    let mut builder = OutcomeBuilder::new(&context, file, file.invalid.clone());
    for (kind, executions) in results {
        builder.add(*kind, "results.json", executions.to_string().as_bytes());
    }
    builder.finish(no_result())
}

/// Returns the outcome of a file whose only batch has a report.
fn reported(file: &GroupedFile, items: &[Value], report: &Value) -> FileOutcome {
    outcome(file, &[(ResultKind::Succeeded, json!([succeeded(items, report)]))])
}

/// Returns each failed row as `row error cells…`.
fn rows(outcome: &FileOutcome) -> Vec<String> {
    let row = |failed: &FailedRow| {
        let cells = &failed.cells;
        let named = [&cells.queue_id, &cells.queue_name, &cells.email_address_id, &cells.email_address];
        let named: Vec<&str> =
            named.into_iter().map(|cell| &**cell).filter(|cell| !cell.is_empty()).collect();
        let row = failed.row.map_or("-".to_owned(), |row| row.to_string());
        format!("{row} {} {}", failed.reason.error, named.join(" "))
    };
    outcome.failed.iter().map(row).collect()
}

/// Returns the failed rows as text.
fn failed_csv(outcome: &FileOutcome) -> String {
    String::from_utf8(outcome.failed_csv.clone().unwrap()).unwrap()
}

/// Returns the rows of a CSV file of pairs, each as `row queue address reference`.
fn listed(csv: &Option<Vec<u8>>) -> Vec<String> {
    let Some(rows) = csv else { return Vec::new() };
    let mut reader = csv::Reader::from_reader(&rows["\u{feff}".len()..]);
    let columns = reader.headers().unwrap().clone();
    let row = |record: csv::StringRecord| {
        let cell =
            |name| columns.iter().position(|column| column == name).map_or("", |column| &record[column]);
        let cells = ["row", "queueId", "queueName", "emailAddressId", "emailAddress", "reference"].map(cell);
        cells.into_iter().filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join(" ")
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

const FILE: &str = "queueId,queueName,emailAddressId\nq1,,e1\nq2,,e1\nq1,,e2\nq/,,e1\n,Billing,e1\nq3,,e1\n";

#[test]
fn failures_find_their_rows_by_pair_and_path() {
    let (items, file) = grouped(FILE);
    let failures = [
        // In a second round, the path refers to the continuation, and the failure contains the function's own instance.
        json!({ "instanceId": "i", "queueId": "q1", "emailAddressId": "e2", "error": "QueueFull",
                "message": "full", "retryable": false, "path": "associations[0].emailAddressIds[0]" }),
        json!({ "queueName": "Billing", "emailAddressId": "e1", "error": "NameNotFound", "message": "m",
                "retryable": false, "path": "Items[2].emailAddressIds[0]" }),
    ];
    let result = reported(&file, &items, &output(3, &failures, 0));
    assert_eq!(rows(&result), ["4 QueueFull q1 e2", "5 InvalidRequest q/ e1", "6 NameNotFound Billing e1"]);
    assert_eq!((result.counts.associated, result.counts.failed, result.counts.file.pairs), (3, 3, 6));
}

#[test]
fn batch_without_readable_report_fails_whole() {
    let (items, file) = grouped(FILE);
    let cause = json!({ "errorType": "Runtime.ExitError", "errorMessage": "it\nended" }).to_string();
    let failed = json!([{ "Input": input(&items[..1]), "Status": "FAILED", "Error": "Lambda.Unknown", "Cause": cause }]);
    let timed_out = json!([{ "Input": input(&items[1..2]), "Status": "TIMED_OUT" }]);
    let pending = json!([{ "Input": input(&items[2..3]) }]);
    let unreadable = json!([{ "Input": input(&items[3..]), "Output": "{}" }]);
    let result = outcome(
        &file,
        &[
            (ResultKind::Failed, failed),
            (ResultKind::Failed, timed_out),
            (ResultKind::Pending, pending),
            (ResultKind::Succeeded, unreadable),
        ],
    );
    assert_eq!(
        rows(&result),
        [
            "2 Lambda.Unknown q1 e1",
            "3 TIMED_OUT q2 e1",
            "4 Lambda.Unknown q1 e2",
            "5 InvalidRequest q/ e1",
            "6 NotStarted Billing e1",
            "7 UnreadableOutput q3 e1"
        ]
    );
    assert_eq!(result.failed[0].reason.message, "it ended");
    assert_eq!(result.counts.failed, 6);
}

#[test]
fn omitted_failures_list_every_candidate() {
    let (items, file) = grouped(FILE);
    let failures = [
        json!({ "queueId": "q1", "emailAddressId": "e1", "error": "E", "message": "m", "retryable": false }),
    ];
    let result = reported(&file, &items, &output(3, &failures, 1));
    assert_eq!(
        rows(&result),
        [
            "2 E q1 e1",
            "3 NotReported q2 e1",
            "4 NotReported q1 e2",
            "5 InvalidRequest q/ e1",
            "6 NotReported Billing e1",
            "7 NotReported q3 e1"
        ]
    );
    assert_eq!((result.counts.associated, result.counts.failed), (3, 3));
}

/// A report may have wrong or missing numbers, but its reasons are still true.
#[test]
fn wrong_counts_keep_the_reasons() {
    let (items, file) =
        grouped("queueId,emailAddress\nq,e0@brand.example\nq,E0@brand.example\nq,e1@brand.example\n");
    let failure = |address: &str| json!({ "queueId": "q", "emailAddress": address, "error": "QueueFull", "message": "full", "retryable": false });
    let full = ["2 QueueFull q e0@brand.example", "3 QueueFull q E0@brand.example"];
    let other = ["4 NotReported q e1@brand.example"];
    for (changed, accounts_for_all) in [
        (json!({ "failed": 1, "failuresOmitted": -1 }), true),
        (json!({ "failed": 0 }), true),
        (json!({ "associated": null }), false),
        (json!({ "associated": -1 }), false),
        (json!({ "failed": "two" }), false),
        (json!({ "failuresOmitted": 1, "failed": 3, "associated": 0 }), false),
        (json!({ "apiCalls": "many", "throttledCalls": -3 }), true),
    ] {
        let mut report = output(1, &[failure("e0@brand.example"), failure("E0@brand.example")], 0);
        report.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        let result = reported(&file, &items, &report);
        let other: &[&str] = if accounts_for_all { &[] } else { &other };
        assert_eq!(rows(&result), [&full[..], other].concat(), "{changed}");
        let counts = result.counts;
        assert_eq!(counts.associated + counts.failed, counts.file.pairs, "{changed}");
        assert_eq!(counts.file.pairs, 3, "{changed}");
    }
}

#[test]
fn pairs_of_an_incomplete_report_fail() {
    let (items, file) = grouped("queueId,emailAddressId\nq,e0\nq,e1\n");
    let broken = json!([7, { "queueId": "q", "emailAddressId": "e0", "error": "E", "message": "m", "retryable": true }]);
    let mut report = output(0, &[], 0);
    report["failures"] = broken;
    report["failed"] = json!(2);
    for (report, wanted) in [
        (output(0, &[], 0), ["2 NotReported q e0", "3 NotReported q e1"]),
        (report, ["2 E q e0", "3 NotReported q e1"]),
        (json!({ "round": 3 }), ["2 UnreadableOutput q e0", "3 UnreadableOutput q e1"]),
    ] {
        let result = reported(&file, &items, &report);
        assert_eq!(rows(&result), wanted);
        assert_eq!((result.counts.failed, result.counts.file.pairs), (2, 2));
    }
}

/// Only the associating function knows the instance of rows that do not specify one.
#[test]
fn request_rejected_by_the_function_fails_its_pairs() {
    let (items, file) = grouped("queueId,emailAddressId\nq1,e1\nq1,e2\nq2,e1\n");
    let failure = json!({ "error": "InvalidRequest", "message": "instanceId is missing", "retryable": false,
                          "path": "Items[0].instanceId" });
    let result = reported(&file, &items, &output(1, &[failure], 0));
    assert_eq!(rows(&result), ["2 InvalidRequest q1 e1", "3 InvalidRequest q1 e2"]);
}

#[test]
fn pairs_after_the_end_of_a_truncated_file_fail() {
    let (items, file) = grouped(FILE);
    let context = context();
    let mut builder = OutcomeBuilder::new(&context, &file, file.invalid.clone());
    let whole =
        json!([succeeded(&items[..1], &output(2, &[], 0)), succeeded(&items[1..], &output(1, &[], 0))]);
    let whole = whole.to_string();
    builder.add(ResultKind::Succeeded, "truncated.json", &whole.as_bytes()[..whole.len() - 20]);
    let result = builder.finish(no_result());
    assert_eq!(
        rows(&result),
        ["3 NoResult q2 e1", "5 InvalidRequest q/ e1", "6 NoResult Billing e1", "7 NoResult q3 e1"]
    );
    assert_eq!(result.counts.associated, 2);
}

/// The text is logged.
#[test]
fn unreadable_results_are_not_quoted() {
    let (context, file) = (context(), GroupedFile::default());
    for bytes in [&br#""hidden@brand.example""#[..], br#"[] "hidden@brand.example""#] {
        let mut builder = OutcomeBuilder::new(&context, &file, Vec::new());
        builder.add(ResultKind::Succeeded, "results.json", bytes);
        let UnreadableResults { count, first } = builder.unreadable().unwrap();
        assert_eq!(*count, 1);
        assert!(first.starts_with("results.json cannot be read: ") && !first.contains("hidden"), "{first}");
    }
    let manifest = Manifest::read(br#"{"ResultFiles": "hidden@brand.example"}"#).unwrap_err();
    assert_eq!(manifest, "the manifest cannot be read: not what Step Functions writes at line 1 column 38");
}

proptest! {
    /// Batches of any size end in any way, or have no result. Every pair that is not reported as done is a failed row.
    #[test]
    fn nothing_is_lost(
        requested in prop::collection::btree_set((0u8..4, 0u16..40), 1..120),
        batches in prop::collection::vec((1usize..4, 0u8..6), 1..40),
    ) {
        let text: String = requested.iter().map(|(queue, address)| format!("q{queue},e{address}\n")).collect();
        let (items, file) = grouped(&format!("queueId,emailAddressId\n{text}"));
        let mut done = BTreeMap::new();
        let mut results = Vec::new();
        let mut left = &items[..];
        for (size, how) in batches {
            let (batch, rest) = left.split_at(size.min(left.len()));
            left = rest;
            if batch.is_empty() { break }
            let pairs: Vec<(String, String)> = batch.iter().flat_map(|item| {
                let queue = item["queueId"].as_str().unwrap().to_owned();
                let ids = item["emailAddressIds"].as_array().unwrap();
                ids.iter().map(move |id| (queue.clone(), id.as_str().unwrap().to_owned()))
            }).collect();
            let failure = |(queue, address): &(String, String)| json!({
                "queueId": queue, "emailAddressId": address, "error": "E", "message": "m", "retryable": true });
            let half = pairs.len() / 2;
            match how {
                0 => results.push((ResultKind::Failed, json!([{ "Input": input(batch), "Error": "E", "Cause": "c" }]))),
                1 => results.push((ResultKind::Pending, json!([{ "Input": input(batch) }]))),
                2 => results.push((ResultKind::Succeeded, json!([{ "Input": input(batch), "Output": "?" }]))),
                3 => {}
                4 => {
                    let failures: Vec<Value> = pairs[half..].iter().map(failure).collect();
                    done.extend(pairs[..half].iter().cloned().map(|pair| (pair, ())));
                    results.push((ResultKind::Succeeded, json!([succeeded(batch, &output(half, &failures, 0))])));
                }
                _ => {
                    done.extend(pairs.iter().cloned().map(|pair| (pair, ())));
                    results.push((ResultKind::Succeeded, json!([succeeded(batch, &output(pairs.len(), &[], 0))])));
                }
            }
        }
        let result = outcome(&file, &results);
        let rows = listed(&result.associated_csv);
        let associated = requested.iter().zip(2..).filter_map(|((queue, address), row)| {
            let pair = (format!("q{queue}"), format!("e{address}"));
            done.contains_key(&pair).then(|| format!("{row} {} {}", pair.0, pair.1))
        });
        prop_assert_eq!(rows, associated.collect::<Vec<_>>());
        prop_assert_eq!(result.counts.associated_not_listed, 0);
        let mut found = BTreeMap::new();
        for row in &result.failed {
            let pair = (row.cells.queue_id.to_string(), row.cells.email_address_id.to_string());
            prop_assert!(row.row.is_some());
            prop_assert!(!done.contains_key(&pair));
            prop_assert_eq!(found.insert(pair, ()), None);
        }
        found.extend(done.clone());
        let wanted: BTreeMap<_, _> =
            requested.iter().map(|(queue, address)| ((format!("q{queue}"), format!("e{address}")), ())).collect();
        prop_assert_eq!(found, wanted);
        let counts = result.counts;
        prop_assert_eq!(counts.associated, done.len());
        prop_assert_eq!(counts.associated + counts.failed, requested.len());
        prop_assert_eq!(counts.file.pairs, requested.len());
    }
}
