//! Each pair keeps the reference of its request in reports, continuations, dead letters and logs.

use std::time::Duration;

use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;

use crate::common::{
    CONTINUATION_QUEUE, FAILURES_QUEUE, ONE_ATTEMPT, error, event, failures, on_queue, one_pair_a_queue,
    received, sns, unwell, with_quota,
};
use crate::logs::log_of;
use crate::sqs::{CONTINUATION, FAILURES};
use crate::world::{INSTANCE, World, fixture, ids, listed, request, sqs};

const FORWARDS: [(&str, &str); 3] = [FAILURES_QUEUE, CONTINUATION_QUEUE, ("MAX_ATTEMPTS", "2")];

fn with_reference(mut body: Value, reference: &str) -> Value {
    body["reference"] = json!(reference);
    body
}

/// Returns the log lines of an invocation that contain a reference.
async fn found(world: &World, payload: &Value, reference: &str) -> Vec<Value> {
    let lines = log_of(world, LevelFilter::INFO, payload.to_string().as_bytes()).await;
    lines.into_iter().filter(|line| line.to_string().contains(reference)).collect()
}

fn retryable<'l>(lines: &'l [Value], error: &str) -> Vec<&'l Value> {
    lines.iter().filter(|line| line["error"] == error && line["references"].is_array()).collect()
}

#[tokio::test(start_paused = true)]
async fn one_search_finds_every_failure_of_a_divided_request() {
    let reference = "onboarding-4711";
    let mut world = with_quota(fixture(60, 1), &FORWARDS);
    let mut body = with_reference(one_pair_a_queue(0..60), reference);
    body["associations"][0] = json!({ "queueId": "q0", "emailAddressIds": ["e0", "bad"] });
    body["associations"].as_array_mut().unwrap().push(json!({ "queueId": "q0" }));

    // The first delivery runs out of time.
    world.invocation_time = Duration::from_secs(20);
    let lines = found(&world, &received(sqs(&[body]), 2), reference).await;
    let permanent: Vec<&Value> = lines.iter().filter(|line| line["reference"] == reference).collect();
    let errors: Vec<&Value> = permanent.iter().map(|line| &line["error"]).collect();
    assert_eq!(errors, ["InvalidParameterException", "InvalidRequest"]);
    let letters = world.sqs.sent_to(FAILURES);
    assert_eq!(letters.len(), 1);
    assert_eq!((&letters[0]["reference"], &letters[0]["continued"]), (&json!(reference), &Value::Null));
    let of_letter = letters[0]["failures"].as_array().unwrap();
    assert_eq!(of_letter.len(), 2);
    assert!(of_letter.iter().all(|failure| failure["reference"] == reference));
    let late = retryable(&lines, "DeadlineExceeded");
    let left = left_of(&world, reference, late.len());
    assert!((10..50).contains(&late.len()), "{} queues are left", late.len());

    // The second is throttled on two queues.
    world = world.restarted(&FORWARDS);
    world.invocation_time = Duration::from_secs(600);
    tokio::time::advance(Duration::from_secs(5)).await;
    for queue in ["q58", "q59"] {
        world.connect.inject(on_queue(queue, error(429, "TooManyRequestsException", "not now")));
    }
    let lines = found(&world, &sqs(&[left]), reference).await;
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert_eq!(retryable(&lines, "TooManyRequestsException").len(), 2);
    let left = left_of(&world, reference, 2);

    // The third delivery ends the continuation.
    world = world.restarted(&FORWARDS);
    world.connect.clear_faults();
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(listed(&world.invoke(&sqs(&[left])).await), [""; 0]);
    assert!(world.sqs.take().is_empty());
    for queue in 0..60 {
        assert_eq!(world.associated(&format!("q{queue}")), ids(0..1), "q{queue}");
    }
}

/// Returns the continuation, which must have the given number of queues left.
fn left_of(world: &World, reference: &str, queues: usize) -> Value {
    let mut sent = world.sqs.take();
    sent.retain(|sent| sent.queue_url == CONTINUATION);
    assert_eq!(sent.len(), 1);
    let body = sent.remove(0).body;
    assert_eq!((&body["reference"], &body["continued"]), (&json!(reference), &json!(true)));
    assert_eq!(body["associations"].as_array().unwrap().len(), queues);
    body
}

#[tokio::test]
async fn reference_defaults_to_the_source_identifier() {
    let world = World::new(fixture(1, 1));
    let bad = request("q0", &["bad".to_owned()]);
    let no_json = sqs(&[json!("no JSON")]);
    for (payload, reference) in [
        (bad.clone(), "request-1"),
        (json!({ "Items": [bad] }), "request-1"),
        (event(&bad), "event-1"),
        (sns(&[&bad]), "notification-1"),
        (sqs(std::slice::from_ref(&bad)), "m0"),
        (no_json, "m0"),
    ] {
        let lines = found(&world, &payload, reference).await;
        assert!(lines.iter().any(|line| line["reference"] == reference), "{payload}: {lines:?}");
    }
    let report = world.invoke(&bad).await.unwrap();
    assert_eq!(report["failures"][0]["reference"], "request-1");
}

