//! The function responds before its deadline, even if the API hangs, and reports what was not done.

use std::time::Duration;

use connect_simulator::{Effect, Fault};
use tokio::time::Instant;

use crate::common::{failures, message, on_queue, one_pair_a_queue, reported, unwell, with_quota};
use crate::world::{World, fixture, ids, listed, request, sqs};

#[tokio::test(start_paused = true)]
async fn hanging_api_does_not_delay_the_response() {
    for seconds in [3, 10, 60] {
        let mut world = World::in_memory(fixture(40, 1), &[]);
        world.invocation_time = Duration::from_secs(seconds);
        world.connect.inject(Fault::new(Effect::Hang));
        let started = Instant::now();
        let report = world.invoke(&reported(one_pair_a_queue(0..40))).await.unwrap();
        assert!(
            started.elapsed() <= Duration::from_secs(seconds - 1),
            "{:?} of {seconds} s",
            started.elapsed()
        );
        assert_eq!(report["failed"], 40);
        assert!(failures(&report).iter().all(|failure| failure["retryable"] == true));
        assert_eq!(report["failures"][39]["error"], "DeadlineExceeded");
    }
}

#[tokio::test(start_paused = true)]
async fn lambdas_default_timeout_is_enough_for_some_calls() {
    let mut world = with_quota(fixture(40, 1), &[]);
    world.invocation_time = Duration::from_secs(3);
    let started = Instant::now();
    let report = world.invoke(&reported(one_pair_a_queue(0..40))).await.unwrap();
    assert!(started.elapsed() <= Duration::from_secs(2));
    // The burst less one, and the two calls of one second.
    assert_eq!(report["associated"], 6);
    assert_eq!(failures(&report).len(), 34);
}

#[tokio::test(start_paused = true)]
async fn wait_beyond_the_deadline_is_not_started() {
    let mut world = World::in_memory(fixture(1, 1), &[]);
    world.invocation_time = Duration::from_secs(10);
    let wish = Effect::RetryAfter { millis: 60_000, code: "ThrottlingException".to_owned() };
    world.connect.inject(Fault::new(wish));
    let started = Instant::now();
    let report = world.invoke(&reported(one_pair_a_queue(0..1))).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(report["failures"][0]["error"], "DeadlineExceeded");
    let message = message(&report["failures"][0]);
    assert!(message.contains("ThrottlingException"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn small_messages_go_before_large_ones() {
    let mut world = with_quota(fixture(60, 2), &[]);
    world.invocation_time = Duration::from_secs(12);
    let large = one_pair_a_queue(0..50);
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
    let mut world = with_quota(fixture(60, 1), &[]);
    world.invocation_time = Duration::from_secs(15);
    world.connect.inject(on_queue("q50", unwell()).times(2));
    let batch = sqs(&[one_pair_a_queue(0..50), request("q50", &ids(0..1))]);
    assert_eq!(listed(&world.invoke(&batch).await), ["m0"]);
    assert_eq!(world.associated("q50"), ids(0..1));
}
