//! Checks the function's responses, which are reports, listed messages and errors.

use connect_simulator::Fault;
use serde_json::{Value, json};

use crate::common::{counts, entries, error, event, failures, on_fifo, pair, sns};
use crate::world::{INSTANCE, World, fixture, ids, listed, request, sqs};

fn pairs(pairs: &[(&str, &str)]) -> Value {
    let entry = |(queue, address): &(&str, &str)| json!({ "queueId": queue, "emailAddressId": address });
    entries(pairs.iter().map(entry).collect::<Vec<_>>())
}

#[tokio::test]
async fn successful_request_reports_totals_and_rows() {
    let world = World::new(fixture(2, 2));
    let report =
        world.invoke(&pairs(&[("q0", "e0"), ("q0", "e1"), ("q1", "e0"), ("q0", "e0")])).await.unwrap();
    let row = |queue: &str, requested: u32, associated: u32| {
        json!({ "instanceId": INSTANCE, "queueId": queue, "requested": requested, "associated": associated,
                "alreadyAssociated": 0, "failed": 0, "chunks": 1 })
    };
    assert_eq!(
        report,
        json!({
            "status": "SUCCEEDED",
            "requested": 4, "distinct": 3, "associated": 3, "alreadyAssociated": 0, "planned": 0, "failed": 0,
            "apiCalls": 2, "throttledCalls": 0,
            "queues": [row("q0", 3, 2), row("q1", 1, 1)],
            "failures": [],
            "failuresOmitted": 0, "queuesOmitted": 0,
        })
    );
}

#[tokio::test]
async fn failure_contains_pair_path_and_reason() {
    let world = World::new(fixture(1, 1));
    let mut payload = pairs(&[("q0", "e0"), ("q0", "missing"), ("q0", "")]);
    payload["associations"][2] = json!({ "queueId": "q0" });
    let report = world.invoke(&payload).await.unwrap();
    assert_eq!(report["status"], "PARTIAL");
    assert_eq!(counts(&report, ["distinct", "associated", "failed"]), [3, 1, 2]);
    let failures = failures(&report);
    assert_eq!(failures[0]["instanceId"], INSTANCE);
    assert_eq!(failures[0]["queueId"], "q0");
    assert_eq!(failures[0]["emailAddressId"], "missing");
    assert_eq!(failures[0]["error"], "InvalidParameterException");
    assert_eq!(failures[0]["retryable"], false);
    assert_eq!(failures[0]["path"], "associations[1]");
    assert!(failures[0].get("messageId").is_none());
    assert_eq!(
        failures[1],
        json!({
            "error": "InvalidRequest",
            "message": "missing emailAddressId, emailAddressIds, emailAddress or emailAddresses",
            "retryable": false,
            "path": "associations[2].emailAddressId",
            "reference": "request-1",
        })
    );
}

#[tokio::test]
async fn nothing_valid_is_an_error_for_direct_requests_and_events() {
    let world = World::new(fixture(1, 1));
    let invalid = json!({ "instanceId": INSTANCE, "queueId": 5, "emailAddressId": "e0" });
    for payload in [invalid.clone(), event(&invalid), sns(&[&invalid])] {
        let (kind, message) = world.invoke(&payload).await.unwrap_err();
        assert_eq!(kind, "InvalidRequest");
        assert_eq!(message, "1 of 1 failed: queueId must be a string, not a number");
    }
    // A Distributed Map batch gets a report, because its items are invalid, not the batch itself.
    let report = world.invoke(&json!({ "Items": [invalid] })).await.unwrap();
    assert_eq!(report["status"], "FAILED");
    assert_eq!(report["failures"][0]["path"], "Items[0].queueId");
}

#[tokio::test]
async fn messages_with_one_pair_share_its_failure() {
    let world = World::new(fixture(2, 2));
    let batch = sqs(&[
        pairs(&[("q0", "e0"), ("q0", "missing")]),
        pair("q0", "e1"),
        pair("q0", "missing"),
        pair("q1", "e0"),
    ]);
    assert_eq!(listed(&world.invoke(&batch).await), ["m0", "m2"]);
    // A batch in which everything failed is not an error.
    let batch = sqs(&[pair("q0", "missing"), json!("nope")]);
    assert_eq!(listed(&world.invoke(&batch).await), ["m0", "m1"]);
    assert_eq!(world.associated("q0"), ["e0", "e1"]);
    assert_eq!(world.associated("q1"), ["e0"]);
}

