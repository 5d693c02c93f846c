use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use queue_email_associator::requests::Home;
use serde_json::{Value, json};

use super::*;

fn context() -> Context {
    Context { home: Home::new("eu-central-1"), instance: None }
}

fn grouped(key: &str, text: &str) -> (Grouping, Vec<Value>) {
    let grouping = group(key, text.as_bytes(), &context()).unwrap();
    let lines: Vec<Value> = grouping.lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), grouping.requests);
    (grouping, lines)
}

fn refused(key: &str, text: &str) -> String {
    let error = group(key, text.as_bytes(), &context()).unwrap_err();
    assert_eq!(error.error_type(), "InvalidFile");
    error.to_string()
}

#[test]
fn rows_of_a_queue_become_one_line_in_the_order_of_the_file() {
    let text = "queueId,emailAddressId,note\nq1,e1,x\nq2,e1,\nq1,e2,\nq1,e1,again\n\nq1,e3,\n";
    let (grouping, lines) = grouped("f.csv", text);
    assert_eq!(
        lines,
        [
            json!({ "queueId": "q1", "emailAddressIds": ["e1", "e2", "e3"], "rows": [2, 4, 7] }),
            json!({ "queueId": "q2", "emailAddressIds": ["e1"], "rows": [3] }),
        ]
    );
    let Grouping { rows, pairs, repeated, queues, requests, .. } = grouping;
    assert_eq!((rows, pairs, repeated, queues, requests), (5, 4, 1, 2, 2));
}

#[test]
fn an_arn_is_the_identifier_in_it_and_names_stay_names() {
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
    assert_eq!(grouping.queues, 3);
}

#[test]
fn the_default_instance_is_written_out_where_it_is_known() {
    let context = Context { instance: Some("i-1".to_owned()), ..context() };
    let text = "instanceId,queueId,emailAddressId\n,q,e1\ni-1,q,e2\n";
    let grouping = group("f.csv", text.as_bytes(), &context).unwrap();
    let expected = r#"{"instanceId":"i-1","queueId":"q","emailAddressIds":["e1","e2"],"rows":[2,3]}"#;
    assert_eq!(grouping.lines, format!("{expected}\n"));
}

#[test]
fn what_is_invalid_stands_in_a_line_of_its_own_and_stops_nothing() {
    let text = "queueId,queueName,emailAddressId\nq/1,,e1\nq1,Billing,e1\nq1,,e1\n";
    let (grouping, lines) = grouped("f.csv", text);
    assert_eq!(
        lines,
        [
            json!({ "queueId": "q1", "emailAddressIds": ["e1"], "rows": [4] }),
            json!({ "queueId": "q/1", "emailAddressId": "e1", "rows": [2] }),
            json!({ "queueId": "q1", "queueName": "Billing", "emailAddressId": "e1", "rows": [3] }),
        ]
    );
    assert_eq!((grouping.pairs, grouping.requests), (3, 3));
}

#[test]
fn a_line_of_json_may_ask_for_much_and_only_what_is_invalid_in_it_is_set_apart() {
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
            json!({ "instanceId": "i", "rows": [1],
                    "associations": [{ "queueId": "q", "emailAddressIds": ["a b"] }, { "queueId": "q" }] }),
            json!({ "queueId": "q", "emailAddressIds": [7], "rows": [2] }),
        ]
    );
    assert_eq!((grouping.rows, grouping.pairs), (2, 7));
}

#[test]
fn a_dry_run_never_joins_a_live_line() {
    let text = "{\"queueId\":\"q\",\"emailAddressIds\":[\"e1\",\"e2\"],\"dryRun\":true}\n\
                {\"queueId\":\"q\",\"emailAddressId\":\"e2\"}\n";
    let (_, lines) = grouped("f.ndjson", text);
    assert_eq!(
        lines,
        [
            json!({ "queueId": "q", "emailAddressIds": ["e2"], "rows": [1] }),
            json!({ "queueId": "q", "emailAddressIds": ["e1"], "dryRun": true, "rows": [1] }),
        ]
    );
}

#[test]
fn what_came_back_as_failed_is_read_as_it_is() {
    let text = "instanceId,queueId,queueName,emailAddressId,emailAddress,row,error,message,retryable\r\n\
                ,,'=Billing,,'+49@brand.example,7,QueueFull,\"'=full, \"\"really\"\"\",false\r\n";
    let (_, lines) = grouped("f.csv", text);
    assert_eq!(
        lines,
        [json!({ "queueName": "=Billing", "emailAddresses": ["+49@brand.example"], "rows": [2] })]
    );
}

#[test]
fn lines_stay_within_a_batch_of_the_map() {
    let text: String = (0..50).map(|n| format!("q,{}\n", format!("{n:03}").repeat(160))).collect();
    let (_, lines) = grouped("f.csv", &format!("queueId,emailAddressId\n{text}"));
    let addresses: usize = lines.iter().map(|line| line["emailAddressIds"].as_array().unwrap().len()).sum();
    assert_eq!((lines.len(), addresses), (4, 50));
    assert!(lines.iter().all(|line| line.to_string().len() <= MAX_LINE_BYTES));
    let name = "n".repeat(MAX_LINE_BYTES);
    let text = format!("queueName,emailAddressId\na,e\n{name},e\n");
    let expected = "f.csv: line 3 makes a request of more than 11000 bytes, and is invalid: queueName is 11000 characters long; at most 500 are accepted";
    assert_eq!(refused("f.csv", &text), expected);
}

#[test]
fn a_file_that_would_be_read_in_two_ways_or_is_too_large_is_refused() {
    let twice = "{\"queueId\":\"a\",\"queueId\":\"b\",\"emailAddressId\":\"e\"}\n";
    assert_eq!(refused("f.jsonl", twice), "f.jsonl: line 1: queueId is given twice; once is accepted");
    let row = format!("{{\"queueId\":\"q\",\"emailAddressIds\":[{}\"e\"]}}\n", "\"e\",".repeat(4_999));
    let message = refused("f.jsonl", &format!("{}{{}}\n", row.repeat(50)));
    assert_eq!(message, "f.jsonl: asks for 250001 associations; at most 250000 are accepted in one file");
}

proptest! {
    #[test]
    fn any_order_of_rows_gives_the_fewest_lines_and_loses_nothing(
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
        for line in &lines {
            let rows = line["rows"].as_array().unwrap();
            let Some(addresses) = line["emailAddressIds"].as_array() else {
                prop_assert!(found_bad.insert(rows[0].as_u64().unwrap()));
                continue;
            };
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
        prop_assert_eq!(lines.len(), fewest + bad.len());
        prop_assert_eq!(grouping.pairs + grouping.repeated, rows.len());
    }
}
