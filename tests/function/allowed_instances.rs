//! A request for an instance that is not in `CONNECT_INSTANCE_IDS` is invalid and causes no call.

use serde_json::{Value, json};

use crate::common::{FAILURES_QUEUE, counts};
use crate::sqs::FAILURES;
use crate::world::{INSTANCE, World, fixture, listed, sqs};

const OTHER: &str = "99999999-2222-3333-4444-555555555555";

fn two_instances() -> World {
    let fixture =
        fixture(1, 1).with_queue(OTHER, "q1", "Queue 1").with_address(OTHER, "e1", "e1@brand.example");
    let variables = [("CONNECT_INSTANCE_IDS", INSTANCE), FAILURES_QUEUE];
    World::with(fixture, &variables)
}

/// Requests for the other instance, by each place that may specify the instance.
fn others() -> Vec<Value> {
    let arn = format!("arn:aws:connect:eu-central-1:111122223333:instance/{OTHER}");
    let entry = json!({ "instanceId": OTHER, "queueId": "q1", "emailAddressId": "e1" });
    vec![
        entry.clone(),
        json!({ "instanceId": arn, "queueId": "q1", "emailAddressId": "e1" }),
        json!({ "queueId": format!("{arn}/queue/q1"), "emailAddressId": "e1" }),
        json!({ "queueId": "q1", "emailAddressId": format!("{arn}/email-address/e1") }),
        json!({ "instanceId": OTHER, "queueName": "Queue 1", "emailAddress": "e1@brand.example" }),
        json!({ "instanceId": INSTANCE, "associations": [entry] }),
    ]
}

#[tokio::test]
async fn request_for_another_instance_is_invalid_without_a_call() {
    for request in others() {
        let world = two_instances();
        let (error, message) = world.invoke(&request).await.unwrap_err();
        assert_eq!(error, "InvalidRequest", "{request}");
        let expected = format!("instanceId \"{OTHER}\" is not allowed; expected one of CONNECT_INSTANCE_IDS");
        assert!(message.ends_with(&expected), "{message}");
        assert_eq!(world.call_count(), 0, "{request}");
    }
}

#[tokio::test]
async fn request_for_another_instance_does_not_affect_others() {
    let world = two_instances();
    let allowed = json!({ "queueId": "q0", "emailAddressId": "e0" });
    let mixed = json!({ "instanceId": INSTANCE, "associations": [
        { "instanceId": OTHER, "queueId": "q1", "emailAddressId": "e1" }, allowed,
    ]});
    let batch = sqs(&[vec![mixed], others()].concat());
    assert_eq!(listed(&world.invoke(&batch).await), [""; 0]);
    assert_eq!(world.associated("q0"), ["e0"]);
    assert_eq!(world.connect.associated(OTHER, "q1"), [""; 0]);
    assert_eq!(world.call_count(), 1);
    assert_eq!(world.sqs.sent_to(FAILURES).len(), 7);
}

#[tokio::test]
async fn batch_input_for_another_instance_is_invalid() {
    let world = two_instances();
    let item = json!({ "queueId": "q1", "emailAddressId": "e1" });
    let own = json!({ "instanceId": INSTANCE, "queueId": "q0", "emailAddressId": "e0" });
    let payload = json!({ "Items": [item, own], "BatchInput": { "instanceId": OTHER } });
    let report = world.invoke(&payload).await.unwrap();
    assert_eq!(counts(&report, ["associated", "failed"]), [1, 1]);
    assert_eq!(report["failures"][0]["path"], "Items[0].instanceId");
}
