//! The remaining pairs of a message are sent as a new, smaller message until all pairs are done.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::common::{
    ASSOCIATE, BOTH_QUEUES, CONTINUATION_QUEUE, ONE_ATTEMPT, event, limit_exceeded, on_fifo, on_queue,
    one_pair_a_queue, pair, received, sns, unwell, with_quota,
};
use crate::sqs::{CONTINUATION, FAILURES, Sent, SqsFault};
use crate::world::{INSTANCE, World, fixture, ids, listed, request, sqs};

const CONTINUES: [(&str, &str); 1] = [CONTINUATION_QUEUE];

/// Delivers a message and its continuations, each to a new process, until all pairs are done. Returns the number of
/// deliveries.
async fn deliver(queues: usize, seconds: u64) -> usize {
    let mut world = with_quota(fixture(queues, 1), &CONTINUES);
    let mut body = one_pair_a_queue(0..queues);
    let mut deliveries = 0;
    let mut size = usize::MAX;
    loop {
        deliveries += 1;
        world.invocation_time = Duration::from_secs(seconds);
        assert_eq!(listed(&world.invoke(&sqs(&[body])).await), [""; 0]);
        // Let the server's token bucket refill before the next delivery.
        tokio::time::advance(Duration::from_secs(5)).await;
        let sent = world.sqs.take();
        let Some(next) = sent.into_iter().next() else { break };
        assert_eq!((next.queue_url.as_str(), next.delay), (CONTINUATION, Duration::ZERO));
        let left = next.body["associations"].as_array().unwrap().len();
        assert!(left < size, "each message is smaller than the one before");
        size = left;
        body = next.body;
        world = world.restarted(&CONTINUES);
    }
    for queue in 0..queues {
        assert_eq!(world.associated(&format!("q{queue}")), ids(0..1));
    }
    let throttled = world.connect.calls().iter().filter(|call| call.throttled()).count();
    assert_eq!((world.call_count(), throttled), (queues, 0), "no pair costs more than one call");
    deliveries
}

#[tokio::test(start_paused = true)]
async fn large_message_ends_after_the_fewest_deliveries() {
    // The number of calls that fit: 4 immediately, then 2 per second. Calls stop one second before the deadline minus
    // the margin and the time for sending.
    for (calls, seconds) in [(100, 51), (90, 46), (60, 31), (50, 26)] {
        assert_eq!(deliver(300, seconds).await, 300_usize.div_ceil(calls), "{calls} calls an invocation");
    }
}

#[tokio::test(start_paused = true)]
async fn message_of_missing_queues_ends_after_the_fewest_deliveries() {
    let mut world = with_quota(fixture(1, 1), &BOTH_QUEUES);
    // On the first delivery, a missing queue is retryable, because it may not be visible yet.
    let mut batch = received(sqs(&[one_pair_a_queue(1..301)]), 2);
    let (mut deliveries, mut dead_letters) = (0, 0);
    loop {
        deliveries += 1;
        world.invocation_time = Duration::from_secs(51);
        assert_eq!(listed(&world.invoke(&batch).await), [""; 0], "delivery {deliveries}");
        tokio::time::advance(Duration::from_secs(5)).await;
        let (dead, continued): (Vec<_>, Vec<_>) =
            world.sqs.take().into_iter().partition(|sent| sent.queue_url == FAILURES);
        let associations = |sent: &Sent| sent.body["associations"].as_array().unwrap().len();
        dead_letters += dead.iter().map(associations).sum::<usize>();
        let Some(next) = continued.into_iter().next() else { break };
        assert_eq!(associations(&next), 300 - dead_letters, "delivery {deliveries}");
        batch = sqs(&[next.body]);
        world = world.restarted(&BOTH_QUEUES);
    }
    assert_eq!(dead_letters, 300);
    // About 100 calls fit into a delivery. A missing queue costs one or two.
    assert!(deliveries <= 6, "{deliveries} deliveries");
    assert!(world.call_count() <= 601 + deliveries, "{} calls", world.call_count());
}

#[tokio::test]
async fn retryable_failures_are_continued() {
    let world = World::with(fixture(3, 4), &CONTINUES);
    world.connect.inject(on_queue("q1", unwell()));
    let body = json!({ "instanceId": INSTANCE, "associations": [
        { "queueId": "q0", "emailAddressId": "e0" },
        { "queueId": "q1", "emailAddressIds": ["e1", "e2"] },
        { "queueId": "q2", "emailAddressId": "e3" },
        { "queueId": "q1", "emailAddressId": "e3" },
        { "queueName": "Queue 1", "emailAddress": "E0@brand.example" },
    ]});
    assert_eq!(listed(&world.invoke(&sqs(&[body])).await), [""; 0]);
    let sent = world.sqs.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].queue_url.as_str(), sent[0].delay), (CONTINUATION, Duration::from_secs(30)));
    assert_eq!(
        sent[0].body,
        json!({ "instanceId": INSTANCE, "reference": "m0", "continued": true, "associations": [
            { "queueId": "q1", "emailAddressIds": ["e1", "e2", "e3"] },
            { "queueName": "Queue 1", "emailAddresses": ["E0@brand.example"] },
        ]})
    );
}

#[tokio::test(start_paused = true)]
async fn invalid_parts_do_not_delay_a_continuation() {
    let mut world = with_quota(fixture(60, 1), &CONTINUES);
    let mut body = one_pair_a_queue(0..60);
    let invalid = json!({ "queueId": "q0" });
    body["associations"].as_array_mut().unwrap().push(invalid.clone());
    world.invocation_time = Duration::from_secs(26);
    assert_eq!(listed(&world.invoke(&sqs(&[body])).await), [""; 0]);
    let sent = world.sqs.take();
    assert_eq!((sent.len(), sent[0].delay), (1, Duration::ZERO));
    let left = sent[0].body["associations"].as_array().unwrap();
    assert_eq!(left.len(), 60 - world.call_count() + 1);
    assert_eq!(left.last(), Some(&invalid));
}

