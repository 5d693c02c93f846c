//! Dry runs check, look up and group pairs, but make no call that changes anything.

use serde_json::json;

use crate::common::{counts, event, pair};
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
    assert_eq!(counts(&report, ["planned", "distinct"]), [121, 121]);
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
    assert_eq!(counts(&report, ["planned", "associated"]), [1, 1]);
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
    let item = pair("q0", "e0");
    let mut event = event(&item);
    event["dry_run"] = json!(true);
    let outside_an_item = json!({ "Items": [item], "dryRun": true });
    let misspelled = json!({ "Items": [item], "batchInput": { "dryRun": true } });
    for payload in [&outside_an_item, &misspelled, &event] {
        assert_eq!(world.invoke(payload).await.unwrap_err().0, "InvalidRequest", "{payload}");
    }
    let unreadable = json!({ "unreadable": item.to_string(), "dryRun": true });
    assert_eq!(listed(&world.invoke(&sqs(&[event, unreadable])).await), ["m0", "m1"]);
    assert_eq!(world.call_count(), 0);
}
