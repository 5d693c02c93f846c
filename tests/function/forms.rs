//! Accepts the variations that serialisers and people produce (nulls, single elements instead of arrays, byte-order
//! marks), and rejects fields and addresses that only look right.

use serde_json::{Value, json};

use crate::common::{FAILURES_QUEUE, event, pair};
use crate::sqs::FAILURES;
use crate::world::{INSTANCE, World, fixture, listed, sqs};

/// The short form as a typed serialiser writes it.
fn with_nulls() -> Value {
    json!({
        "instanceId": INSTANCE, "queueId": "q0", "queueName": null, "emailAddressId": "e0", "emailAddressIds": null,
        "emailAddress": null, "emailAddresses": null, "dryRun": null, "checkQueues": null, "failOnPermanent": null,
        "failOnRetryable": null, "associations": null, "comment": null,
    })
}

#[tokio::test]
async fn null_fields_are_absent_in_every_envelope() {
    let items = json!({ "Items": [with_nulls()], "BatchInput": null, "dryRun": null });
    let mut event = event(&with_nulls());
    event["queueId"] = json!(null);
    let entry = json!({ "instanceId": INSTANCE, "queueId": "q0", "queueName": null, "emailAddressId": "e0" });
    let long = json!({ "instanceId": null, "queueId": null, "associations": [entry] });
    let notification =
        json!({ "Type": "Notification", "Message": event.to_string(), "queueId": null, "dryRun": null });
    let batch = sqs(&[with_nulls(), long.clone(), event.clone(), notification]);
    for payload in [with_nulls(), long, event, items, batch] {
        let world = World::new(fixture(1, 1));
        let answer = world.invoke(&payload).await.unwrap();
        assert_eq!(world.associated("q0"), ["e0"], "{payload}");
        assert!(answer["failed"] == 0 || answer["batchItemFailures"] == json!([]), "{answer}");
    }
}

/// The invalid part of a short-form request is sent on unchanged.
#[tokio::test]
async fn short_form_sends_on_only_its_invalid_elements() {
    let world = World::with(fixture(1, 1), &[FAILURES_QUEUE]);
    let entry = json!({ "queueId": "q0", "queueName": null, "emailAddressIds": ["e0", "a b"] });
    let body = json!({ "instanceId": INSTANCE, "associations": entry });
    assert_eq!(listed(&world.invoke(&sqs(&[body])).await), [""; 0]);
    assert_eq!(world.associated("q0"), ["e0"]);
    let sent = world.sqs.sent_to(FAILURES);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["associations"], json!([{ "queueId": "q0", "emailAddressIds": ["a b"] }]));
    assert_eq!(sent[0]["instanceId"], INSTANCE);
}

/// `"instanceId": null` is replaced, and not written twice.
#[tokio::test]
async fn null_instance_is_written_out_when_sent_on() {
    let world = World::with(fixture(1, 1), &[FAILURES_QUEUE, ("CONNECT_INSTANCE_ID", INSTANCE)]);
    let body = json!({ "instanceId": null, "queueId": "q0", "emailAddressId": "a b" });
    assert_eq!(listed(&world.invoke(&sqs(&[body])).await), [""; 0]);
    let sent = world.sqs.raw_sent();
    assert_eq!(sent[0].matches("instanceId").count(), 1, "{}", sent[0]);
    assert_eq!(world.sqs.sent_to(FAILURES)[0]["instanceId"], INSTANCE);
}

#[tokio::test]
async fn byte_order_marks_are_ignored() {
    let marked = |json: &Value| json!(format!("\u{feff}{json}"));
    let notification = json!({ "Type": "Notification", "Message": marked(&pair("q0", "e0")) });
    let unreadable = json!({ "unreadable": marked(&pair("q0", "e0")), "failures": [] });
    for body in [marked(&pair("q0", "e0")), marked(&notification), marked(&unreadable)] {
        let world = World::new(fixture(1, 1));
        assert_eq!(listed(&world.invoke(&sqs(std::slice::from_ref(&body))).await), [""; 0], "{body}");
        assert_eq!(world.associated("q0"), ["e0"]);
    }
    for payload in [pair("q0", "e0"), sqs(&[pair("q0", "e0")])] {
        let world = World::new(fixture(1, 1));
        world.invoke_raw(format!("\u{feff}{payload}").as_bytes()).await.unwrap();
        assert_eq!(world.associated("q0"), ["e0"], "{payload}");
    }
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

#[tokio::test]
async fn similar_name_fails_its_message_only() {
    let world = World::with(fixture(1, 2), &[FAILURES_QUEUE]);
    let similar = with(pair("q0", "e0"), "queueName\u{200b}", json!("Billing"));
    let good = with(pair("q0", "e0"), "emailAddressId", json!("e1"));
    assert_eq!(listed(&world.invoke(&sqs(&[similar.clone(), good])).await), [""; 0]);
    assert_eq!(world.associated("q0"), ["e1"]);
    let sent = world.sqs.sent_to(FAILURES);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["queueName\u{200b}"], similar["queueName\u{200b}"]);
}
