//! Dry runs check, look up and group pairs, but make no call that changes anything.

use serde_json::json;

use crate::world::{INSTANCE, World, fixture, ids, listed, request, sqs};

#[tokio::test]
async fn dry_run_reports_planned_pairs() {
    let world = World::new(fixture(2, 120));
    let payload = json!({ "instanceId": INSTANCE, "dryRun": true, "associations": [
        { "queueId": "q0", "emailAddressIds": ids(0..120) },
        { "queueId": "q1", "emailAddressId": "e0" },
    ]});
    let report = world.invoke(&payload).await.unwrap();
    assert_eq!(report["status"], "PLANNED");
    assert_eq!((&report["planned"], &report["distinct"]), (&json!(121), &json!(121)));
    assert_eq!(report["queues"][0]["chunks"], 3);
    assert_eq!(report["queues"][0]["planned"], 120);
    assert_eq!(world.call_count(), 0);
}

#[tokio::test]
async fn dry_run_message_is_done() {
    let world = World::new(fixture(1, 1));
    let mut body = request("q0", &ids(0..1));
    body["dryRun"] = json!(true);
    assert_eq!(listed(&world.invoke(&sqs(&[body])).await), [""; 0]);
    assert_eq!(world.call_count(), 0);
}

#[tokio::test]
async fn pair_with_and_without_dry_run_is_associated() {
    let world = World::new(fixture(1, 2));
    let mut dry = request("q0", &ids(0..2));
    dry["dryRun"] = json!(true);
    let items = json!({ "Items": [dry, request("q0", &ids(1..2))] });
    let report = world.invoke(&items).await.unwrap();
    assert_eq!(report["status"], "PLANNED");
    assert_eq!((&report["planned"], &report["associated"]), (&json!(1), &json!(1)));
    assert_eq!(world.associated("q0"), ids(1..2));
}

#[tokio::test]
async fn batch_defaults_make_items_dry_runs() {
    let world = World::new(fixture(1, 1));
    let items = json!({
        "Items": [{ "queueId": "q0", "emailAddressId": "e0" }],
        "BatchInput": { "instanceId": INSTANCE, "dryRun": true },
    });
    assert_eq!(world.invoke(&items).await.unwrap()["status"], "PLANNED");
    assert_eq!(world.call_count(), 0);
}

#[tokio::test]
async fn misplaced_dry_run_makes_no_live_call() {
    let world = World::new(fixture(1, 1));
    let item = json!({ "instanceId": INSTANCE, "queueId": "q0", "emailAddressId": "e0" });
    let event = json!({ "id": "1", "source": "s", "detail-type": "t", "detail": item, "dry_run": true });
    for (payload, message) in [
        (
            json!({ "Items": [item], "dryRun": true }),
            "dryRun is not allowed next to Items; move it into BatchInput or an item",
        ),
        (
            json!({ "Items": [item], "batchInput": { "dryRun": true } }),
            r#"unknown field "batchInput"; did you mean "BatchInput"?"#,
        ),
        (event.clone(), "dryRun is not allowed next to detail; move it into detail"),
    ] {
        assert_eq!(
            world.invoke(&payload).await.unwrap_err(),
            ("InvalidRequest".to_owned(), message.to_owned())
        );
    }
    let unreadable = json!({ "unreadable": item.to_string(), "dryRun": true });
    assert_eq!(listed(&world.invoke(&sqs(&[event, unreadable])).await), ["m0", "m1"]);
    assert_eq!(world.call_count(), 0);
}

/// The queue's group is created before its addresses are looked up, and contains only dry runs.
#[tokio::test]
async fn addresses_by_name_of_a_queue_by_identifier_are_planned() {
    let world = World::new(fixture(1, 2));
    let entry = json!({ "queueId": "q0", "emailAddresses": ["e0@brand.example", "e1@brand.example"] });
    let payload = json!({ "instanceId": INSTANCE, "dryRun": true, "associations": [entry] });
    let report = world.invoke(&payload).await.unwrap();
    assert_eq!((&report["status"], &report["planned"]), (&json!("PLANNED"), &json!(2)));
    assert_eq!(world.associated("q0"), [""; 0]);
}
