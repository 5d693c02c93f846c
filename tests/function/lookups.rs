//! Names are looked up while pairs with identifiers are called, and a stale directory causes no permanent failure.

use std::time::Duration;

use connect_simulator::{Effect, Fault, Fixture, Operation, Options};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::world::{INSTANCE, World, fixture, ids, listed, request, sqs};

fn by_name(queue: &str, address: &str) -> Value {
    json!({ "instanceId": INSTANCE, "queueName": queue, "emailAddress": address })
}

/// Requests several pairs on `Queue 0`, with retryable pairs in the response.
fn addresses(addresses: &[&str]) -> Value {
    let entry = json!({ "queueName": "Queue 0", "emailAddresses": addresses });
    json!({ "instanceId": INSTANCE, "failOnRetryable": false, "associations": [entry] })
}

fn in_memory(fixture: Fixture, variables: &[(&str, &str)]) -> World {
    let latency = Duration::from_millis(100);
    World::in_memory(Options { fixture, latency, ..Options::default() }, variables)
}

fn no_answer() -> [Effect; 3] {
    let error = |status, code: &str| Effect::Error { status, code: code.to_owned(), message: String::new() };
    [Effect::Hang, error(429, "TooManyRequestsException"), error(500, "InternalServiceException")]
}

/// Returns the number of addresses in each AssociateQueueEmailAddresses call.
fn sizes(world: &World) -> Vec<usize> {
    let calls = world.calls(Operation::AssociateQueueEmailAddresses);
    calls.iter().map(|call| call.addresses.len()).collect()
}

