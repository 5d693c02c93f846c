//! Tests inputs that broke other consumers of SQS and EventBridge, and text that could deceive a terminal.

use connect_simulator::{Connect, Effect, Fault, Fixture, Operation};
use serde_json::{Value, json};

use crate::{run, run_on};

/// Returns a simulated Connect with an instance `i`, the queue `q` and the addresses `e1` to `e3`.
fn connect() -> Connect {
    Connect::new((1..=3).fold(Fixture::new().with_queue("i", "q", "Billing"), |fixture, number| {
        fixture.with_address("i", format!("e{number}"), format!("{number}@brand.example"))
    }))
}

fn record(id: &str, body: &str) -> Value {
    json!({ "eventSource": "aws:sqs", "messageId": id, "body": body })
}

#[tokio::test(flavor = "multi_thread")]
async fn byte_order_mark_in_a_body_is_ignored() {
    let connect = connect();
    let records = json!({ "Records": [
        record("m1", "\u{feff}{\"instanceId\": \"i\", \"queueId\": \"q\", \"emailAddressId\": \"e1\"}"),
        record("m2", r#"{"instanceId": "i", "queueId": "q", "emailAddressId": "e2"}"#),
    ] });
    let ran = run_on(&connect, &[], "case-bom.json", &records.to_string()).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(connect.associated("i", "q"), ["e1", "e2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn null_counts_as_absent() {
    let connect = connect();
    let entry = json!({ "instanceId": null, "queueId": "q", "queueName": null, "emailAddressId": "e1",
                        "emailAddressIds": null, "emailAddress": null, "emailAddresses": null });
    let request = json!({ "instanceId": "i", "dryRun": null, "checkQueues": null, "reference": null,
                          "failOnPermanent": null, "failOnRetryable": null, "associations": [entry] });
    let ran = run_on(&connect, &[], "case-nulls.json", &request.to_string()).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(connect.associated("i", "q"), ["e1"]);
}

#[test]
fn output_of_receive_message_says_what_to_send() {
    let request = json!({ "instanceId": "i", "queueId": "q", "emailAddressId": "e1" });
    let received = json!({ "Messages": [
        { "MessageId": "m", "ReceiptHandle": "h", "Body": request.to_string(), "Attributes": {} }] });
    let ran = run(&[], "case-received.json", &received.to_string());
    assert_eq!(ran.code, Some(2), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.rows(&["InvalidRequest", "receive-message", "SQS batch"]), 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("; 0 calls to Amazon Connect"), "{}", ran.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn replayed_event_associates_again() {
    let connect = connect();
    let mut event = json!({
        "version": "0", "id": "event-1", "detail-type": "Email addresses assigned", "source": "brand.onboarding",
        "account": "111122223333", "time": "2026-11-20T08:00:00Z", "region": "eu-central-1", "resources": [],
        "detail": { "instanceId": "i", "queueId": "q", "emailAddressId": "e1" } });
    let ran = run_on(&connect, &[], "case-event.json", &event.to_string()).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    connect.edit(|fixture| fixture.instance("i").queue("q").email_address_ids.clear());
    assert!(connect.associated("i", "q").is_empty());
    event["replay-name"] = "after-the-clean-up".into();
    let ran = run_on(&connect, &[], "case-replayed.json", &event.to_string()).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(connect.associated("i", "q"), ["e1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_credentials_say_to_sign_in_again() {
    let rows = "instanceId,queueId,emailAddressId\ni,q,e1\n";
    let expired = |operation| Fault::new(Effect::error(403, "ExpiredTokenException")).on(operation);
    let during = connect();
    during.inject(expired(Operation::AssociateQueueEmailAddresses));
    let ran = run_on(&during, &["--quiet"], "case-expired.csv", rows).await;
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert_eq!(
        ran.stderr,
        "associate-emails: AWS rejected the credentials; sign in again (aws sso login), or renew the credentials, then \
         run the command again\n"
    );
    let before = connect();
    before.inject(expired(Operation::ListQueueEmailAddresses));
    let ran = run_on(&before, &["--quiet"], "case-expired.csv", rows).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("; sign in again (aws sso login)"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn invisible_characters_are_escaped_in_tables_and_json() {
    let name = "Bill\u{9b}31ming\u{202e}\u{2066}\u{e0041}";
    let request = json!({ "instanceId": "i", "queueName": name, "emailAddressId": "e1", "reference": name });
    for args in [&["--json"][..], &[]] {
        let ran = run_on(&connect(), args, "case-invisible.json", &request.to_string()).await;
        assert_ne!(ran.code, Some(0), "{}", ran.stdout);
        let all = ran.stdout + &ran.stderr;
        assert!(all.contains("Bill\\u"), "{all}");
        assert!(!all.contains(|c: char| c.is_control() && c != '\n'), "{all:?}");
        assert!(!all.contains(['\u{202e}', '\u{2066}', '\u{e0041}']), "{all:?}");
    }
}
