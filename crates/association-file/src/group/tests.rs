use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use queue_email_associator::requests::{ArnScope, InstanceId};
use serde_json::{Value, json};

use super::line::MAX_LINE_BYTES;
use super::*;

fn context() -> RequestContext {
    RequestContext { scope: ArnScope::new("eu-central-1"), instance: None }
}

fn grouped(key: &str, text: &str) -> (Grouping, Vec<Value>) {
    let grouping = group(key, text.as_bytes(), &context()).unwrap();
    let lines: Vec<Value> = grouping.lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), grouping.requests);
    (grouping, lines)
}

#[test]
fn rows_of_a_queue_become_one_line_in_file_order() {
    let text = "queueId,emailAddressId,note\nq1,e1,x\nq2,e1,\nq1,e2,\nq1,e1,again\n\nq1,e3,\n";
    let (grouping, lines) = grouped("f.csv", text);
    assert_eq!(
        lines,
        [
            json!({ "queueId": "q1", "emailAddressIds": ["e1", "e2", "e3"], "rows": [2, 4, 7] }),
            json!({ "queueId": "q2", "emailAddressIds": ["e1"], "rows": [3] }),
        ]
    );
    assert_eq!(grouping.counts, FileCounts { rows: 5, pairs: 4, repeated: 1, queues: 2 });
}

#[test]
fn arns_become_identifiers_and_names_stay() {
    let arn = "arn:aws:connect:eu-central-1:111122223333:instance/i-1/queue/q1";
    let text = format!(
        "instanceId,queueId,queueName,emailAddressId,emailAddress\n\
         ,{arn},,e1,\ni-1,q1,,e2,\n,q1,,e3,\n,,Billing,e1,\n,,Billing,,help@brand.example\n"
    );
    let (grouping, lines) = grouped("f.csv", &text);
    assert_eq!(
        lines,
        [
            json!({ "instanceId": "i-1", "queueId": "q1", "emailAddressIds": ["e1", "e2"], "rows": [2, 3] }),
            json!({ "queueId": "q1", "emailAddressIds": ["e3"], "rows": [4] }),
            json!({ "queueName": "Billing", "emailAddressIds": ["e1"], "rows": [5] }),
            json!({ "queueName": "Billing", "emailAddresses": ["help@brand.example"], "rows": [6] }),
        ]
    );
    assert_eq!(grouping.counts.queues, 3);
}

#[test]
fn known_default_instance_is_written_out() {
    let instance = InstanceId::parse("i-1", &context().scope).unwrap();
    let context = RequestContext { instance: Some(instance), ..context() };
    let text = "instanceId,queueId,emailAddressId\n,q,e1\ni-1,q,e2\n";
    let grouping = group("f.csv", text.as_bytes(), &context).unwrap();
    let expected = r#"{"instanceId":"i-1","queueId":"q","emailAddressIds":["e1","e2"],"rows":[2,3]}"#;
    assert_eq!(grouping.lines, format!("{expected}\n"));
}