#[tokio::test(start_paused = true)]
async fn identifiers_do_not_wait_for_directories() {
    for effect in no_answer() {
        for concurrent in ["1", "2", "8"] {
            let quick = [("CONNECT_REQUESTS_PER_SECOND", "100"), ("MAX_CONCURRENT_CALLS", concurrent)];
            let mut world = in_memory(fixture(10, 1), &quick);
            world.invocation_time = Duration::from_secs(30);
            for operation in [Operation::SearchQueues, Operation::SearchEmailAddresses] {
                world.connect.inject(Fault { operation: Some(operation), ..Fault::new(effect.clone()) });
            }
            let mut bodies: Vec<Value> = vec![by_name("Queue 9", "e0@brand.example")];
            bodies.extend((0..9).map(|queue| request(&format!("q{queue}"), &ids(0..1))));
            let begun = Instant::now();
            assert_eq!(listed(&world.invoke(&sqs(&bodies)).await), ["m0"], "{effect:?} {concurrent}");
            let last = world.calls(Operation::AssociateQueueEmailAddresses).pop().unwrap();
            let took = last.at - begun;
            assert!(took <= Duration::from_secs(2), "{effect:?} {concurrent}: {took:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn found_names_join_their_group_in_the_fewest_calls() {
    for (identifiers, names, calls) in
        [(9, 1, &[10][..]), (49, 1, &[50]), (50, 1, &[50, 1]), (60, 30, &[50, 40]), (30, 60, &[40, 50])]
    {
        let world = in_memory(fixture(1, identifiers + names).with_limit(INSTANCE, "q0", 200), &[]);
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
async fn a_dry_run_by_name_is_planned() {
    let world = World::new(fixture(1, 2));
    let mut payload = addresses(&["e0@brand.example", "e1@brand.example", "nobody@brand.example"]);
    payload["dryRun"] = json!(true);
    let report = world.invoke(&payload).await.unwrap();
    assert_eq!((&report["planned"], &report["failed"]), (&json!(2), &json!(1)), "{report}");
    assert_eq!(report["queues"][0]["chunks"], 1);
    assert!(sizes(&world).is_empty());
}

#[tokio::test(start_paused = true)]
async fn group_waits_briefly_for_names() {
    for effect in no_answer() {
        let world = in_memory(fixture(1, 10), &[]);
        let search = Some(Operation::SearchEmailAddresses);
        world.connect.inject(Fault { operation: search, ..Fault::new(effect) });
        let mut payload = json!({ "instanceId": INSTANCE, "failOnRetryable": false, "associations": [
            { "queueId": "q0", "emailAddressIds": ids(0..9) },
            { "queueId": "q0", "emailAddress": "e9@brand.example" },
        ]});
        payload["failOnRetryable"] = json!(false);
        let begun = Instant::now();
        let report = world.invoke(&payload).await.unwrap();
        assert_eq!((&report["associated"], &report["failed"]), (&json!(9), &json!(1)));
        assert_eq!(report["failures"][0]["retryable"], true);
        let call = &world.calls(Operation::AssociateQueueEmailAddresses)[0];
        assert!(call.at - begun <= Duration::from_millis(500), "{:?}", call.at - begun);
    }
}

#[tokio::test(start_paused = true)]
async fn first_requested_name_takes_the_room_first() {
    let world = in_memory(fixture(1, 60), &[]);
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
        world.connect.inject(Fault {
            operation: Some(Operation::SearchEmailAddresses),
            ..Fault::new(Effect::default())
        });
        let report = world.invoke(&addresses(names)).await.unwrap();
        assert_eq!(report["failed"], names.len());
        for failure in report["failures"].as_array().unwrap() {
            assert_eq!(failure["error"], "InternalServiceException", "{failure}");
            assert_eq!(failure["retryable"], true, "{failure}");
        }
        world.connect.clear_faults();
        world.request_id = "request-3";
        world.invoke(&addresses(&["e0@brand.example"])).await.unwrap();
        assert_eq!(world.associated("q0"), ["again"]);
    }
}

/// The directory was read again for a missing name, and an address was recreated after that.
#[tokio::test]
async fn old_directory_causes_no_permanent_failure() {
    let mut world = World::new(fixture(1, 2));
    world.invoke(&by_name("Queue 0", "e0@brand.example")).await.unwrap();
    world.request_id = "request-2";
    world.connect.inject(Fault {
        address: Some("e1".to_owned()),
        ..Fault::new(Effect::Error {
            status: 400,
            code: "InvalidParameterException".to_owned(),
            message: "no".to_owned(),
        })
    });
    let report = world.invoke(&addresses(&["e1@brand.example", "nobody@brand.example"])).await.unwrap();
    let failures: Vec<_> = report["failures"].as_array().unwrap().iter().collect();
    assert_eq!(failures[0]["error"], "InvalidParameterException");
    assert_eq!(failures[0]["retryable"], true);
    assert_eq!((&failures[1]["error"], &failures[1]["retryable"]), (&json!("NameNotFound"), &json!(false)));
    assert_eq!(report["queues"][0]["failed"], 2);
    // The next invocation reads it after the rejection, so its failure is permanent.
    world.request_id = "request-3";
    let searched = world.calls(Operation::SearchEmailAddresses).len();
    let report = world.invoke(&addresses(&["e1@brand.example"])).await.unwrap();
    assert_eq!(report["failures"][0]["retryable"], false);
    assert_eq!(world.calls(Operation::SearchEmailAddresses).len(), searched + 1);
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

#[tokio::test]
async fn recreated_queue_is_found_with_all_its_pairs() {
    let mut world = World::new(fixture(1, 60).with_limit(INSTANCE, "q0", 200));
    world.invoke(&addresses(&["e0@brand.example"])).await.unwrap();
    world.request_id = "request-2";
    // The API no longer knows the queue in the directory, and another queue has its name.
    world.connect.inject(Fault {
        queue: Some("q0".to_owned()),
        ..Fault::new(Effect::Error {
            status: 404,
            code: "ResourceNotFoundException".to_owned(),
            message: "no such queue".to_owned(),
        })
    });
    let names: Vec<String> = (0..55).map(|number| format!("e{number}@brand.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let report = world.invoke(&addresses(&names)).await.unwrap();
    // The name still has only this identifier, so the rejection is final.
    assert_eq!((&report["failed"], &report["queues"][0]["failed"]), (&json!(55), &json!(55)), "{report}");
    assert_eq!(report["distinct"], 55);
    assert!(report["failures"].as_array().unwrap().iter().all(|failure| failure["retryable"] == false));
}

#[tokio::test]
async fn similar_name_is_suggested_with_its_difference() {
    let world = World::new(fixture(1, 0).with_queue(INSTANCE, "returns", "R\u{fc}ckgaben").with_address(
        INSTANCE,
        "e0",
        "r\u{fc}ckgaben@brand.example",
    ));
    let table = [
        (by_name("queue 0", "x@brand.example"), "the name of queue q0 differs only in case; "),
        (
            by_name(" Queue 0\u{a0}", "x@brand.example"),
            "the name of queue q0 differs only in outer white space; ",
        ),
        (
            by_name("Que\u{ad}ue 0", "x@brand.example"),
            "the name of queue q0 differs only in invisible characters; ",
        ),
        (
            by_name("ru\u{308}ckgaben", "x@brand.example"),
            "the name of queue returns differs only in case and Unicode form; ",
        ),
        (
            by_name("Queue 0", "Ru\u{308}ckgaben@brand.example"),
            "email address e0 differs only in Unicode form; ",
        ),
    ];
    for (request, told) in table {
        let report = world.invoke(&request).await.unwrap();
        let failure = &report["failures"][0];
        assert_eq!(failure["error"], "NameNotFound", "{request}");
        let message = failure["message"].as_str().unwrap();
        assert!(message.contains(told), "{request}: {message}");
        assert!(!message.contains('@'), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn endless_pages_are_a_retryable_failure() {
    let mut world = World::endless(Options { fixture: fixture(2, 2), ..Options::default() });
    let entries = json!([
        { "queueName": "Queue 0", "emailAddress": "e0@brand.example" },
        { "queueId": "q0", "emailAddress": "e1@brand.example" },
        { "queueId": "q1", "emailAddressId": "e0" },
    ]);
    let payload = json!({ "instanceId": INSTANCE, "failOnRetryable": false, "associations": entries });
    for request_id in ["request-1", "request-2"] {
        world.request_id = request_id;
        world.connect.clear_calls();
        let report = world.invoke(&payload).await.unwrap();
        assert_eq!((&report["associated"], &report["failed"]), (&json!(1), &json!(2)));
        for (failure, operation) in [(0, "SearchQueues"), (1, "SearchEmailAddresses")] {
            let failure = &report["failures"][failure];
            assert_eq!((&failure["error"], &failure["retryable"]), (&json!("EndlessPages"), &json!(true)));
            assert_eq!(
                failure["message"],
                format!(
                    "names cannot be looked up in instance {INSTANCE} in eu-central-1: {operation} returned the same page token twice"
                )
            );
        }
        assert_eq!(world.calls(Operation::SearchQueues).len(), 2);
        assert_eq!(world.calls(Operation::SearchEmailAddresses).len(), 2);
    }
}
