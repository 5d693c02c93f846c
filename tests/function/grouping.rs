//! Pairs of all messages are grouped into the fewest calls, with duplicates removed and at most 50 addresses per call.

use connect_simulator::Options;
use serde_json::json;

use crate::common::{ASSOCIATE, counts, event, pair, tokens};
use crate::world::{INSTANCE, World, fixture, ids, listed, request, sqs};

#[tokio::test]
async fn pairs_of_many_messages_make_one_call_a_queue() {
    let world = World::new(fixture(3, 40));
    let bodies: Vec<_> = (0..120)
        .map(|number| {
            json!({
                "instanceId": INSTANCE,
                "queueId": format!("q{}", number % 3),
                "emailAddressId": format!("e{}", number / 3),
            })
        })
        .collect();
    let ending = world.invoke(&sqs(&bodies)).await;
    assert_eq!(listed(&ending), [""; 0]);
    assert_eq!(world.call_count(), 3);
    for queue in ["q0", "q1", "q2"] {
        assert_eq!(world.associated(queue), ids(0..40));
    }
}

#[tokio::test]
async fn queue_of_more_than_fifty_is_cut_into_chunks() {
    let options = Options { fixture: fixture(1, 120), limit: 1_000, ..Options::default() };
    let world = World::with(options, &[("QUEUE_ADDITIONAL_LIMIT", "1000")]);
    let mut wanted = ids(0..120);
    wanted.extend(ids(0..120));
    let report = world.invoke(&request("q0", &wanted)).await.unwrap();
    assert_eq!(counts(&report, ["requested", "distinct", "associated", "apiCalls"]), [240, 120, 120, 3]);
    assert_eq!(report["queues"][0]["chunks"], 3);
    let calls = world.calls(ASSOCIATE);
    assert_eq!(calls.iter().map(|call| call.addresses.len()).collect::<Vec<_>>(), [50, 50, 20]);
    assert_eq!(calls.into_iter().flat_map(|call| call.addresses).collect::<Vec<_>>(), ids(0..120));
}

#[tokio::test]
async fn same_queue_identifier_in_two_instances_is_two_groups() {
    let fixture =
        fixture(1, 1).with_queue("other", "q0", "Queue").with_address("other", "e0", "e0@brand.example");
    let world = World::new(fixture);
    let payload = json!({ "associations": [
        { "instanceId": INSTANCE, "queueId": "q0", "emailAddressId": "e0" },
        { "instanceId": "other", "queueId": "q0", "emailAddressId": "e0" },
    ]});
    let report = world.invoke(&payload).await.unwrap();
    assert_eq!(report["associated"], 2);
    assert_eq!(report["queues"].as_array().unwrap().len(), 2);
    assert_eq!(world.connect.associated("other", "q0"), ["e0"]);
}

#[tokio::test]
async fn redelivery_keeps_the_token_and_a_new_message_changes_it() {
    let world = World::new(fixture(1, 1));
    let batch = sqs(&[request("q0", &ids(0..1))]);
    world.invoke(&batch).await.unwrap();
    world.invoke(&batch).await.unwrap();
    let mut later = batch;
    later["Records"][0]["messageId"] = json!("another message");
    world.invoke(&later).await.unwrap();
    let tokens = tokens(&world);
    assert_eq!(tokens[0], tokens[1]);
    assert_ne!(tokens[0], tokens[2]);
    assert!(tokens[0].len() <= 500);
}

#[tokio::test]
async fn token_follows_event_id_or_invocation() {
    let world = World::new(fixture(1, 1));
    let event = |id: &str| {
        let mut event = event(&pair("q0", "e0"));
        event["id"] = json!(id);
        event
    };
    for payload in [event("1"), event("1"), event("2"), request("q0", &ids(0..1)), request("q0", &ids(0..1))]
    {
        world.invoke(&payload).await.unwrap();
    }
    let tokens = tokens(&world);
    assert_eq!(tokens[0], tokens[1]);
    assert_ne!(tokens[0], tokens[2]);
    // Both invocations of a test have the same request identifier.
    assert_eq!(tokens[3], tokens[4]);
    assert_ne!(tokens[0], tokens[3]);
}
