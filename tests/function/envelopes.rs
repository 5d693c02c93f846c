//! Pairs in every envelope, nested or not, are associated, and each envelope gets its own kind of response.

use serde_json::{Value, json};

use crate::common::{counts, event, message, pair, sns};
use crate::world::{INSTANCE, World, fixture, ids, listed, request, sqs};

fn notification(message: &Value) -> Value {
    json!({ "Type": "Notification", "MessageId": "n1", "Message": message.to_string() })
}

async fn associates(payload: &Value) -> Value {
    let world = World::new(fixture(1, 1));
    let answer = world.invoke(payload).await.unwrap();
    assert_eq!(world.associated("q0"), ["e0"], "{payload}");
    assert_eq!(world.call_count(), 1);
    answer
}

#[tokio::test]
async fn messages_in_every_envelope_are_associated() {
    for body in [
        pair("q0", "e0"),
        event(&pair("q0", "e0")),
        notification(&pair("q0", "e0")),
        notification(&event(&pair("q0", "e0"))),
    ] {
        let answer = associates(&sqs(std::slice::from_ref(&body))).await;
        assert_eq!(answer, json!({ "batchItemFailures": [] }));
        let unreadable = json!({ "unreadable": body.to_string(), "failures": [{}] });
        associates(&sqs(&[unreadable])).await;
        let pipes = sqs(&[body])["Records"].clone();
        assert_eq!(associates(&pipes).await, json!({ "batchItemFailures": [] }));
    }
}

#[tokio::test]
async fn events_and_requests_are_associated() {
    let short = pair("q0", "e0");
    let items = json!({ "Items": [{ "queueId": "q0", "emailAddressId": "e0" }], "BatchInput": { "instanceId": INSTANCE } });
    for payload in [
        event(&short),
        sns(&[&short]),
        sns(&[&event(&short)]),
        items,
        short.clone(),
        request("q0", &ids(0..1)),
    ] {
        let report = associates(&payload).await;
        assert_eq!(report["status"], "SUCCEEDED", "{payload}");
        assert_eq!(report["associated"], 1);
    }
}

#[tokio::test]
async fn empty_batches_succeed_without_a_call() {
    let world = World::new(fixture(1, 1));
    for payload in [json!({ "Records": [] }), json!([])] {
        assert_eq!(world.invoke(&payload).await.unwrap(), json!({ "batchItemFailures": [] }));
    }
    let report = world.invoke(&json!({ "Items": [] })).await.unwrap();
    assert_eq!(report["status"], "SUCCEEDED");
    assert_eq!(report["requested"], 0);
    assert_eq!(world.call_count(), 0);
}

#[tokio::test]
async fn unrecognized_payload_is_an_invalid_request() {
    let world = World::new(fixture(1, 1));
    let deep = format!("{{\"associations\": {}", "[".repeat(50_000));
    for payload in
        ["", "nope", "null", "\"x\"", "7", "{\"Records\": [{}]}", "{\"a\": \"\\ud800\"}", &deep, "\u{0}"]
    {
        let (kind, message) = world.invoke_raw(payload.as_bytes()).await.unwrap_err();
        assert_eq!(kind, "InvalidRequest", "{payload:.40}");
        assert!(!message.contains('\n'));
    }
    let (kind, _) = world.invoke_raw(b"{\"a\": \"\xff\"}").await.unwrap_err();
    assert_eq!(kind, "InvalidRequest");
    assert_eq!(world.call_count(), 0);
}

#[tokio::test]
async fn invalid_body_fails_its_own_message_only() {
    let world = World::new(fixture(1, 1));
    let deep = "[".repeat(10_000);
    let lines = format!("{}\n{}", pair("q0", "e0"), pair("q0", "e0"));
    let texts = ["not JSON", "", &deep, "{\"a\":\"\\ud800\"}", &lines].map(|text| json!(text));
    let wrong = [&texts[..], &[json!([pair("q0", "e0")]), json!({ "Messages": [] })]].concat();
    let batch = sqs(&[wrong, vec![pair("q0", "e0")]].concat());
    assert_eq!(listed(&world.invoke(&batch).await), ["m0", "m1", "m2", "m3", "m4", "m5", "m6"]);
    assert_eq!(world.associated("q0"), ["e0"]);
    assert_eq!(world.call_count(), 1);
}

#[tokio::test]
async fn message_without_identifier_fails_the_batch_uncalled() {
    let world = World::new(fixture(1, 1));
    let mut batch = sqs(&[pair("q0", "e0"), pair("q0", "e0")]);
    batch["Records"][1].as_object_mut().unwrap().remove("messageId");
    let (kind, message) = world.invoke(&batch).await.unwrap_err();
    assert_eq!(kind, "InvalidRequest");
    assert!(message.contains("Records[1].messageId is missing"), "{message}");
    assert_eq!(world.call_count(), 0);
}

/// A token made from the old `id` alone would equal the original `ClientToken`, and the API would treat the call as a
/// repetition of the original one.
#[tokio::test]
async fn replayed_event_associates_removed_addresses_again() {
    let world = World::new(fixture(1, 1));
    world.invoke(&event(&pair("q0", "e0"))).await.unwrap();
    let again = fixture(1, 1);
    world.connect.remove_address(INSTANCE, "e0");
    world.connect.add(again);
    assert_eq!(world.associated("q0"), [""; 0]);
    let mut replayed = event(&pair("q0", "e0"));
    replayed["replay-name"] = json!("after-the-clean-up");
    world.invoke(&replayed).await.unwrap();
    assert_eq!(world.associated("q0"), ["e0"]);
    let tokens = || -> Vec<_> { world.connect.calls().into_iter().map(|call| call.client_token).collect() };
    assert_ne!(tokens()[0], tokens()[1]);
    // A replay that is delivered twice is the same replay.
    world.invoke(&replayed).await.unwrap();
    assert_eq!(tokens()[1], tokens()[2]);
}

#[tokio::test]
async fn malformed_item_fails_alone() {
    let good = r#"{"queueId": "q0", "emailAddressId": "e0"}"#;
    let deep = format!(r#"{{"note": {}{}}}"#, "[".repeat(200), "]".repeat(200));
    for malformed in
        [r#"{"note": "\ud83d", "queueId": "q0", "emailAddressId": "e1"}"#, r#"{"note": 1e999}"#, &deep]
    {
        let world = World::new(fixture(1, 2));
        let payload =
            format!(r#"{{"BatchInput": {{"instanceId": "{INSTANCE}"}}, "Items": [{malformed}, {good}]}}"#);
        let report = world.invoke_raw(payload.as_bytes()).await.unwrap();
        assert_eq!(world.associated("q0"), ["e0"], "{malformed}");
        assert_eq!(counts(&report, ["associated", "failed"]), [1, 1]);
        assert_eq!(report["failures"][0]["path"], "Items[0]");
        let message = message(&report["failures"][0]);
        assert!(message.starts_with("Items[0] is not valid JSON: "), "{message}");
    }
}