#[tokio::test]
async fn continuation_keeps_the_identifier_of_the_first_message() {
    let world = World::with(fixture(2, 1), &FORWARDS);
    world.connect.inject(on_queue("q1", unwell()));
    let both = json!({ "instanceId": INSTANCE, "associations": [
        { "queueId": "q0", "emailAddressId": "e0" },
        { "queueId": "q1", "emailAddressIds": ["e0", "bad"] },
    ]});
    world.invoke(&sqs(&[both])).await.unwrap();
    let left = left_of(&world, "m0", 1);
    world.connect.clear_faults();
    let mut again = sqs(&[left]);
    again["Records"][0]["messageId"] = json!("another-message");
    assert_eq!(listed(&world.invoke(&again).await), [""; 0]);
    assert_eq!(world.sqs.sent_to(FAILURES)[0]["reference"], "m0");
}

#[tokio::test]
async fn continuation_is_not_a_first_delivery() {
    let world = World::with(fixture(2, 1), &FORWARDS);
    let body = json!({ "instanceId": INSTANCE, "associations": [
        { "queueId": "q0", "emailAddressId": "e0" },
        { "queueName": "Biling", "emailAddressId": "e0" },
    ]});
    assert_eq!(listed(&world.invoke(&sqs(&[body])).await), [""; 0]);
    let delay = world.sqs.sent()[0].delay;
    let left = left_of(&world, "m0", 1);
    assert_eq!(delay, Duration::from_secs(30));
    // A mistyped name next to a correct one is a dead letter half a minute later.
    assert_eq!(listed(&world.invoke(&sqs(&[left])).await), [""; 0]);
    assert_eq!(world.sqs.sent_to(FAILURES)[0]["failures"][0]["error"], "NameNotFound");
}

#[tokio::test]
async fn dead_letter_of_an_invalid_request_has_the_reference() {
    let world = World::with(fixture(1, 1), &FORWARDS);
    let invalid = json!({ "instanceId": INSTANCE, "dryRun": "yes", "queueId": "q0", "emailAddressId": "e0" });
    let batch = sqs(&[invalid.clone(), with_reference(invalid.clone(), "mine"), with_reference(invalid, "")]);
    assert_eq!(listed(&world.invoke(&batch).await), [""; 0]);
    let letters = world.sqs.sent_to(FAILURES);
    let references: Vec<&Value> = letters.iter().map(|letter| &letter["reference"]).collect();
    assert_eq!(references, ["m0", "mine", ""]);
    assert_eq!(letters[2]["failures"][0]["reference"], "m2");
}

#[tokio::test]
async fn items_have_references_of_their_own() {
    let world = World::with(fixture(2, 1), &FORWARDS);
    world.connect.inject(on_queue("q0", unwell()));
    let item = |reference: Value| json!({ "queueId": "q0", "emailAddressId": "e0", "reference": reference });
    let map = |items: &[Value]| {
        let input = json!({ "instanceId": INSTANCE, "failOnRetryable": false, "reference": "file-1" });
        json!({ "Items": items, "BatchInput": input })
    };
    let report = world.invoke(&map(&[item(json!("row-1")), item(json!(""))])).await.unwrap();
    // A pair that one source requests twice is one failure.
    assert_eq!(report["failures"][0]["reference"], "row-1");
    assert_eq!(report["remaining"]["reference"], "row-1");
    let other = json!({ "queueId": "q0", "emailAddressId": "e1" });
    let report = world.invoke(&map(&[item(json!("row-1")), other.clone()])).await.unwrap();
    let references: Vec<&Value> = failures(&report).iter().map(|failure| &failure["reference"]).collect();
    assert_eq!(references, ["row-1", "file-1"]);
    assert_eq!(report["remaining"].get("reference"), None, "one request has one reference");
    let report = world.invoke(&map(&[other])).await.unwrap();
    assert_eq!(report["remaining"]["reference"], "file-1");
}

#[tokio::test]
async fn line_of_retryable_failures_has_the_first_ten_references() {
    let world = World::with(fixture(1, 1), &[ONE_ATTEMPT]);
    world.connect.inject(on_queue("q0", unwell()));
    let mut bodies: Vec<Value> =
        (0..12).map(|number| with_reference(request("q0", &ids(0..1)), &format!("order-{number}"))).collect();
    bodies[1] = with_reference(request("q0", &ids(0..1)), "order-0");
    bodies[2] = with_reference(request("q0", &ids(0..1)), "jane@brand.example");
    let lines = found(&world, &sqs(&bodies), "order-").await;
    let expected: Vec<String> = ["order-0", "[email address]"]
        .map(str::to_owned)
        .into_iter()
        .chain((3..11).map(|number| format!("order-{number}")))
        .collect();
    assert_eq!(lines.len(), 1);
    assert_eq!((&lines[0]["references"], &lines[0]["count"]), (&json!(expected), &json!(12)));
}

#[tokio::test]
async fn reference_with_an_at_sign_is_sent_on_and_not_logged() {
    let world = World::with(fixture(1, 1), &FORWARDS);
    let body = with_reference(request("q0", &["bad".to_owned()]), "ticket of jane@brand.example");
    assert_eq!(found(&world, &sqs(&[body]), "jane").await, [json!(null); 0]);
    assert_eq!(world.sqs.sent_to(FAILURES)[0]["reference"], "ticket of jane@brand.example");
}