#[tokio::test]
async fn message_without_success_and_fifo_message_are_listed() {
    let world = World::with(fixture(2, 1), &CONTINUES);
    world.connect.inject(on_queue("q1", unwell()));
    let batch = sqs(&[request("q1", &ids(0..1)), one_pair_a_queue(0..2)]);
    assert_eq!(listed(&world.invoke(&on_fifo(batch.clone(), &[None, Some("g")])).await), ["m0", "m1"]);
    assert!(world.sqs.sent().is_empty());
    assert_eq!(listed(&world.invoke(&batch).await), ["m0"]);
    assert_eq!(world.sqs.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn transient_send_failures_are_retried_three_times() {
    let (permanent, transient) = (true, false);
    for (faults, sent, batches, most_seconds) in [
        (vec![SqsFault::Status(400)], 0, 1, 1),
        (vec![SqsFault::FirstEntry { sender_fault: permanent }], 0, 1, 1),
        (vec![SqsFault::FirstEntry { sender_fault: transient }], 1, 2, 1),
        (vec![SqsFault::Status(500)], 1, 2, 1),
        (vec![SqsFault::Reset], 1, 2, 1),
        (vec![SqsFault::Forgotten], 1, 2, 1),
        (vec![SqsFault::Hang], 1, 2, 3),
        (vec![SqsFault::Hang; 9], 0, 3, 7),
    ] {
        let world = World::in_memory(fixture(2, 1), &[CONTINUATION_QUEUE, ONE_ATTEMPT]);
        world.connect.inject(on_queue("q1", unwell()));
        world.sqs.fail(faults.clone());
        let start = Instant::now();
        let listed = listed(&world.invoke(&sqs(&[one_pair_a_queue(0..2)])).await);
        assert_eq!(listed, if sent == 1 { &[][..] } else { &["m0"] }, "{faults:?}");
        assert_eq!((world.sqs.sent().len(), world.sqs.batches()), (sent, batches), "{faults:?}");
        assert!(start.elapsed() < Duration::from_secs(most_seconds), "{faults:?}: {:?}", start.elapsed());
        let hidden = world.sqs.seconds();
        assert!(hidden.iter().all(|(_, seconds)| (24..=36).contains(seconds)), "{hidden:?}");
        assert_eq!(hidden.len(), 1 - sent);
    }
}

#[tokio::test(start_paused = true)]
async fn hanging_send_leaves_time_to_set_the_visibility() {
    let mut world = World::in_memory(fixture(2, 1), &CONTINUES);
    world.invocation_time = Duration::from_secs(4);
    world.connect.inject(on_queue("q1", unwell()));
    world.sqs.fail(vec![SqsFault::Hang; 9]);
    assert_eq!(listed(&world.invoke(&sqs(&[one_pair_a_queue(0..2)])).await), ["m0"]);
    assert_eq!(world.sqs.hidden().len(), 1);
}

#[tokio::test]
async fn events_are_continued_too() {
    let detail = one_pair_a_queue(0..2);
    for payload in [event(&detail), sns(&[&detail])] {
        let world = World::with(fixture(2, 1), &CONTINUES);
        world.connect.inject(on_queue("q1", unwell()));
        let report = world.invoke(&payload).await.unwrap();
        assert_eq!(report["status"], "PARTIAL");
        assert_eq!(world.sqs.sent_to(CONTINUATION).len(), 1);
        world.connect.inject(on_queue("q0", unwell()));
        assert_eq!(world.invoke(&payload).await.unwrap_err().0, "RetryableFailure");
        assert_eq!(world.sqs.sent().len(), 1);
    }
}

#[tokio::test]
async fn event_with_unsendable_failures_is_not_continued() {
    // Lambda retries an event that ends in an error, and a continuation would be sent each time.
    let mut detail = one_pair_a_queue(0..2);
    detail["associations"].as_array_mut().unwrap().push(json!({ "queueId": "q0", "emailAddressId": "bad" }));
    for payload in [event(&detail), sns(&[&one_pair_a_queue(0..2), &pair("q0", "bad")])] {
        let world = World::with(fixture(2, 1), &CONTINUES);
        world.connect.inject(on_queue("q1", unwell()));
        for _ in 0..3 {
            assert_eq!(world.invoke(&payload).await.unwrap_err().0, "RetryableFailure");
        }
        assert!(world.sqs.sent().is_empty());
        world.connect.clear_faults();
        assert_eq!(world.invoke(&payload).await.unwrap_err().0, "PermanentFailure");
    }
}

#[tokio::test(start_paused = true)]
async fn outage_until_the_deadline_delays_the_continuation() {
    for effect in [unwell(), limit_exceeded()] {
        let variables = [CONTINUATION_QUEUE, ("BACKOFF_INITIAL_MS", "20000")];
        let mut world = World::in_memory(fixture(2, 1), &variables);
        world.invocation_time = Duration::from_secs(10);
        world.connect.inject(on_queue("q1", effect).on(ASSOCIATE));
        let batch = sqs(&[one_pair_a_queue(0..2), request("q1", &ids(0..1))]);
        assert_eq!(listed(&world.invoke(&batch).await), ["m1"]);
        let sent = world.sqs.sent();
        assert_eq!((sent.len(), sent[0].delay), (1, Duration::from_secs(30)));
        assert!((24..=36).contains(&world.sqs.hidden()[0].seconds), "{:?}", world.sqs.hidden());
    }
}
