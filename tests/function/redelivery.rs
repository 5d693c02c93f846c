//! The function sets the visibility timeout of each listed message, so that it is redelivered when a retry is useful.

use std::time::Duration;

use connect_simulator::{Effect, Fault};
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;

use crate::common::{
    ASSOCIATE, BOTH_QUEUES, FAILURES_QUEUE, ONE_ATTEMPT, event, on, on_fifo, on_queue, one_pair_a_queue,
    pair, received, unwell, with_quota,
};
use crate::logs::log_of;
use crate::sqs::{FAILURES, SqsFault};
use crate::world::{INSTANCE, World, fixture, listed, sqs};

const SOURCE_URL: &str = "https://sqs.eu-central-1.amazonaws.com/111122223333/associations";

fn misspelled_name() -> Value {
    json!({ "instanceId": INSTANCE, "queueName": "Biling", "emailAddressId": "e0" })
}

/// A world in which no call succeeds.
fn unwell_world(variables: &[(&str, &str)]) -> World {
    let mut variables = variables.to_vec();
    variables.push(ONE_ATTEMPT);
    let world = World::with(fixture(2, 1), &variables);
    world.connect.inject(Fault::new(unwell()));
    world
}

#[tokio::test]
async fn delay_doubles_with_each_delivery_up_to_its_maximum() {
    for (count, seconds) in [(1, 24..=36), (2, 48..=72), (3, 96..=144), (6, 720..=900), (40, 720..=900)] {
        let world = unwell_world(&[]);
        assert_eq!(listed(&world.invoke(&received(sqs(&[pair("q0", "e0")]), count)).await), ["m0"]);
        let hidden = world.sqs.hidden();
        assert_eq!(hidden.len(), 1);
        assert_eq!(
            (hidden[0].queue_url.as_str(), hidden[0].receipt_handle.as_str()),
            (SOURCE_URL, "handle0")
        );
        assert!(seconds.contains(&hidden[0].seconds), "delivery {count}: {} s", hidden[0].seconds);
    }
    let world = unwell_world(&[("REDELIVERY_INITIAL_SECONDS", "100"), ("REDELIVERY_MAX_SECONDS", "100")]);
    world.invoke(&received(sqs(&[pair("q0", "e0")]), 9)).await.unwrap();
    assert!((80..=100).contains(&world.sqs.hidden()[0].seconds));
}

#[tokio::test]
async fn visibility_is_set_in_tens_with_different_delays() {
    let world = unwell_world(&[]);
    let batch = sqs(&vec![pair("q0", "e0"); 25]);
    assert_eq!(listed(&world.invoke(&batch).await).len(), 25);
    assert_eq!(world.sqs.visibility_batches(), 3);
    let mut seconds = world.sqs.seconds();
    seconds.sort();
    assert_eq!(seconds.len(), 25);
    seconds.dedup_by_key(|(handle, _)| handle.clone());
    assert_eq!(seconds.len(), 25, "each message once");
    seconds.sort_by_key(|(_, seconds)| *seconds);
    seconds.dedup_by_key(|(_, seconds)| *seconds);
    assert!(seconds.len() > 3, "{seconds:?}");
}

#[tokio::test(start_paused = true)]
async fn message_short_of_time_is_redelivered_immediately() {
    let mut world = with_quota(fixture(60, 1), &[]);
    let large = one_pair_a_queue(1..60);
    world.invocation_time = Duration::from_secs(20);
    assert_eq!(listed(&world.invoke(&received(sqs(&[large, pair("q0", "e0")]), 7)).await), ["m0"]);
    assert_eq!(world.sqs.seconds(), [("handle0".to_owned(), 0)]);
}

#[tokio::test]
async fn mistyped_name_ends_in_the_failures_queue_within_two_minutes() {
    let world = World::with(fixture(2, 2), &BOTH_QUEUES);
    let batch = sqs(&[misspelled_name()]);
    assert_eq!(listed(&world.invoke(&batch).await), ["m0"]);
    assert_eq!(world.sqs.seconds(), [("handle0".to_owned(), 60)]);
    assert_eq!(listed(&world.invoke(&received(batch, 2)).await), [""; 0]);
    assert_eq!(world.sqs.sent_to(FAILURES).len(), 1);
    assert_eq!(world.sqs.hidden().len(), 1, "a message that was sent on is done");
}

#[tokio::test]
async fn first_delivery_with_another_failure_has_the_usual_delay() {
    let world = World::with(fixture(2, 2), &[ONE_ATTEMPT, FAILURES_QUEUE]);
    world.connect.inject(on(ASSOCIATE, unwell()));
    let body = json!({ "instanceId": INSTANCE, "associations": [
        { "queueName": "Biling", "emailAddressId": "e0" },
        { "queueId": "q1", "emailAddressId": "e0" },
    ]});
    assert_eq!(listed(&world.invoke(&sqs(&[body])).await), ["m0"]);
    assert!((24..=36).contains(&world.sqs.hidden()[0].seconds));
}

