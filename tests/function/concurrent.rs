//! Concurrent invocations of one process share its pace and its limit of calls in flight.

use std::time::Duration;

use connect_simulator::{Effect, Operation, Options};
use serde_json::json;
use tokio::time::Instant;

use crate::common::{ASSOCIATE, on, on_queue, one_pair_a_queue, pair, reported};
use crate::world::{INSTANCE, World, fixture, ids, request};

#[tokio::test(start_paused = true)]
async fn more_invocations_than_permits_all_finish() {
    let options =
        Options { fixture: fixture(5, 1), latency: Duration::from_millis(300), ..Options::default() };
    let world = World::in_memory(options, &[("MAX_CONCURRENT_CALLS", "1")]);
    let payloads: Vec<_> = (0..5).map(|queue| request(&format!("q{queue}"), &ids(0..1))).collect();
    let started = Instant::now();
    let endings = futures_util::future::join_all(payloads.iter().map(|payload| world.invoke(payload))).await;
    assert!(endings.iter().all(|ending| ending.as_ref().unwrap()["status"] == "SUCCEEDED"), "{endings:?}");
    assert_eq!(world.call_count(), 5);
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn invocation_without_permit_responds_in_time() {
    let mut world =
        World::in_memory(fixture(2, 1), &[("MAX_CONCURRENT_CALLS", "1"), ("CALL_TIMEOUT_MS", "600000")]);
    world.connect.inject(on_queue("q0", Effect::Hang));
    world.invocation_time = Duration::from_secs(10);
    let (first, second) = (reported(pair("q0", "e0")), reported(pair("q1", "e0")));
    let ends = |seconds| Instant::now() + Duration::from_secs(seconds);
    let invocation = |ends| queue_email_associator::invocation::Invocation {
        request_id: "r",
        ends,
        intent: None,
        observer: None,
    };
    let long = first.to_string();
    let hung = world.function.invoke(long.as_bytes(), invocation(ends(600)));
    let started = Instant::now();
    let answered = async {
        let report = world.invoke(&second).await.unwrap();
        (report, started.elapsed())
    };
    let (_, (report, took)) = tokio::join!(hung, answered);
    assert_eq!(report["failures"][0]["error"], "DeadlineExceeded");
    assert!(took <= Duration::from_secs(9), "{took:?}");
}

/// One call of the first invocation hangs, and the invocation still has other calls to make when the second one ends.
#[tokio::test(start_paused = true)]
async fn freed_permit_is_used_during_a_hanging_call() {
    let mut world = World::in_memory(
        fixture(10, 1),
        &[("MAX_CONCURRENT_CALLS", "2"), ("CALL_TIMEOUT_MS", "7000"), ("CONNECT_BURST", "20")],
    );
    world.connect.inject(on_queue("q0", Effect::Hang));
    let slow = Effect::Delay(Duration::from_secs(1));
    world.connect.inject(on_queue("q9", slow));
    world.invocation_time = Duration::from_secs(8);
    let (first, second) = (reported(one_pair_a_queue(0..9)), pair("q9", "e0"));
    // The second invocation is polled first, so that it has a permit when the first one starts.
    let (_, report) = tokio::join!(world.invoke(&second), world.invoke(&first));
    assert_eq!(report.unwrap()["associated"], 8);
}

/// Directory calls of both invocations take at most half of the calls in flight.
#[tokio::test(start_paused = true)]
async fn hanging_directories_of_several_invocations_do_not_delay_identifiers() {
    for concurrent in ["2", "4"] {
        let world = World::in_memory(
            fixture(10, 1),
            &[("MAX_CONCURRENT_CALLS", concurrent), ("CONNECT_BURST", "20"), ("MAX_ATTEMPTS", "2")],
        );
        for operation in [Operation::SearchQueues, Operation::SearchEmailAddresses] {
            world.connect.inject(on(operation, Effect::Hang));
        }
        let by_name = json!({ "instanceId": INSTANCE, "failOnRetryable": false,
                              "queueName": "Queue 0", "emailAddress": "e0@brand.example" });
        let mut mixed = reported(request("q1", &ids(0..1)));
        mixed["associations"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "queueName": "Queue 2", "emailAddress": "e0@brand.example" }));
        let started = Instant::now();
        let (first, second, third) =
            tokio::join!(world.invoke(&by_name), world.invoke(&by_name), world.invoke(&mixed));
        assert_eq!((&first.unwrap()["failed"], &second.unwrap()["failed"]), (&json!(1), &json!(1)));
        let third = third.unwrap();
        assert_eq!((&third["associated"], &third["failed"]), (&json!(1), &json!(1)), "{third}");
        let waited = world.calls(ASSOCIATE)[0].at - started;
        assert_eq!(waited, Duration::ZERO, "{concurrent}");
    }
}
