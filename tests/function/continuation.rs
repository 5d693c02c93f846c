//! The unfinished pairs of a message are sent as a new, smaller message until all pairs are done.

use std::time::Duration;

use connect_simulator::{Effect, Fault, Operation, Options};
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;

use crate::logs::log_of;
use crate::sqs::{CONTINUATION, FAILURES, Sent, SqsFault};
use crate::world::{INSTANCE, World, default_quota, fixture, ids, listed, request, sqs};

const CONTINUES: [(&str, &str); 1] = [("CONTINUATION_QUEUE_URL", CONTINUATION)];

fn one_pair_a_queue(queues: usize) -> Value {
    let entries: Vec<_> =
        (0..queues).map(|queue| json!({ "queueId": format!("q{queue}"), "emailAddressId": "e0" })).collect();
    json!({ "instanceId": INSTANCE, "associations": entries })
}

fn unwell(queue: &str) -> Fault {
    Fault {
        queue: Some(queue.to_owned()),
        ..Fault::new(Effect::Error {
            status: 500,
            code: "Unwell".to_owned(),
            message: "try later".to_owned(),
        })
    }
}

/// Delivers a message and its continuations, each to a new process, until all pairs are done. Returns the number of
/// deliveries.
async fn deliver(queues: usize, seconds: u64) -> usize {
    let options = Options { fixture: fixture(queues, 1), quota: default_quota(), ..Options::default() };
    let mut world = World::in_memory(options, &CONTINUES);
    let mut body = one_pair_a_queue(queues);
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
    let variables = [CONTINUES[0], ("FAILURES_QUEUE_URL", FAILURES)];
    let options = Options { fixture: fixture(1, 1), quota: default_quota(), ..Options::default() };
    let mut world = World::in_memory(options, &variables);
    let mut entries = one_pair_a_queue(301)["associations"].take();
    entries.as_array_mut().unwrap().remove(0);
    let mut batch = sqs(&[json!({ "instanceId": INSTANCE, "associations": entries })]);
    // On the first delivery, a missing queue is retryable, because it may not be visible yet.
    batch["Records"][0]["attributes"]["ApproximateReceiveCount"] = json!("2");
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
        world = world.restarted(&variables);
    }
    assert_eq!(dead_letters, 300);
    // About 100 calls fit into a delivery. A missing queue costs one or two.
    assert!(deliveries <= 6, "{deliveries} deliveries");
    assert!(world.call_count() <= 601 + deliveries, "{} calls", world.call_count());
}

#[tokio::test]
async fn retryable_failures_are_continued() {
    let world = World::with(Options { fixture: fixture(3, 4), ..Options::default() }, &CONTINUES);
    world.connect.inject(unwell("q1"));
    let body = json!({ "instanceId": INSTANCE, "associations": [
        { "queueId": "q0", "emailAddressId": "e0" },
        { "queueId": "q1", "emailAddressIds": ["e1", "e2"] },
        { "queueId": "q2", "emailAddressId": "e3" },
        { "queueId": "q1", "emailAddressId": "e3" },
    ]});
    assert_eq!(listed(&world.invoke(&sqs(&[body])).await), [""; 0]);
    let sent = world.sqs.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].queue_url.as_str(), sent[0].delay), (CONTINUATION, Duration::from_secs(30)));
    assert_eq!(
        sent[0].body,
        json!({ "instanceId": INSTANCE, "reference": "m0", "continued": true, "associations": [
            { "queueId": "q1", "emailAddressIds": ["e1", "e2", "e3"] },
        ]})
    );
}