fn records(grouping: &Grouping) -> Vec<InvalidRecord> {
    grouping.invalid.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns all invalid records as `row message: cells`.
fn invalid(grouping: &Grouping) -> Vec<String> {
    let shown = |record: InvalidRecord| {
        let cells = &record.cells;
        let names = [&*cells.queue_id, &cells.queue_name, &cells.email_address_id, &cells.email_address];
        format!("{} {}: {}", record.row, record.message, names.join("|"))
    };
    records(grouping).into_iter().map(shown).collect()
}

/// A line of the Map's input cannot contain these, or is read differently.
#[test]
fn lines_too_large_for_the_map_are_reported() {
    let long = format!("{{\"queueName\":\"{}\",\"emailAddressId\":\"e\"}}", "n".repeat(20_000));
    let twice = r#"{"queueId":"a","queueId":"b","emailAddressId":"e"}"#;
    let entries = format!(r#"{{"associations":[{}{{"queueId":"q"}}]}}"#, r#"{"queueId":"q"},"#.repeat(99));
    let text = format!("{long}\n{twice}\n[]\n{entries}\n{{\"queueId\":\"q\",\"emailAddressId\":\"e\"}}\n");
    let (grouping, lines) = grouped("f.jsonl", &text);
    assert_eq!(lines, [json!({ "queueId": "q", "emailAddressIds": ["e"], "rows": [5] })]);
    let invalid = invalid(&grouping);
    assert_eq!(invalid.len(), 103);
    assert!(invalid[0].starts_with("1 queueName has 20000 characters"), "{}", invalid[0]);
    assert!(invalid[1].starts_with(r#"2 duplicate field "queueId""#), "{}", invalid[1]);
    assert!(
        invalid[2].starts_with("3 the line is an array: expected an association request, an object"),
        "{}",
        invalid[2]
    );
    assert!(invalid[102].starts_with("4 missing emailAddressId, "), "{}", invalid[102]);
}

#[test]
fn only_invalid_parts_of_a_json_line_are_invalid_records() {
    let text = r#"{"instanceId":"i","rows":["mine"],"failOnPermanent":true,"associations":[{"queueId":"q","emailAddressIds":["e1","a b","e2"]},{"queueId":"q"},{"queueId":"p","emailAddressId":"e1"}]}
{"queueId":"q","emailAddressIds":["e1",7],"failOnRetryable":true}
"#;
    let (grouping, lines) = grouped("f.jsonl", text);
    assert_eq!(
        lines,
        [
            json!({ "instanceId": "i", "queueId": "q", "emailAddressIds": ["e1", "e2"], "rows": [1, 1] }),
            json!({ "instanceId": "i", "queueId": "p", "emailAddressIds": ["e1"], "rows": [1] }),
            json!({ "queueId": "q", "emailAddressIds": ["e1"], "rows": [2] }),
        ]
    );
    let records = records(&grouping);
    let parts: Vec<_> =
        records.iter().map(|record| (record.row, record.request.as_deref().unwrap())).collect();
    assert_eq!(
        parts,
        [
            (1, r#"{"instanceId":"i","queueId":"q","emailAddressIds":["a b"]}"#),
            (1, r#"{"instanceId":"i","queueId":"q"}"#),
            (2, r#"{"queueId":"q","emailAddressIds":[7],"failOnRetryable":true}"#),
        ]
    );
    assert_eq!((grouping.counts.rows, grouping.counts.pairs), (2, 7));
    assert_eq!(&*records[0].cells.email_address_id, "a b");
}

#[test]
fn lines_fit_into_a_batch_of_the_map() {
    let text: String = (0..50).map(|n| format!("q,{}\n", format!("{n:03}").repeat(160))).collect();
    let (_, lines) = grouped("f.csv", &format!("queueId,emailAddressId\n{text}"));
    let addresses: usize = lines.iter().map(|line| line["emailAddressIds"].as_array().unwrap().len()).sum();
    assert_eq!((lines.len(), addresses), (4, 50));
    assert!(lines.iter().all(|line| line.to_string().len() <= MAX_LINE_BYTES));
}

proptest! {
    #[test]
    fn any_row_order_gives_fewest_lines(
        rows in prop::collection::vec((0u8..4, 0u16..140, prop::bool::weighted(0.02)), 1..600)
    ) {
        let mut text = "queueId,emailAddressId\n".to_owned();
        for (queue, address, bad) in &rows {
            text.push_str(&format!("q{queue}{},e{address}\n", if *bad { "/" } else { "" }));
        }
        let (grouping, lines) = grouped("f.csv", &text);
        let valid = rows.iter().zip(2u64..).filter(|((_, _, bad), _)| !bad);
        let mut wanted: BTreeMap<(String, String), u64> = BTreeMap::new();
        for ((queue, address, _), row) in valid {
            wanted.entry((format!("q{queue}"), format!("e{address}"))).or_insert(row);
        }
        let bad: BTreeSet<u64> =
            rows.iter().zip(2u64..).filter(|((_, _, bad), _)| *bad).map(|(_, row)| row).collect();
        let mut found = BTreeMap::new();
        let mut found_bad = BTreeSet::new();
        for record in records(&grouping) {
            prop_assert!(found_bad.insert(record.row));
        }
        for line in &lines {
            let rows = line["rows"].as_array().unwrap();
            let addresses = line["emailAddressIds"].as_array().unwrap();
            prop_assert!(addresses.len() <= 50 && addresses.len() == rows.len());
            for (address, row) in addresses.iter().zip(rows) {
                let pair = (line["queueId"].as_str().unwrap().to_owned(), address.as_str().unwrap().to_owned());
                prop_assert_eq!(found.insert(pair, row.as_u64().unwrap()), None);
            }
        }
        prop_assert_eq!(&found, &wanted);
        prop_assert_eq!(&found_bad, &bad);
        let mut of_queue: BTreeMap<&str, usize> = BTreeMap::new();
        for (queue, _) in wanted.keys() {
            *of_queue.entry(queue).or_default() += 1;
        }
        let fewest: usize = of_queue.values().map(|addresses| addresses.div_ceil(50)).sum();
        prop_assert_eq!(lines.len(), fewest);
        prop_assert_eq!(grouping.counts.pairs + grouping.counts.repeated, rows.len());
    }
}
