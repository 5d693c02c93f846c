//! Names are looked up while pairs with identifiers are called, and a stale directory causes no permanent failure.

use std::time::Duration;

use connect_simulator::{Effect, Fault, Fixture, Operation, Options};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::common::{ASSOCIATE, counts, entries, error, errors, failures, on, reported};
use crate::world::{INSTANCE, World, fixture, ids, listed, request, sqs};

fn by_name(queue: &str, address: &str) -> Value {
    json!({ "instanceId": INSTANCE, "queueName": queue, "emailAddress": address })
}

/// Requests several pairs on `Queue 0`, with retryable pairs in the response.
fn addresses(addresses: &[&str]) -> Value {
    reported(entries(json!({ "queueName": "Queue 0", "emailAddresses": addresses })))
}

fn with_latency(fixture: Fixture, variables: &[(&str, &str)]) -> World {
    let latency = Duration::from_millis(100);
    World::in_memory(Options { fixture, latency, ..Options::default() }, variables)
}

fn no_response() -> [Effect; 3] {
    [Effect::Hang, error(429, "TooManyRequestsException", ""), error(500, "InternalServiceException", "")]
}

/// Returns the number of addresses in each AssociateQueueEmailAddresses call.
fn sizes(world: &World) -> Vec<usize> {
    let calls = world.calls(ASSOCIATE);
    calls.iter().map(|call| call.addresses.len()).collect()
}

