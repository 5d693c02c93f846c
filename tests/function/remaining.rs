//! A direct request with `"failOnRetryable": false` gets its remaining pairs back as a request to send again.

use connect_simulator::Fault;
use serde_json::{Value, json};

use crate::common::{CONTINUATION_QUEUE, ONE_ATTEMPT, entries, on_queue, one_pair_a_queue, reported, unwell};
use crate::world::{INSTANCE, World, fixture, request};

#[tokio::test]
async fn direct_request_gets_its_remaining_pairs() {
    let world = World::with(fixture(2, 1), &[CONTINUATION_QUEUE]);
    world.connect.inject(on_queue("q1", unwell()).times(10));
    let report = world.invoke(&reported(one_pair_a_queue(0..2))).await.unwrap();
    assert_eq!(report["status"], "PARTIAL");
    let remaining = report["remaining"].clone();
    assert_eq!(
        remaining,
        json!({
            "instanceId": INSTANCE,
            "failOnRetryable": false,
            "reference": "request-1",
            "associations": [{ "queueId": "q1", "emailAddressIds": ["e0"] }],
        })
    );
    let report = world.invoke(&remaining).await.unwrap();
    assert_eq!(report["status"], "SUCCEEDED");
    assert!(report.get("remaining").is_none());
    assert!(world.sqs.sent().is_empty());
}

#[tokio::test]
async fn remaining_request_is_no_larger_than_the_request() {
    let world = World::with(fixture(1, 0), &[ONE_ATTEMPT]);
    world.connect.inject(Fault::new(unwell()));
    let entry = |queue: usize| json!({ "queueId": format!("q-{queue:0>30}"), "emailAddressId": format!("e-{queue:0>30}") });
    let associations: Vec<Value> = (0..1_500).map(entry).collect();
    let body = json!({
        "instanceId": INSTANCE, "failOnRetryable": false, "reference": "mine", "associations": associations,
    });
    let report = world.invoke(&body).await.unwrap();
    assert!(
        report["remaining"].to_string().len() <= body.to_string().len() + 3 * 1_500,
        "the lists of addresses"
    );
    assert_eq!(report["remaining"]["associations"].as_array().unwrap().len(), 1_500);
    // An entry for another instance than the request's has its own `instanceId`.
    let other = json!({ "instanceId": "other", "queueId": "q1", "emailAddressId": "e0" });
    let report = world.invoke(&reported(entries(vec![entry(1), other]))).await.unwrap();
    assert_eq!(report["remaining"]["instanceId"], INSTANCE);
    assert_eq!(
        report["remaining"]["associations"][1],
        json!({ "instanceId": "other", "queueId": "q1", "emailAddressIds": ["e0"] })
    );
}

#[tokio::test]
async fn live_and_dry_pairs_share_no_remaining_request() {
    let world = World::with(fixture(2, 1), &[ONE_ATTEMPT]);
    world.connect.inject(Fault::new(unwell()));
    let live = json!({ "queueId": "q0", "emailAddressId": "e0" });
    let dry = json!({ "queueName": "Queue 1", "emailAddressId": "e0", "dryRun": true });
    let input = json!({ "instanceId": INSTANCE, "failOnRetryable": false });
    let map = |items: &[&Value]| json!({ "Items": items, "BatchInput": input });
    let (kind, _) = world.invoke(&map(&[&live, &dry])).await.unwrap_err();
    assert_eq!(kind, "RetryableFailure");
    assert_eq!(world.invoke(&map(&[&dry])).await.unwrap()["remaining"]["dryRun"], true);
    assert!(world.invoke(&map(&[&live])).await.unwrap()["remaining"].get("dryRun").is_none());
}

#[tokio::test]
async fn too_large_remaining_request_is_an_error() {
    let world = World::with(fixture(1, 0), &[ONE_ATTEMPT, ("QUEUE_ADDITIONAL_LIMIT", "100000")]);
    world.connect.inject(on_queue("q0", unwell()));
    let addresses: Vec<String> = (0..2_000).map(|number| format!("{number:0>100}")).collect();
    let (kind, message) = world.invoke(&reported(request("q0", &addresses))).await.unwrap_err();
    assert_eq!(kind, "RetryableFailure");
    assert_eq!(message, "2000 of 2000 failed: Unwell (2000 times): try later");
}

#[tokio::test]
async fn pair_with_and_without_dry_run_remains_live() {
    let world = World::with(fixture(2, 1), &[]);
    world.connect.inject(on_queue("q1", unwell()));
    let pair = |dry_run: bool| {
        json!({ "instanceId": INSTANCE, "dryRun": dry_run, "failOnRetryable": false,
                "queueId": "q1", "emailAddressId": "e0" })
    };
    let report = world.invoke(&json!({ "Items": [pair(true), pair(false)] })).await.unwrap();
    assert!(report["remaining"].get("dryRun").is_none(), "{report}");
    assert_eq!(report["remaining"]["associations"][0]["queueId"], "q1");
    // An item with `failOnRetryable` gets its error even if the other item does not want one.
    let mut strict = pair(false);
    strict["failOnRetryable"] = json!(true);
    let ending = world.invoke(&json!({ "Items": [pair(false), strict] })).await;
    assert_eq!(ending.unwrap_err().0, "RetryableFailure");
}
