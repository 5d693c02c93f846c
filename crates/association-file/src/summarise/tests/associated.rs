//! Tests the files of associated rows and of already associated rows.

use super::*;

#[test]
fn rows_are_listed_as_associated_or_already_associated() {
    let text = "queueId,queueName,emailAddressId,emailAddress,reference\n\
                q1,,e1,,order-1\n,Billing,,b@brand.example,\nq1,,e2,,\"order 2, again\"\nq1,,e3,,order-3\nq2,,e1,,\n";
    let (items, file) = grouped(text);
    let failure =
        json!({ "queueId": "q1", "emailAddressId": "e3", "error": "E", "message": "m", "retryable": false });
    let mut report = output(2, &[failure], 0);
    report["alreadyAssociated"] = json!(2);
    // The function adds its own instance.
    report["alreadyAssociatedPairs"] = json!([
        { "instanceId": "i", "queueName": "Billing", "emailAddresses": ["b@brand.example"] },
        { "instanceId": "i", "queueId": "q2", "emailAddressIds": ["e1"] },
    ]);
    let result = reported(&file, &items, &report);
    assert_eq!(listed(&result.associated_csv), ["2 q1 e1 order-1", "4 q1 e2 order 2, again"]);
    assert_eq!(listed(&result.already_associated_csv), ["3 Billing b@brand.example", "6 q2 e1"]);
    assert_eq!(rows(&result), ["5 E q1 e3"]);
    assert_eq!(result.counts.associated_not_listed, 0);
}

/// A row that was associated before must not be removed from its queue by mistake.
#[test]
fn ambiguous_report_lists_no_associated_row() {
    let (items, file) = grouped("queueId,emailAddressId\nq,e1\nq,e2\nq,e3\np,e1\n");
    let entry = |ids: &[&str]| json!([{ "queueId": "q", "emailAddressIds": ids }]);
    let failure = |id: &str| json!({ "queueId": "q", "emailAddressId": id, "error": "E", "message": "m", "retryable": true });
    for (already, named, failures, omitted, rows) in [
        (2, entry(&["e1", "e2"]), vec![], 0, vec!["4 q e3", "5 p e1"]),
        (2, entry(&["e1"]), vec![], 0, vec![]),
        (2, json!(null), vec![], 0, vec![]),
        (2, json!(7), vec![], 0, vec![]),
        (2, entry(&["e1", "unknown"]), vec![], 0, vec![]),
        // A report that lists fewer pairs than it counts, or counts more pairs than exist.
        (1, entry(&["e1"]), vec![], 0, vec![]),
        (0, json!(null), vec![failure("unknown")], 0, vec![]),
        (0, json!(null), vec![failure("e1")], 1, vec![]),
    ] {
        let mut report = output(2, &failures, omitted);
        report["alreadyAssociated"] = json!(already);
        report["alreadyAssociatedPairs"] = named.clone();
        let result = reported(&file, &items, &report);
        assert_eq!(listed(&result.associated_csv), rows, "{named}");
        let Counts { associated, associated_not_listed, .. } = result.counts;
        assert_eq!(associated_not_listed, associated - rows.len(), "{named}");
    }
}

/// If a batch requests a pair in two ways, it counts once, and a failure contains only one of them. The other row failed
/// too.
#[test]
fn pair_with_two_names_counts_once_and_lists_no_associated_row() {
    let (items, file) = grouped(
        "queueId,emailAddressId,emailAddress\nq,e0,\nq,,e0@brand.example\nq,,E0@brand.example\nq,e1,\n",
    );
    let failure =
        json!({ "queueId": "q", "emailAddressId": "e0", "error": "E", "message": "m", "retryable": false });
    for (report, not_listed) in [(output(1, &[failure], 0), 1), (output(2, &[], 0), 2)] {
        let result = reported(&file, &items, &report);
        let counts = result.counts;
        assert_eq!((result.associated_csv, counts.associated_not_listed), (None, not_listed));
        assert_eq!((counts.file.rows, counts.file.pairs, counts.file.repeated), (4, 2, 2));
    }
}
