//! Names are looked up in the instance's directory, which is read once, page by page, and again if it is stale.

use connect_simulator::{Fixture, Operation};
use serde_json::{Value, json};

use crate::common::{ASSOCIATE, ONE_ATTEMPT, counts, error, failures, on, pair};
use crate::world::{INSTANCE, World, fixture, ids};

fn by_name(pairs: &[(&str, &str)]) -> Value {
    let entries: Vec<_> =
        pairs.iter().map(|(queue, address)| json!({ "queueName": queue, "emailAddress": address })).collect();
    json!({ "instanceId": INSTANCE, "associations": entries })
}

fn searches(world: &World) -> (usize, usize) {
    (world.calls(Operation::SearchQueues).len(), world.calls(Operation::SearchEmailAddresses).len())
}

#[tokio::test]
async fn names_become_identifiers() {
    let world = World::new(fixture(3, 3));
    let payload = by_name(&[("Queue 1", "e0@brand.example"), ("Queue 2", "E1@Brand.EXAMPLE")]);
    let report = world.invoke(&payload).await.unwrap();
    assert_eq!(report["status"], "SUCCEEDED");
    assert_eq!(report["apiCalls"], 4);
    assert_eq!(report["queues"][0]["queueId"], "q1");
    assert_eq!(report["queues"][0]["queueName"], "Queue 1");
    assert_eq!((world.associated("q1"), world.associated("q2")), (ids(0..1), ids(1..2)));
    assert_eq!(searches(&world), (1, 1));
}

#[tokio::test]
async fn large_directory_is_read_once_in_full_pages() {
    let world = World::new(fixture(1_203, 350));
    let payload = by_name(&[("Queue 0", "e0@brand.example"), ("Queue 1202", "e349@brand.example")]);
    world.invoke(&payload).await.unwrap();
    assert_eq!(searches(&world), (3, 4));
    // The directory is cached for the next invocation of the process.
    world.invoke(&payload).await.unwrap();
    assert_eq!(searches(&world), (3, 4));
}

#[tokio::test]
async fn name_and_identifier_of_the_same_pair_are_one() {
    let world = World::new(fixture(1, 1));
    let payload = json!({ "instanceId": INSTANCE, "associations": [
        { "queueName": "Queue 0", "emailAddress": "e0@brand.example" },
        { "queueId": "q0", "emailAddress": "E0@brand.example" },
        { "queueId": "q0", "emailAddressId": "e0" },
    ]});
    let report = world.invoke(&payload).await.unwrap();
    assert_eq!(counts(&report, ["requested", "distinct"]), [3, 1]);
    assert_eq!(report["queues"].as_array().unwrap().len(), 1);
    assert_eq!(report["queues"][0]["requested"], 3);
    assert_eq!(world.calls(ASSOCIATE).len(), 1);
}

#[tokio::test]
async fn pair_requested_in_two_ways_is_one_failure_and_one_remaining() {
    for (status, retryable) in [(400, false), (500, true)] {
        let world = World::with(fixture(1, 2), &[ONE_ATTEMPT]);
        world.connect.inject(on(ASSOCIATE, error(status, "Unwell", "no")));
        let payload = json!({ "instanceId": INSTANCE, "failOnRetryable": false, "associations": [
            { "queueId": "q0", "emailAddresses": ["e0@brand.example", "E0@brand.example"] },
            { "queueName": "Queue 0", "emailAddressIds": ["e0", "e1"] },
        ]});
        let report = world.invoke(&payload).await.unwrap();
        assert_eq!(counts(&report, ["distinct", "failed"]), [2, 2], "{report}");
        let failures = failures(&report);
        let failed: Vec<_> = failures.iter().map(|failure| failure["path"].as_str().unwrap()).collect();
        let first = ["associations[0].emailAddresses[0]", "associations[1].emailAddressIds[1]"];
        assert_eq!(failed, first, "{report}");
        assert!(failures.iter().all(|failure| failure["retryable"] == json!(retryable)));
        let remaining: usize = report["remaining"]["associations"].as_array().map_or(0, Vec::len);
        assert_eq!(remaining, if retryable { 2 } else { 0 }, "{report}");
    }
}

#[tokio::test]
async fn missing_and_ambiguous_names_fail_alone() {
    let fixture = fixture(2, 2).with_queue(INSTANCE, "twin", "Queue 1");
    let world = World::new(fixture);
    let payload = by_name(&[
        ("Queue 0", "e0@brand.example"),
        ("queue 0", "e1@brand.example"),
        ("Queue 1", "e0@brand.example"),
        ("Queue 0", "nobody@brand.example"),
    ]);
    let report = world.invoke(&payload).await.unwrap();
    assert_eq!(report["status"], "PARTIAL");
    assert_eq!(world.associated("q0"), ids(0..1));
    let failures = failures(&report);
    let errors: Vec<_> = failures.iter().map(|failure| failure["error"].as_str().unwrap()).collect();
    assert_eq!(errors, ["NameNotFound", "NameAmbiguous", "NameNotFound"]);
    assert_eq!(failures[0]["queueName"], "queue 0");
    assert_eq!(failures[2]["emailAddress"], "nobody@brand.example");
    assert!(failures.iter().all(|failure| failure["retryable"] == false));
    let rows = report["queues"].as_array().unwrap();
    let failed: Vec<_> =
        rows.iter().map(|row| (row["queueName"].as_str().unwrap(), &row["failed"])).collect();
    assert_eq!(failed, [("Queue 0", &json!(1)), ("queue 0", &json!(1)), ("Queue 1", &json!(1))]);
    assert!(failures.iter().all(|failure| !failure["message"].as_str().unwrap().contains("nobody")));
    // The directory was just read, so it is not read again for the missing name.
    assert_eq!(searches(&world), (1, 1));
}

#[tokio::test]
async fn name_of_a_planned_address_is_still_associated() {
    let mut world = World::new(fixture(1, 1));
    world.invoke(&by_name(&[("Queue 0", "e0@brand.example")])).await.unwrap();
    world.request_id = "request-2";
    world.connect.remove_address(INSTANCE, "e0");
    world.connect.add(Fixture::new().with_address(INSTANCE, "new", "e0@brand.example"));
    let mut dry = pair("q0", "new");
    dry["dryRun"] = json!(true);
    let live = json!({ "instanceId": INSTANCE, "queueId": "q0", "emailAddress": "e0@brand.example" });
    let report = world.invoke(&json!({ "Items": [dry, live] })).await.unwrap();
    assert_eq!(counts(&report, ["distinct", "associated"]), [1, 1], "{report}");
    assert_eq!(world.associated("q0"), ["new"]);
}