/// A message without a group fails alone.
#[tokio::test]
async fn fifo_messages_after_a_failure_of_their_group_are_listed() {
    let (a, b) = (Some("a"), Some("b"));
    let groups = [a, b, a, None, None, b, a];
    for (failing, expected) in [
        (&[][..], &[][..]),
        (&[0], &["m0", "m2", "m6"]),
        (&[2], &["m2", "m6"]),
        (&[3], &["m3"]),
        (&[1, 2], &["m1", "m2", "m5", "m6"]),
    ] {
        let world = World::new(fixture(1, 1));
        let address = |number| if failing.contains(&number) { "missing" } else { "e0" };
        let bodies: Vec<Value> = (0..7).map(|number| pair("q0", address(number))).collect();
        let batch = on_fifo(sqs(&bodies), &groups);
        assert_eq!(listed(&world.invoke(&batch).await), expected, "{failing:?}");
    }
}

#[tokio::test]
async fn retryable_pair_is_an_error_for_retrying_callers() {
    let world = World::new(fixture(1, 1));
    world.connect.inject(Fault::new(error(500, "InternalServiceException", "try later")));
    let payload = request("q0", &ids(0..1));
    for payload in [payload.clone(), event(&payload), json!({ "Items": [payload] })] {
        let (kind, message) = world.invoke(&payload).await.unwrap_err();
        assert_eq!(kind, "RetryableFailure");
        let item = if payload.get("Items").is_some() { "Items[0]." } else { "" };
        assert_eq!(
            message,
            format!(
                "1 of 1 failed: InternalServiceException at {item}associations[0].emailAddressIds[0]: try later"
            )
        );
    }
}

#[tokio::test]
async fn permanent_failure_is_an_error_for_events_and_on_request() {
    let world = World::new(fixture(1, 1));
    let mut payload = pairs(&[("q0", "e0"), ("q0", "missing")]);
    assert_eq!(world.invoke(&payload).await.unwrap()["status"], "PARTIAL");
    assert_eq!(world.invoke(&event(&payload)).await.unwrap_err().0, "PermanentFailure");
    payload["failOnPermanent"] = json!(true);
    assert_eq!(world.invoke(&payload).await.unwrap_err().0, "PermanentFailure");
    let items = json!({ "Items": [pair("q0", "missing")], "BatchInput": { "failOnPermanent": true } });
    assert_eq!(world.invoke(&items).await.unwrap_err().0, "PermanentFailure");
    let mut strict = pair("q0", "missing");
    strict["failOnPermanent"] = json!(true);
    for items in [[&strict, &pair("q0", "missing")], [&pair("q0", "missing"), &strict]] {
        assert_eq!(world.invoke(&json!({ "Items": items })).await.unwrap_err().0, "PermanentFailure");
    }
    assert_eq!(world.associated("q0"), ["e0"]);
}

#[tokio::test]
async fn report_stays_below_its_size() {
    let world = World::new(fixture(1, 1));
    let mut many: Vec<Value> =
        (0..5_000).map(|number| json!({ "queueId": format!("q{number}"), "emailAddressId": 7 })).collect();
    many.push(json!({ "queueId": "q0", "emailAddressId": "e0" }));
    let report = world.invoke(&entries(many)).await.unwrap();
    assert!(report.to_string().len() < 200_000);
    assert_eq!(report["failed"], 5_000);
    let shown = failures(&report).len();
    assert!(shown > 500);
    assert_eq!(report["failuresOmitted"], 5_000 - shown);
    assert_eq!(report["queuesOmitted"], 1);
}

#[tokio::test]
async fn error_is_one_line() {
    let world = World::new(fixture(1, 1));
    let misspelled = json!({ "dry\nRun": true, "queueId": "q0", "emailAddressId": "e0" });
    let (_, message) = world.invoke(&misspelled).await.unwrap_err();
    assert!(message.starts_with("1 of 1 failed: dry Run: unknown field "), "{message}");
    world.connect.inject(Fault::new(error(500, "Unwell", "one\u{2028}two\r\nthree")));
    let (_, message) = world.invoke(&request("q0", &ids(0..1))).await.unwrap_err();
    assert_eq!(message, "1 of 1 failed: Unwell at associations[0].emailAddressIds[0]: one two  three");
}
