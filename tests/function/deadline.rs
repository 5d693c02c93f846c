//! The function responds before its deadline, even if the API hangs, and reports what was not done.

use std::time::Duration;

use connect_simulator::{Effect, Fault, Options};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::world::{INSTANCE, World, default_quota, fixture, ids, listed, request, sqs};

fn many_queues(queues: std::ops::Range<usize>) -> Value {
    let entries: Vec<_> =
        queues.map(|queue| json!({ "queueId": format!("q{queue}"), "emailAddressId": "e0" })).collect();
    json!({ "instanceId": INSTANCE, "failOnRetryable": false, "associations": entries })
}

#[tokio::test(start_paused = true)]
async fn hanging_api_does_not_delay_the_response() {
    for seconds in [3, 10, 60] {
        let mut world = World::in_memory(Options { fixture: fixture(40, 1), ..Options::default() }, &[]);
        world.invocation_time = Duration::from_secs(seconds);
        world.connect.inject(Fault::new(Effect::Hang));
        let begun = Instant::now();
        let report = world.invoke(&many_queues(0..40)).await.unwrap();
        assert!(begun.elapsed() <= Duration::from_secs(seconds - 1), "{:?} of {seconds} s", begun.elapsed());
        assert_eq!(report["failed"], 40);
        assert!(report["failures"].as_array().unwrap().iter().all(|failure| failure["retryable"] == true));
        assert_eq!(report["failures"][39]["error"], "DeadlineExceeded");
    }
}

#[tokio::test(start_paused = true)]
async fn lambdas_default_timeout_is_enough_for_some_calls() {
    let options = Options { fixture: fixture(40, 1), quota: default_quota(), ..Options::default() };
    let mut world = World::in_memory(options, &[]);
    world.invocation_time = Duration::from_secs(3);
    let begun = Instant::now();
    let report = world.invoke(&many_queues(0..40)).await.unwrap();
    assert!(begun.elapsed() <= Duration::from_secs(2));
    // The burst less one, and the two calls of one second.
    assert_eq!(report["associated"], 6);
    assert_eq!(report["failures"].as_array().unwrap().len(), 34);
}

#[tokio::test(start_paused = true)]
async fn wait_beyond_the_deadline_is_not_started() {
    let mut world = World::in_memory(Options { fixture: fixture(1, 1), ..Options::default() }, &[]);
    world.invocation_time = Duration::from_secs(10);
    let wish = Effect::RetryAfter { millis: 60_000, code: "ThrottlingException".to_owned() };
    world.connect.inject(Fault::new(wish));
    let begun = Instant::now();
    let report = world.invoke(&many_queues(0..1)).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(report["failures"][0]["error"], "DeadlineExceeded");
    let message = report["failures"][0]["message"].as_str().unwrap();
    assert!(message.contains("ThrottlingException"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn small_messages_go_before_large_ones() {
    let options = Options { fixture: fixture(60, 2), quota: default_quota(), ..Options::default() };
    let mut world = World::in_memory(options, &[]);
    world.invocation_time = Duration::from_secs(12);
    let large = many_queues(0..50);
    let batch = sqs(&[
        large,
        request("q50", &ids(0..1)),
        request("q51", &ids(0..1)),
        // The large message contains this queue too. The chunk is as urgent as its smallest message.
        request("q49", &ids(1..2)),
    ]);
    assert_eq!(listed(&world.invoke(&batch).await), ["m0"]);
    let first: Vec<_> = world.connect.calls().into_iter().take(3).map(|call| call.queue.unwrap()).collect();
    assert_eq!(first, ["q49", "q50", "q51"]);
}

#[tokio::test(start_paused = true)]
async fn retried_call_keeps_its_place() {
    let options = Options { fixture: fixture(60, 1), quota: default_quota(), ..Options::default() };
    let mut world = World::in_memory(options, &[]);
    world.invocation_time = Duration::from_secs(15);
    world.connect.inject(Fault {
        queue: Some("q50".to_owned()),
        times: Some(2),
        ..Fault::new(Effect::Error { status: 500, code: "Unwell".to_owned(), message: String::new() })
    });
    let batch = sqs(&[many_queues(0..50), request("q50", &ids(0..1))]);
    assert_eq!(listed(&world.invoke(&batch).await), ["m0"]);
    assert_eq!(world.associated("q50"), ids(0..1));
}