#[tokio::test]
async fn fifo_messages_after_a_failed_one_get_its_delay() {
    let world = World::with(fixture(2, 2), &[ONE_ATTEMPT]);
    world.connect.inject(on_queue("q0", unwell()));
    let (done, a) = (pair("q1", "e0"), Some("a"));
    let batch = on_fifo(sqs(&[pair("q0", "e0"), done.clone(), done.clone(), done]), &[a, a, Some("b"), a]);
    assert_eq!(listed(&world.invoke(&batch).await), ["m0", "m1", "m3"]);
    let hidden = world.sqs.hidden();
    assert_eq!(hidden.len(), 3);
    assert!(hidden.iter().all(|other| other.seconds == hidden[0].seconds), "{hidden:?}");
    assert!(hidden[0].queue_url.ends_with("/111122223333/associations.fifo"));
}

#[tokio::test]
async fn visibility_is_set_only_for_message_batches() {
    let record = |batch: Value| batch["Records"].clone();
    let world = unwell_world(&[]);
    assert_eq!(listed(&world.invoke(&record(sqs(&[pair("q0", "e0")]))).await), ["m0"]);
    assert_eq!(world.sqs.hidden().len(), 1, "of a pipe");
    for payload in [pair("q0", "e0"), event(&pair("q0", "e0")), json!({ "Items": [pair("q0", "e0")] })] {
        world.invoke(&payload).await.unwrap_err();
    }
    assert_eq!(world.sqs.hidden().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn transient_sqs_failure_is_retried() {
    for fault in
        [SqsFault::Status(500), SqsFault::Reset, SqsFault::Hang, SqsFault::FirstEntry { sender_fault: false }]
    {
        let world = World::in_memory(fixture(2, 1), &[ONE_ATTEMPT]);
        world.connect.inject(Fault::new(unwell()));
        world.sqs.fail_visibility([fault]);
        assert_eq!(listed(&world.invoke(&sqs(&[pair("q0", "e0"), pair("q0", "e0")])).await), ["m0", "m1"]);
        let mut handles: Vec<String> = world.sqs.seconds().into_iter().map(|(handle, _)| handle).collect();
        handles.sort();
        assert_eq!(
            (handles, world.sqs.visibility_batches()),
            (vec!["handle0".to_owned(), "handle1".to_owned()], 2)
        );
    }
}

/// Returns the warnings of an invocation that concern visibility timeouts.
async fn warnings(world: &World, batch: &Value) -> Vec<Value> {
    let lines = log_of(world, LevelFilter::INFO, batch.to_string().as_bytes()).await;
    assert!(lines.iter().all(|line| line["level"] != "ERROR"), "{lines:?}");
    let about = |line: &Value| line["message"].as_str().unwrap_or_default().contains("visibility");
    lines.into_iter().filter(about).collect()
}

#[tokio::test]
async fn failed_visibility_change_keeps_the_queues_timeout() {
    let batch = sqs(&vec![pair("q0", "e0"); 12]);
    let mut without_handles = batch.clone();
    let mut without_arns = batch.clone();
    for number in 0..12 {
        without_handles["Records"][number].as_object_mut().unwrap().remove("receiptHandle");
        without_arns["Records"][number].as_object_mut().unwrap().remove("eventSourceARN");
    }
    let denied = vec![SqsFault::Status(403); 2];
    let table = [
        (&batch, denied, 12, 0, "Refused"),
        (&batch, vec![SqsFault::FirstEntry { sender_fault: true }], 1, 11, "Refused"),
        (&without_handles, vec![], 12, 0, "ReceiptHandleMissing"),
        (&without_arns, vec![], 12, 0, "QueueUnknown"),
    ];
    for (batch, faults, unset, set, error) in table {
        let world = unwell_world(&[]);
        world.sqs.fail_visibility(faults.clone());
        let warnings = warnings(&world, batch).await;
        assert_eq!(warnings.len(), 1, "{error}: {warnings:?}");
        assert_eq!(
            (&warnings[0]["level"], &warnings[0]["messages"], &warnings[0]["error"]),
            (&json!("WARN"), &json!(unset), &json!(error))
        );
        assert_eq!(world.sqs.hidden().len(), set, "{error}");
        world.sqs.fail_visibility(faults);
        assert_eq!(listed(&world.invoke(batch).await).len(), 12, "{error}");
    }
    assert_eq!(warnings(&unwell_world(&[]), &batch).await, [json!(null); 0]);
}

#[tokio::test(start_paused = true)]
async fn hanging_sqs_does_not_delay_the_response() {
    for (seconds, at_most) in [(900, 10), (10, 9)] {
        let mut world = World::in_memory(fixture(2, 1), &[ONE_ATTEMPT]);
        world.invocation_time = Duration::from_secs(seconds);
        world.connect.inject(Fault::new(unwell()));
        world.sqs.fail_visibility(vec![SqsFault::Hang; 9]);
        let start = tokio::time::Instant::now();
        assert_eq!(listed(&world.invoke(&sqs(&[pair("q0", "e0")])).await), ["m0"]);
        assert!(start.elapsed() <= Duration::from_secs(at_most), "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn time_is_reserved_for_setting_the_visibility() {
    let mut world = with_quota(fixture(60, 1), &[("DEADLINE_MARGIN_MS", "0")]);
    world.invocation_time = Duration::from_secs(10);
    // The last call ends when the time for calls ends.
    world.connect.inject(on(ASSOCIATE, Effect::Hang));
    assert_eq!(listed(&world.invoke(&sqs(&[pair("q0", "e0")])).await), ["m0"]);
    assert_eq!(world.sqs.hidden().len(), 1);
}
