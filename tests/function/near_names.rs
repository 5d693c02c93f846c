//! A request with a field that looks like `dryRun` never makes live calls.

use serde_json::{Value, json};

use crate::sqs::FAILURES;
use crate::world::{INSTANCE, World, fixture, listed, sqs};

/// Spellings that look like `dryRun`.
const NAMES: [&str; 14] = [
    "dryrun",
    "dry_run",
    "DRY RUN",
    "dryRun.",
    "\"dryRun\"",
    "dryRun\0",
    "dryRun\u{200b}",
    "\u{feff}dryRun",
    "dry\u{2060}Run",
    "dry\u{ad}Run",
    "dryRun\u{fe0f}",
    "dryRun\u{202c}",
    "\u{3164}dryRun",
    "ｄｒｙＲｕｎ",
];

fn short() -> Value {
    json!({ "instanceId": INSTANCE, "queueId": "q0", "emailAddressId": "e0" })
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

#[tokio::test]
async fn near_names_make_no_calls() {
    let world = World::new(fixture(1, 1));
    let event = json!({ "id": "1", "source": "s", "detail-type": "t", "detail": short() });
    let long =
        json!({ "instanceId": INSTANCE, "associations": [{ "queueId": "q0", "emailAddressId": "e0" }] });
    let items = json!({ "Items": [short()] });
    for name in NAMES {
        let batch_input = json!({ "Items": [short()], "BatchInput": { name: true } });
        for payload in [&short(), &long, &event, &items] {
            let payload = with(payload.clone(), name, json!(true));
            let (kind, message) = world.invoke(&payload).await.unwrap_err();
            assert_eq!(kind, "InvalidRequest", "{payload}");
            assert!(message.contains("dryRun"), "{message}");
        }
        let (kind, message) = world.invoke(&batch_input).await.unwrap_err();
        assert_eq!(kind, "InvalidRequest", "{batch_input}");
        assert!(message.contains(r#"did you mean "dryRun"?"#), "{message}");
        let notification = json!({ "Type": "Notification", "Message": short().to_string(), name: true });
        let batch =
            sqs(&[notification, with(short(), name, json!(true)), with(event.clone(), name, json!(true))]);
        assert_eq!(listed(&world.invoke(&batch).await), ["m0", "m1", "m2"], "{name:?}");
    }
    let misspelled = json!({ "Items": [short()], "Batch\u{200b}Input": { "dryRun": true } });
    let (_, message) = world.invoke(&misspelled).await.unwrap_err();
    assert!(message.contains(r#"did you mean "BatchInput"?"#), "{message}");
    assert_eq!(world.call_count(), 0);
}

#[tokio::test]
async fn near_name_message_shows_invisible_characters() {
    let world = World::new(fixture(1, 1));
    let payload = with(short(), "dryRun\u{200b}", json!(true));
    let (_, message) = world.invoke(&payload).await.unwrap_err();
    assert!(message.contains(r#"unknown field "dryRun\u{200b}"; did you mean "dryRun"?"#), "{message}");
}

#[tokio::test]
async fn near_name_fails_its_message_only() {
    let world = World::with(
        connect_simulator::Options { fixture: fixture(1, 2), ..connect_simulator::Options::default() },
        &[("FAILURES_QUEUE_URL", FAILURES)],
    );
    let near = with(short(), "queueName\u{200b}", json!("Billing"));
    let good = with(short(), "emailAddressId", json!("e1"));
    assert_eq!(listed(&world.invoke(&sqs(&[near.clone(), good])).await), [""; 0]);
    assert_eq!(world.associated("q0"), ["e1"]);
    let sent = world.sqs.sent_to(FAILURES);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["queueName\u{200b}"], near["queueName\u{200b}"]);
}