#[tokio::test(start_paused = true)]
async fn invalid_parts_do_not_delay_a_continuation() {
    let options = Options { fixture: fixture(60, 1), quota: default_quota(), ..Options::default() };
    let mut world = World::in_memory(options, &CONTINUES);
    let mut body = one_pair_a_queue(60);
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
async fn message_without_success_is_listed() {
    let world = World::with(Options { fixture: fixture(2, 1), ..Options::default() }, &CONTINUES);
    world.connect.inject(unwell("q1"));
    let batch = sqs(&[request("q1", &ids(0..1)), one_pair_a_queue(2)]);
    assert_eq!(listed(&world.invoke(&batch).await), ["m0"]);
    assert_eq!(world.sqs.sent().len(), 1);
}

#[tokio::test]
async fn unsendable_continuation_lists_the_message() {
    for fault in [SqsFault::Status(400), SqsFault::FirstEntry { sender_fault: true }] {
        let world = World::with(Options { fixture: fixture(2, 1), ..Options::default() }, &CONTINUES);
        world.connect.inject(unwell("q1"));
        world.sqs.fail([fault]);
        assert_eq!(listed(&world.invoke(&sqs(&[one_pair_a_queue(2)])).await), ["m0"]);
    }
}

#[tokio::test(start_paused = true)]
async fn transient_send_failure_is_retried() {
    for fault in [
        SqsFault::Status(500),
        SqsFault::Reset,
        SqsFault::FirstEntry { sender_fault: false },
        SqsFault::Forgotten,
    ] {
        let world = World::in_memory(Options { fixture: fixture(2, 1), ..Options::default() }, &CONTINUES);
        world.connect.inject(unwell("q1"));
        world.sqs.fail([fault]);
        let batch = sqs(&[one_pair_a_queue(2), one_pair_a_queue(2)]);
        assert_eq!(listed(&world.invoke(&batch).await), [""; 0], "{fault:?}");
        assert_eq!(world.sqs.sent().len(), 2, "{fault:?}");
        assert_eq!(world.sqs.batches(), 2);
    }
}

#[tokio::test]
async fn permanent_send_rejections_are_logged() {
    let world = World::with(Options { fixture: fixture(2, 1), ..Options::default() }, &CONTINUES);
    world.connect.inject(unwell("q1"));
    world.sqs.fail([SqsFault::TwoEntries]);
    let batch = sqs(&[one_pair_a_queue(2), one_pair_a_queue(2)]);
    let lines = log_of(&world, LevelFilter::INFO, batch.to_string().as_bytes()).await;
    let refused: Vec<_> = lines.iter().filter(|line| line["queueUrl"] == CONTINUATION).collect();
    assert_eq!(refused.len(), 1, "{lines:#?}");
    assert_eq!((&refused[0]["messageId"], &refused[0]["error"]), (&json!("m0"), &json!("Refused")));
    assert_eq!(world.sqs.sent().len(), 1, "the other arrives with the second attempt");
}

/// The time that an invocation takes if SQS accepts the given number of connections and never responds to them.
async fn time_with_hanging_sends(hanging: usize) -> (World, Vec<String>, Duration) {
    let mut world = World::in_memory(Options { fixture: fixture(2, 1), ..Options::default() }, &CONTINUES);
    world.invocation_time = Duration::from_secs(300);
    world.connect.inject(unwell("q1"));
    world.sqs.fail(vec![SqsFault::Hang; hanging]);
    let quick = [CONTINUES[0], ("MAX_ATTEMPTS", "1")];
    let world = world.restarted(&quick);
    let start = tokio::time::Instant::now();
    let listed = listed(&world.invoke(&sqs(&[one_pair_a_queue(2)])).await);
    (world, listed, start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn hanging_send_is_retried() {
    let (world, listed, elapsed) = time_with_hanging_sends(1).await;
    assert_eq!(listed, [""; 0]);
    assert_eq!((world.sqs.sent_to(CONTINUATION).len(), world.sqs.batches()), (1, 2));
    assert!(elapsed < Duration::from_millis(2_500), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn hanging_send_does_not_delay_the_response() {
    let (world, listed, elapsed) = time_with_hanging_sends(9).await;
    assert_eq!(listed, ["m0"]);
    assert_eq!(world.sqs.batches(), 3, "attempts");
    assert!(elapsed < Duration::from_secs(7), "{elapsed:?}");
    let hidden = world.sqs.hidden();
    assert_eq!(hidden.len(), 1);
    assert!((24..=36).contains(&hidden[0].seconds), "{hidden:?}");
}

#[tokio::test(start_paused = true)]
async fn hanging_send_leaves_time_to_set_the_visibility() {
    let mut world = World::in_memory(Options { fixture: fixture(2, 1), ..Options::default() }, &CONTINUES);
    world.invocation_time = Duration::from_secs(4);
    world.connect.inject(unwell("q1"));
    world.sqs.fail(vec![SqsFault::Hang; 9]);
    assert_eq!(listed(&world.invoke(&sqs(&[one_pair_a_queue(2)])).await), ["m0"]);
    assert_eq!(world.sqs.hidden().len(), 1);
}

#[tokio::test]
async fn a_fifo_message_is_never_continued() {
    let world = World::with(Options { fixture: fixture(2, 1), ..Options::default() }, &CONTINUES);
    world.connect.inject(unwell("q1"));
    let mut batch = sqs(&[one_pair_a_queue(2)]);
    batch["Records"][0]["eventSourceARN"] = json!("arn:aws:sqs:eu-central-1:111122223333:q.fifo");
    batch["Records"][0]["attributes"]["MessageGroupId"] = json!("g");
    assert_eq!(listed(&world.invoke(&batch).await), ["m0"]);
    assert!(world.sqs.sent().is_empty());
}

#[tokio::test]
async fn continuation_keeps_the_callers_names() {
    let world = World::with(Options { fixture: fixture(2, 1), ..Options::default() }, &CONTINUES);
    world.connect.inject(unwell("q1"));
    let body = json!({ "instanceId": INSTANCE, "associations": [
        { "queueName": "Queue 0", "emailAddress": "E0@brand.example" },
        { "queueName": "Queue 1", "emailAddress": "E0@brand.example" },
    ]});
    assert_eq!(listed(&world.invoke(&sqs(&[body])).await), [""; 0]);
    assert_eq!(
        world.sqs.sent()[0].body["associations"],
        json!([{ "queueName": "Queue 1", "emailAddresses": ["E0@brand.example"] }])
    );
}

#[tokio::test]
async fn events_are_continued_too() {
    let detail = one_pair_a_queue(2);
    let event = json!({ "id": "1", "source": "s", "detail-type": "t", "detail": detail });
    let sns = json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "Message": detail.to_string() } }] });
    for payload in [event, sns] {
        let world = World::with(Options { fixture: fixture(2, 1), ..Options::default() }, &CONTINUES);
        world.connect.inject(unwell("q1"));
        let report = world.invoke(&payload).await.unwrap();
        assert_eq!(report["status"], "PARTIAL");
        assert_eq!(world.sqs.sent_to(CONTINUATION).len(), 1);
        world.connect.inject(unwell("q0"));
        assert_eq!(world.invoke(&payload).await.unwrap_err().0, "RetryableFailure");
        assert_eq!(world.sqs.sent().len(), 1);
    }
}

