//! A dry run with `checkQueues` changes nothing and reports what a live run would do.

use std::time::Duration;

use connect_simulator::{Fixture, Operation, Options, Quota};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::common::{ASSOCIATE, LIST, counts, failures, on_queue, reported, unwell};
use crate::world::{INSTANCE, World, fixture, ids, listed, sqs};

fn check(associations: &Value) -> Value {
    json!({ "instanceId": INSTANCE, "dryRun": true, "checkQueues": true, "associations": associations })
}

/// Returns the address and the error of each failure.
fn failed_addresses(report: &Value) -> Vec<(&str, &str)> {
    failures(report)
        .iter()
        .map(|failed| (failed["emailAddressId"].as_str().unwrap_or("-"), failed["error"].as_str().unwrap()))
        .collect()
}

/// The fixture, with the first addresses on its queue q0.
fn queue_with(fixture: Fixture, addresses: usize) -> Fixture {
    ids(0..addresses).into_iter().fold(fixture, |fixture, id| fixture.with_association(INSTANCE, "q0", id))
}

/// A queue q0 with e0 and e1, and an empty queue q1.
fn two_queues() -> World {
    World::new(queue_with(fixture(2, 60), 2))
}

#[tokio::test]
async fn check_predicts_each_pair_of_a_live_run() {
    let world = two_queues();
    let report = world
        .invoke(&check(&json!([
            { "queueId": "q0", "emailAddressIds": ["e1", "e2", "unknown"] },
            { "queueId": "q1", "emailAddressId": "e0" },
            { "queueId": "missing", "emailAddressId": "e0" },
        ])))
        .await
        .unwrap();
    assert_eq!(report["status"], "PARTIAL");
    assert_eq!(counts(&report, ["planned", "alreadyAssociated", "failed"]), [2, 1, 2]);
    assert_eq!(
        failed_addresses(&report),
        [("unknown", "EmailAddressNotFound"), ("e0", "ResourceNotFoundException")]
    );
    let unrequested: Vec<&Value> =
        report["queues"].as_array().unwrap().iter().map(|row| &row["unrequested"]).collect();
    assert_eq!(unrequested, [&json!(1), &json!(0), &Value::Null]);
    assert_eq!(world.calls(ASSOCIATE).len(), 0);
    assert_eq!(world.calls(LIST).len(), 3);
    assert_eq!(world.calls(Operation::SearchEmailAddresses).len(), 1);
    assert_eq!(world.calls(Operation::SearchQueues).len(), 0);
}