#[tokio::test(start_paused = true)]
async fn identifiers_do_not_wait_for_directories() {
    for effect in no_response() {
        for concurrent in ["1", "2", "8"] {
            let quick = [("CONNECT_REQUESTS_PER_SECOND", "100"), ("MAX_CONCURRENT_CALLS", concurrent)];
            let mut world = with_latency(fixture(10, 1), &quick);
            world.invocation_time = Duration::from_secs(30);
            for operation in [Operation::SearchQueues, Operation::SearchEmailAddresses] {
                world.connect.inject(on(operation, effect.clone()));
            }
            let mut bodies: Vec<Value> = vec![by_name("Queue 9", "e0@brand.example")];
            bodies.extend((0..9).map(|queue| request(&format!("q{queue}"), &ids(0..1))));
            let started = Instant::now();
            assert_eq!(listed(&world.invoke(&sqs(&bodies)).await), ["m0"], "{effect:?} {concurrent}");
            let last = world.calls(ASSOCIATE).pop().unwrap();
            let took = last.at - started;
            assert!(took <= Duration::from_secs(2), "{effect:?} {concurrent}: {took:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn found_names_join_their_group_in_the_fewest_calls() {
    for (identifiers, names, calls) in
        [(9, 1, &[10][..]), (49, 1, &[50]), (50, 1, &[50, 1]), (60, 30, &[50, 40]), (30, 60, &[40, 50])]
    {
        let world = with_latency(fixture(1, identifiers + names).with_limit(INSTANCE, "q0", 200), &[]);
        let names: Vec<String> =
            (identifiers..identifiers + names).map(|number| format!("e{number}@brand.example")).collect();
        let payload = json!({ "instanceId": INSTANCE, "associations": [
            { "queueId": "q0", "emailAddressIds": ids(0..identifiers) },
            { "queueId": "q0", "emailAddresses": names },
        ]});
        let report = world.invoke(&payload).await.unwrap();
        assert_eq!(report["associated"], identifiers + names.len());
        assert_eq!(sizes(&world), calls, "{identifiers} identifiers and {} names", names.len());
        assert_eq!(report["queues"][0]["chunks"], calls.len());
    }
}

#[tokio::test]
async fn dry_run_by_name_is_planned() {
    let world = World::new(fixture(1, 2));
    let mut payload = addresses(&["e0@brand.example", "e1@brand.example", "nobody@brand.example"]);
    payload["dryRun"] = json!(true);
    let report = world.invoke(&payload).await.unwrap();
    assert_eq!(counts(&report, ["planned", "failed"]), [2, 1], "{report}");
    assert_eq!(report["queues"][0]["chunks"], 1);
    assert!(sizes(&world).is_empty());
}

#[tokio::test(start_paused = true)]
async fn group_waits_briefly_for_names() {
    for effect in no_response() {
        let world = with_latency(fixture(1, 10), &[]);
        let search = Some(Operation::SearchEmailAddresses);
        world.connect.inject(Fault { operation: search, ..Fault::new(effect) });
        let payload = reported(json!({ "instanceId": INSTANCE, "associations": [
            { "queueId": "q0", "emailAddressIds": ids(0..9) },
            { "queueId": "q0", "emailAddress": "e9@brand.example" },
        ]}));
        let started = Instant::now();
        let report = world.invoke(&payload).await.unwrap();
        assert_eq!(counts(&report, ["associated", "failed"]), [9, 1]);
        assert_eq!(report["failures"][0]["retryable"], true);
        let call = &world.calls(ASSOCIATE)[0];
        assert!(call.at - started <= Duration::from_millis(500), "{:?}", call.at - started);
    }
}

#[tokio::test(start_paused = true)]
async fn first_requested_name_takes_the_room_first() {
    let world = with_latency(fixture(1, 60), &[]);
    let payload = json!({ "instanceId": INSTANCE, "associations": [
        { "queueId": "q0", "emailAddress": "e59@brand.example" },
        { "queueId": "q0", "emailAddressIds": ids(0..49) },
    ]});
    let report = world.invoke(&payload).await.unwrap();
    assert_eq!(report["failures"][0]["error"], "QueueFull");
    assert_eq!(report["failures"][0]["emailAddressId"], "e48");
}

/// An address was recreated under another identifier, and the directory cannot be read again. The request contains the
/// address alone, or with a new name.
#[tokio::test]
async fn stale_identifier_is_retryable_without_its_directory() {
    for names in [&["e0@brand.example"][..], &["e0@brand.example", "new@brand.example"]] {
        let mut world = World::new(fixture(1, 1));
        world.invoke(&by_name("Queue 0", "e0@brand.example")).await.unwrap();
        world.request_id = "request-2";
        world.connect.remove_address(INSTANCE, "e0");
        world.connect.add(Fixture::new().with_address(INSTANCE, "again", "e0@brand.example"));
        world.connect.inject(on(Operation::SearchEmailAddresses, Effect::default()));
        let report = world.invoke(&addresses(names)).await.unwrap();
        assert_eq!(report["failed"], names.len());
        for failure in failures(&report) {
            assert_eq!(failure["error"], "InternalServiceException", "{failure}");
            assert_eq!(failure["retryable"], true, "{failure}");
        }
        world.connect.clear_faults();
        world.request_id = "request-3";
        world.invoke(&addresses(&["e0@brand.example"])).await.unwrap();
        assert_eq!(world.associated("q0"), ["again"]);
    }
}

#[tokio::test]
async fn ambiguous_name_reads_a_cached_directory_again() {
    let mut world = World::new(fixture(1, 1).with_address(INSTANCE, "twin", "E0@brand.example"));
    let payload = addresses(&["e0@brand.example"]);
    let report = world.invoke(&payload).await.unwrap();
    assert_eq!(report["failures"][0]["error"], "NameAmbiguous");
    assert_eq!(world.calls(Operation::SearchEmailAddresses).len(), 1);
    world.connect.remove_address(INSTANCE, "twin");
    world.request_id = "request-2";
    let report = world.invoke(&payload).await.unwrap();
    assert_eq!((&report["associated"], world.associated("q0")), (&json!(1), ids(0..1)));
    assert_eq!(world.calls(Operation::SearchEmailAddresses).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn endless_pages_are_a_retryable_failure() {
    let mut world = World::endless(fixture(2, 2));
    let associations = json!([
        { "queueName": "Queue 0", "emailAddress": "e0@brand.example" },
        { "queueId": "q0", "emailAddress": "e1@brand.example" },
        { "queueId": "q1", "emailAddressId": "e0" },
    ]);
    let payload = reported(entries(associations));
    for request_id in ["request-1", "request-2"] {
        world.request_id = request_id;
        world.connect.clear_calls();
        let report = world.invoke(&payload).await.unwrap();
        assert_eq!(counts(&report, ["associated", "failed"]), [1, 2]);
        assert_eq!(errors(&report), [("EndlessPages", true); 2]);
        assert_eq!(world.calls(Operation::SearchQueues).len(), 2);
        assert_eq!(world.calls(Operation::SearchEmailAddresses).len(), 2);
    }
}