#[tokio::test]
async fn event_with_unsendable_failures_is_not_continued() {
    // Lambda retries an event that ends in an error, and a continuation would be sent each time.
    let mut detail = one_pair_a_queue(2);
    detail["associations"].as_array_mut().unwrap().push(json!({ "queueId": "q0", "emailAddressId": "bad" }));
    let event = json!({ "id": "1", "source": "s", "detail-type": "t", "detail": detail });
    let record = |body: &Value| json!({ "EventSource": "aws:sns", "Sns": { "Message": body.to_string() } });
    let sns =
        json!({ "Records": [record(&one_pair_a_queue(2)), record(&request("q0", &["bad".to_owned()]))] });
    for payload in [event, sns] {
        let world = World::with(Options { fixture: fixture(2, 1), ..Options::default() }, &CONTINUES);
        world.connect.inject(unwell("q1"));
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
    let variables = [CONTINUES[0], ("BACKOFF_INITIAL_MS", "20000")];
    let over_limit = Effect::Error {
        status: 429,
        code: "LimitExceededException".to_owned(),
        message: "too many".to_owned(),
    };
    for effect in [unwell("q1").effect, over_limit] {
        let mut world =
            World::in_memory(Options { fixture: fixture(2, 1), ..Options::default() }, &variables);
        world.invocation_time = Duration::from_secs(10);
        world.connect.inject(Fault {
            operation: Some(Operation::AssociateQueueEmailAddresses),
            queue: Some("q1".to_owned()),
            ..Fault::new(effect)
        });
        let batch = sqs(&[one_pair_a_queue(2), request("q1", &ids(0..1))]);
        assert_eq!(listed(&world.invoke(&batch).await), ["m1"]);
        let sent = world.sqs.sent();
        assert_eq!((sent.len(), sent[0].delay), (1, Duration::from_secs(30)));
        assert!((24..=36).contains(&world.sqs.hidden()[0].seconds), "{:?}", world.sqs.hidden());
    }
}

#[tokio::test]
async fn direct_request_gets_its_remaining_pairs() {
    let world = World::with(Options { fixture: fixture(2, 1), ..Options::default() }, &CONTINUES);
    world.connect.inject(Fault { times: Some(10), ..unwell("q1") });
    let mut body = one_pair_a_queue(2);
    body["failOnRetryable"] = json!(false);
    let report = world.invoke(&body).await.unwrap();
    assert_eq!(report["status"], "PARTIAL");
    let remaining = report["remaining"].clone();
    assert_eq!(
        remaining,
        json!({
            "instanceId": INSTANCE,
            "failOnRetryable": false,
            "reference": "request-1",
            "associations": [{ "queueId": "q1", "emailAddressIds": ["e0"] }],
        })
    );
    let report = world.invoke(&remaining).await.unwrap();
    assert_eq!(report["status"], "SUCCEEDED");
    assert!(report.get("remaining").is_none());
    assert!(world.sqs.sent().is_empty());
}

#[tokio::test]
async fn remaining_request_is_no_larger_than_the_request() {
    let world =
        World::with(Options { fixture: fixture(1, 0), ..Options::default() }, &[("MAX_ATTEMPTS", "1")]);
    world.connect.inject(Fault::new(Effect::Error {
        status: 500,
        code: "Unwell".to_owned(),
        message: "try later".to_owned(),
    }));
    let entry = |queue: usize| json!({ "queueId": format!("q-{queue:0>30}"), "emailAddressId": format!("e-{queue:0>30}") });
    let entries: Vec<Value> = (0..1_500).map(entry).collect();
    let body = json!({
        "instanceId": INSTANCE, "failOnRetryable": false, "reference": "mine", "associations": entries,
    });
    let report = world.invoke(&body).await.unwrap();
    assert!(
        report["remaining"].to_string().len() <= body.to_string().len() + 3 * 1_500,
        "the lists of addresses"
    );
    assert_eq!(report["remaining"]["associations"].as_array().unwrap().len(), 1_500);
    // An entry for another instance than the request's has its own `instanceId`.
    let other = json!({ "instanceId": "other", "queueId": "q1", "emailAddressId": "e0" });
    let body = json!({ "instanceId": INSTANCE, "failOnRetryable": false, "associations": [entry(1), other] });
    let report = world.invoke(&body).await.unwrap();
    assert_eq!(report["remaining"]["instanceId"], INSTANCE);
    assert_eq!(
        report["remaining"]["associations"][1],
        json!({ "instanceId": "other", "queueId": "q1", "emailAddressIds": ["e0"] })
    );
}

#[tokio::test]
async fn live_and_dry_pairs_share_no_remaining_request() {
    let world =
        World::with(Options { fixture: fixture(2, 1), ..Options::default() }, &[("MAX_ATTEMPTS", "1")]);
    world.connect.inject(Fault::new(Effect::Error {
        status: 500,
        code: "Unwell".to_owned(),
        message: "try later".to_owned(),
    }));
    let live = json!({ "queueId": "q0", "emailAddressId": "e0" });
    let dry = json!({ "queueName": "Queue 1", "emailAddressId": "e0", "dryRun": true });
    let input = json!({ "instanceId": INSTANCE, "failOnRetryable": false });
    let map = |items: &[&Value]| json!({ "Items": items, "BatchInput": input });
    let (kind, _) = world.invoke(&map(&[&live, &dry])).await.unwrap_err();
    assert_eq!(kind, "RetryableFailure");
    assert_eq!(world.invoke(&map(&[&dry])).await.unwrap()["remaining"]["dryRun"], true);
    assert!(world.invoke(&map(&[&live])).await.unwrap()["remaining"].get("dryRun").is_none());
}

#[tokio::test]
async fn too_large_remaining_request_is_an_error() {
    let world = World::with(
        Options { fixture: fixture(1, 0), ..Options::default() },
        &[("MAX_ATTEMPTS", "1"), ("QUEUE_ADDITIONAL_LIMIT", "100000")],
    );
    world.connect.inject(unwell("q0"));
    let addresses: Vec<String> = (0..2_000).map(|number| format!("{number:0>100}")).collect();
    let mut body = request("q0", &addresses);
    body["failOnRetryable"] = json!(false);
    let (kind, message) = world.invoke(&body).await.unwrap_err();
    assert_eq!(kind, "RetryableFailure");
    assert_eq!(message, "2000 of 2000 failed: Unwell (2000 times): try later");
}

#[tokio::test]
async fn pair_with_and_without_dry_run_remains_live() {
    let world = World::with(Options { fixture: fixture(2, 1), ..Options::default() }, &[]);
    world.connect.inject(unwell("q1"));
    let pair = |dry_run: bool| {
        json!({ "instanceId": INSTANCE, "dryRun": dry_run, "failOnRetryable": false,
                "queueId": "q1", "emailAddressId": "e0" })
    };
    let report = world.invoke(&json!({ "Items": [pair(true), pair(false)] })).await.unwrap();
    assert!(report["remaining"].get("dryRun").is_none(), "{report}");
    assert_eq!(report["remaining"]["associations"][0]["queueId"], "q1");
    // An item with `failOnRetryable` gets its error even if the other item does not want one.
    let mut strict = pair(false);
    strict["failOnRetryable"] = json!(true);
    let ending = world.invoke(&json!({ "Items": [pair(false), strict] })).await;
    assert_eq!(ending.unwrap_err().0, "RetryableFailure");
}