#[tokio::test]
async fn queue_without_a_known_address_is_listed() {
    let world = two_queues();
    let report = world
        .invoke(&check(&json!([
            { "queueId": "q0", "emailAddress": "nobody@brand.example" },
            { "queueName": "Queue 1", "emailAddress": "nobody@brand.example" },
        ])))
        .await
        .unwrap();
    assert_eq!(report["failed"], 2);
    let rows: Vec<(&Value, &Value, &Value)> = report["queues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["queueId"], &row["failed"], &row["unrequested"]))
        .collect();
    assert_eq!(rows, [(&json!("q0"), &json!(1), &json!(2)), (&json!("q1"), &json!(1), &json!(0))]);
    assert_eq!(world.calls(LIST).len(), 2);
}

#[tokio::test]
async fn checked_names_read_the_directory_once() {
    let world = two_queues();
    let report = world
        .invoke(&check(&json!([
            { "queueName": "Queue 0", "emailAddress": "e0@brand.example" },
            { "queueId": "q0", "emailAddresses": ["e3@brand.example", "nobody@brand.example"] },
            { "queueId": "q0", "emailAddressId": "e4" },
        ])))
        .await
        .unwrap();
    assert_eq!(counts(&report, ["planned", "alreadyAssociated", "failed"]), [2, 1, 1]);
    assert_eq!(report["failures"][0]["error"], "NameNotFound");
    let named =
        json!([{ "instanceId": INSTANCE, "queueName": "Queue 0", "emailAddresses": ["e0@brand.example"] }]);
    assert_eq!(report["alreadyAssociatedPairs"], named);
    assert_eq!(world.calls(LIST).len(), 1);
    assert_eq!(world.calls(Operation::SearchEmailAddresses).len(), 1);
    // Both directories are cached for the second invocation.
    let again = world.invoke(&check(&json!([{ "queueId": "q1", "emailAddressId": "e4" }]))).await.unwrap();
    assert_eq!(again["planned"], 1);
    assert_eq!(world.calls(Operation::SearchEmailAddresses).len(), 1);
}

#[tokio::test]
async fn new_address_is_retryable_on_the_first_delivery() {
    let mut fixture = fixture(1, 1);
    fixture.instance(INSTANCE).unlisted.insert("e0".to_owned());
    let world = World::new(fixture);
    let body = check(&json!([{ "queueId": "q0", "emailAddressId": "e0" }]));
    assert_eq!(listed(&world.invoke(&sqs(std::slice::from_ref(&body))).await), ["m0"]);
    assert!(world.sqs.sent().is_empty());
    world.connect.edit(|fixture| fixture.instance(INSTANCE).unlisted.clear());
    assert_eq!(listed(&world.invoke(&sqs(&[body])).await), [""; 0]);
}

#[tokio::test]
async fn live_pairs_go_before_the_check_of_their_queue() {
    let world = World::new(queue_with(fixture(1, 60), 48));
    let live = json!({ "instanceId": INSTANCE, "queueId": "q0", "emailAddressId": "e59" });
    let items =
        json!({ "Items": [check(&json!([{ "queueId": "q0", "emailAddressIds": ["e58", "e59"] }])), live] });
    let report = world.invoke(&items).await.unwrap();
    assert_eq!(counts(&report, ["associated", "failed"]), [1, 1]);
    assert_eq!(failed_addresses(&report), [("e58", "QueueFull")]);
    assert_eq!(world.calls(ASSOCIATE).len(), 1);
}

#[tokio::test]
async fn unreadable_list_fails_alone_and_retryably() {
    let world = two_queues();
    world.connect.inject(on_queue("q1", unwell()).on(LIST));
    let payload = check(&json!([
        { "queueId": "q0", "emailAddressId": "e2" }, { "queueId": "q1", "emailAddressId": "e2" },
    ]));
    let (error, _) = world.invoke(&payload).await.unwrap_err();
    assert_eq!(error, "RetryableFailure");
    let report = world.invoke(&reported(payload)).await.unwrap();
    assert_eq!(counts(&report, ["planned", "failed"]), [1, 1]);
    assert_eq!(report["remaining"]["checkQueues"], true);
    assert_eq!(report["remaining"]["associations"], json!([{ "queueId": "q1", "emailAddressIds": ["e2"] }]));
}

#[tokio::test]
async fn checking_message_is_listed_only_if_it_would_fail() {
    let world = two_queues();
    let good = check(&json!([{ "queueId": "q0", "emailAddressIds": ["e0", "e2"] }]));
    let bad = check(&json!([{ "queueId": "q0", "emailAddressId": "unknown" }]));
    assert_eq!(listed(&world.invoke(&sqs(&[good, bad])).await), ["m1"]);
    assert_eq!(world.associated("q0"), ["e0", "e1"]);
}

#[tokio::test(start_paused = true)]
async fn checking_2000_queues_costs_one_list_each() {
    let options =
        Options { fixture: fixture(2000, 250), quota: Quota::per_second(10.0, 5.0), ..Options::default() };
    let world = World::in_memory(options, &[("CONNECT_REQUESTS_PER_SECOND", "10")]);
    let associations: Vec<Value> = (0..2000)
        .map(|queue| json!({ "queueId": format!("q{queue}"), "emailAddressIds": ids(queue % 200..queue % 200 + 5) }))
        .collect();
    let started = Instant::now();
    let report = world.invoke(&check(&json!(associations))).await.unwrap();
    assert_eq!(report["planned"], 2000 * 5);
    assert_eq!(counts(&report, ["apiCalls", "throttledCalls"]), [2003, 0]);
    let limit = Duration::from_secs_f64((2000.0 - 5.0) / 10.0);
    assert!(started.elapsed() <= limit.mul_f64(1.05), "{:?}", started.elapsed());
}
