//! Accepts the variations that serialisers and people produce: nulls, single elements instead of arrays, byte-order
//! marks, address texts.

use connect_simulator::Options;
use serde_json::{Value, json};

use crate::sqs::FAILURES;
use crate::world::{INSTANCE, World, fixture, listed, sqs};

fn short() -> Value {
    json!({ "instanceId": INSTANCE, "queueId": "q0", "emailAddressId": "e0" })
}

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
    let event =
        json!({ "id": "1", "source": "s", "detail-type": "t", "queueId": null, "detail": with_nulls() });
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

#[tokio::test]
async fn list_of_one_may_be_written_without_the_list() {
    let entry = |field: &str, value: &str| json!({ "instanceId": INSTANCE, "queueId": "q0", field: value });
    let by_id = entry("emailAddressIds", "e0");
    let by_address = entry("emailAddresses", "e0@brand.example");
    for payload in [by_id.clone(), by_address, json!({ "associations": by_id })] {
        let world = World::new(fixture(1, 1));
        assert_eq!(world.invoke(&payload).await.unwrap()["associated"], 1, "{payload}");
        assert_eq!(world.associated("q0"), ["e0"]);
    }
}

#[tokio::test]
async fn failures_of_single_elements_have_paths_without_an_index() {
    let world = World::new(fixture(1, 1));
    let payload =
        json!({ "instanceId": INSTANCE, "associations": { "queueId": "q0", "emailAddressIds": "nobody" } });
    let report = world.invoke(&payload).await.unwrap();
    assert_eq!(report["failures"][0]["path"], "associations.emailAddressIds");
    let items =
        json!({ "Items": [{ "associations": { "queueId": "a/b", "emailAddressId": "e0" } }, short()] });
    let report = world.invoke(&items).await.unwrap();
    assert_eq!(report["failures"][0]["path"], "Items[0].associations.queueId");
}

/// The invalid part of a short-form request is sent on unchanged.
#[tokio::test]
async fn short_form_sends_on_only_its_invalid_elements() {
    let variables = [("FAILURES_QUEUE_URL", FAILURES)];
    let world = World::with(Options { fixture: fixture(1, 1), ..Options::default() }, &variables);
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
    let variables = [("FAILURES_QUEUE_URL", FAILURES), ("CONNECT_INSTANCE_ID", INSTANCE)];
    let world = World::with(Options { fixture: fixture(1, 1), ..Options::default() }, &variables);
    let body = json!({ "instanceId": null, "queueId": "q0", "emailAddressId": "a b" });
    assert_eq!(listed(&world.invoke(&sqs(&[body])).await), [""; 0]);
    let sent = world.sqs.raw_sent();
    assert_eq!(sent[0].matches("instanceId").count(), 1, "{}", sent[0]);
    assert_eq!(world.sqs.sent_to(FAILURES)[0]["instanceId"], INSTANCE);
}

#[tokio::test]
async fn byte_order_marks_are_ignored() {
    let marked = |json: &Value| json!(format!("\u{feff}{json}"));
    let notification = json!({ "Type": "Notification", "Message": marked(&short()) });
    let unreadable = json!({ "unreadable": marked(&short()), "failures": [] });
    for body in [marked(&short()), marked(&notification), marked(&unreadable)] {
        let world = World::new(fixture(1, 1));
        assert_eq!(listed(&world.invoke(&sqs(std::slice::from_ref(&body))).await), [""; 0], "{body}");
        assert_eq!(world.associated("q0"), ["e0"]);
    }
    for payload in [short(), sqs(&[short()])] {
        let world = World::new(fixture(1, 1));
        world.invoke_raw(format!("\u{feff}{payload}").as_bytes()).await.unwrap();
        assert_eq!(world.associated("q0"), ["e0"], "{payload}");
    }
}

/// Such an address is rejected before any lookup. Otherwise a dry run would report PLANNED, and the live run would
/// advise to create the address.
#[tokio::test]
async fn invalid_address_text_says_what_it_looks_like() {
    let texts = [
        ("Billing <billing@brand.example>", "a display name"),
        ("Team, Billing (billing-02@brand.example)", "a display name"),
        ("billing-03@brand.example;billing-04@brand.example", "several addresses"),
        ("billing-05@brand.example, billing-06@brand.example", "several addresses"),
        ("mailto:billing-07@brand.example", "a prefix such as mailto:"),
        ("<billing-08@brand.example>", "a display name"),
        ("billing-09", "no at sign"),
        (" billing-10@brand.example", "white space (U+0020) at position 1"),
        ("billing-11@brand.example\u{a0}", "white space (U+00A0) at position 25"),
        ("billing\u{200b}-12@brand.example", "an invisible character (U+200B) at position 8"),
    ];
    let addresses: Vec<&str> = texts.iter().map(|(text, _)| *text).chain(["e0@Brand.Example"]).collect();
    for dry_run in [true, false] {
        let world = World::new(fixture(1, 1));
        let report = world
            .invoke(&json!({ "instanceId": INSTANCE, "dryRun": dry_run, "associations": [
                { "queueId": "q0", "emailAddresses": addresses },
            ]}))
            .await
            .unwrap();
        assert_eq!((&report["status"], &report["failed"]), (&json!("PARTIAL"), &json!(texts.len())));
        for (number, (text, looks)) in texts.iter().enumerate() {
            let failure = &report["failures"][number];
            assert_eq!(failure["error"], "InvalidRequest");
            assert_eq!(failure["path"], format!("associations[0].emailAddresses[{number}]"));
            let message = failure["message"].as_str().unwrap();
            assert!(message.contains(looks), "{text}: {message}");
            // Messages are logged, so they must not contain an address.
            assert!(!message.to_lowercase().contains("billing"), "{message}");
        }
        assert_eq!(world.associated("q0"), if dry_run { vec![] } else { vec!["e0"] });
    }
}
