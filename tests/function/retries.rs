//! Some rejections are retried with the same call, and others are not.

use std::time::Duration;

use connect_simulator::{Effect, Fault};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::common::{ASSOCIATE, counts, error, failures, on_queue, one_pair_a_queue, reported};
use crate::world::{World, fixture, ids, listed, request, sqs};

#[tokio::test]
async fn transient_rejections_are_retried_with_the_same_token() {
    for effect in [
        error(429, "ThrottlingException", "a reason"),
        error(429, "TooManyRequestsException", "a reason"),
        error(429, "SomethingElseException", "a reason"),
        error(500, "InternalServiceException", "a reason"),
        error(503, "ServiceUnavailableException", "a reason"),
        error(408, "RequestTimeoutException", "a reason"),
        Effect::Reset,
        Effect::ResetAfter,
        Effect::CutOff,
        Effect::Malformed,
    ] {
        let world = World::new(fixture(1, 2));
        world.connect.inject(Fault::new(effect.clone()).times(2));
        let report = world.invoke(&request("q0", &ids(0..2))).await.unwrap();
        assert_eq!(report["status"], "SUCCEEDED", "{effect:?}");
        let throttled = matches!(effect, Effect::Error { status: 429, .. });
        let counted = [3, if throttled { 2 } else { 0 }];
        assert_eq!(counts(&report, ["apiCalls", "throttledCalls"]), counted, "{effect:?}");
        assert_eq!(world.associated("q0"), ids(0..2));
        let calls = world.calls(ASSOCIATE);
        assert!(calls.iter().all(|call| call.client_token == calls[0].client_token));
        assert!(calls.iter().all(|call| call.addresses == calls[0].addresses));
    }
}

#[tokio::test]
async fn attempts_end_at_their_limit() {
    let world = World::with(fixture(2, 1), &[("MAX_ATTEMPTS", "4")]);
    world.connect.inject(on_queue("q0", error(503, "Unwell", "a reason")));
    let batch = sqs(&[request("q0", &ids(0..1)), request("q1", &ids(0..1))]);
    assert_eq!(listed(&world.invoke(&batch).await), ["m0"]);
    assert_eq!(world.call_count(), 5);
}

#[tokio::test]
async fn denied_and_credentials_are_neither_retried_nor_narrowed() {
    for (effect, error, retryable) in [
        (error(403, "AccessDeniedException", "a reason"), "AccessDeniedException", false),
        (error(403, "ExpiredTokenException", "a reason"), "ExpiredTokenException", true),
        (error(400, "UnrecognizedClientException", "a reason"), "UnrecognizedClientException", true),
        (error(403, "InvalidSignatureException", "a reason"), "InvalidSignatureException", true),
        (error(401, "Whatever", "a reason"), "Whatever", true),
    ] {
        let world = World::new(fixture(1, 10));
        world.connect.inject(Fault::new(effect));
        let report = world.invoke(&reported(request("q0", &ids(0..10)))).await.unwrap();
        assert_eq!(world.call_count(), 1, "{error}");
        assert_eq!(report["failed"], 10);
        assert_eq!(report["failures"][9]["error"], error);
        assert_eq!(report["failures"][9]["retryable"], retryable);
        let message = report["failures"][9]["message"].as_str().unwrap();
        let advised = message.contains("needs connect:AssociateQueueEmailAddresses");
        assert_eq!(advised, error == "AccessDeniedException", "{message}");
    }
}

/// A payload for 50 queues by identifier, one by name, and a check.
fn many_queues() -> Value {
    let mut payload = reported(one_pair_a_queue(0..50));
    let by_name = json!({ "queueName": "Queue 1", "emailAddress": "e1@brand.example" });
    payload["associations"].as_array_mut().unwrap().push(by_name);
    payload
}

#[tokio::test]
async fn two_rejections_of_the_credentials_stop_the_invocation() {
    for check in [false, true] {
        for (concurrent, most) in [("1", 2), ("8", 9)] {
            let world = World::with(fixture(50, 2), &[("MAX_CONCURRENT_CALLS", concurrent)]);
            world.connect.inject(Fault::new(error(403, "ExpiredTokenException", "a reason")));
            let mut payload = many_queues();
            (payload["dryRun"], payload["checkQueues"]) = (json!(check), json!(check));
            let report = world.invoke(&payload).await.unwrap();
            assert!((2..=most).contains(&world.call_count()), "{} calls", world.call_count());
            assert_eq!(report["failed"], 51);
            let is_same = |failure: &Value| {
                failure["error"] == "ExpiredTokenException"
                    && failure["retryable"] == true
                    && failure["message"].as_str().unwrap().contains("a reason")
            };
            assert!(failures(&report).iter().all(is_same), "{report}");
        }
    }
}

#[tokio::test]
async fn response_between_rejections_of_the_credentials_keeps_the_invocation_going() {
    for (effect, continues) in [
        (None, true),
        (Some(error(500, "InternalServiceException", "a reason")), true),
        (Some(error(400, "InvalidRequestException", "a reason")), true),
        (Some(Effect::Reset), false),
    ] {
        let world = World::with(
            fixture(50, 2),
            &[("MAX_CONCURRENT_CALLS", "1"), ("BACKOFF_INITIAL_MS", "300"), ("BACKOFF_MAX_MS", "300")],
        );
        let expired = |queue: &str| on_queue(queue, error(403, "ExpiredTokenException", "a reason"));
        world.connect.inject(expired("q0"));
        world.connect.inject(expired("q2"));
        effect.into_iter().for_each(|effect| {
            world.connect.inject(on_queue("q1", effect).times(1));
        });
        let report = world.invoke(&reported(one_pair_a_queue(0..50))).await.unwrap();
        let failed = report["failed"].as_u64().unwrap();
        assert!(if continues { failed <= 3 } else { failed == 50 }, "{failed} failed");
    }
}

#[tokio::test(start_paused = true)]
async fn waits_grow_and_honour_the_server() {
    let world = World::in_memory(fixture(1, 1), &[]);
    let wish = Effect::RetryAfter { millis: 7_000, code: "TooManyRequestsException".to_owned() };
    world.connect.inject(Fault::new(wish).times(1));
    world.invoke(&request("q0", &ids(0..1))).await.unwrap();
    let calls = world.connect.calls();
    assert!(calls[1].at - calls[0].at >= Duration::from_secs(7));

    // In this world no call waits for the pace.
    let world = World::in_memory(
        fixture(1, 1),
        &[("CONNECT_REQUESTS_PER_SECOND", "1000"), ("CONNECT_BURST", "1000")],
    );
    world.connect.inject(Fault::new(error(500, "InternalServiceException", "a reason")).times(6));
    world.invoke(&request("q0", &ids(0..1))).await.unwrap();
    let calls = world.connect.calls();
    let waits: Vec<Duration> = calls.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    for (wait, interval) in waits.iter().zip([200, 400, 800, 1_600, 3_200, 6_400]) {
        let interval = Duration::from_millis(interval);
        assert!(*wait >= interval / 2 && *wait <= interval * 2, "{waits:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn hanging_attempt_is_retried() {
    let world = World::in_memory(fixture(1, 1), &[]);
    world.connect.inject(Fault::new(Effect::Hang).times(1));
    let started = Instant::now();
    let report = world.invoke(&request("q0", &ids(0..1))).await.unwrap();
    assert_eq!(report["status"], "SUCCEEDED");
    let took = started.elapsed();
    assert!(took >= Duration::from_secs(5) && took < Duration::from_secs(6), "{took:?}");
}
