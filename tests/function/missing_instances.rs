//! An instance that does not exist costs a few calls, however many queues are requested.

use std::time::Duration;

use connect_simulator::{Effect, Fixture, Operation, Options};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::{
    ASSOCIATE, FAILURES_QUEUE, LIST, counts, error, failures, on, on_a_paused_clock, on_queue, unwell,
};
use crate::sqs::FAILURES;
use crate::world::{INSTANCE, World, fixture, ids, listed, sqs};

/// Returns one entry for each of the given queues of an instance.
fn one_address_of(instance: &str, queues: impl IntoIterator<Item = String>) -> Vec<Value> {
    let entry = |queue: String| json!({ "instanceId": instance, "queueId": queue, "emailAddressId": "e0" });
    queues.into_iter().map(entry).collect()
}

/// The operations that were called, in order, as the first letter of each: `A`ssociate, `L`ist, Search`Q`ueues, or
/// Search`E`mailAddresses.
fn order(world: &World) -> String {
    let letter = |operation: Operation| match operation {
        ASSOCIATE => 'A',
        LIST => 'L',
        Operation::SearchQueues => 'Q',
        Operation::SearchEmailAddresses => 'E',
        Operation::DisassociateQueueEmailAddresses => panic!("the function removes no address"),
    };
    world.connect.calls().into_iter().map(|call| letter(call.operation)).collect()
}

fn queues(prefix: &str, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |queue| format!("{prefix}{queue}"))
}

fn assert_all_missing(report: &Value, count: usize) {
    let failures = failures(report);
    assert_eq!(failures.len(), count);
    let is_missing =
        |failure: &Value| failure["error"] == "ResourceNotFoundException" && failure["retryable"] == false;
    assert!(failures.iter().all(is_missing), "{report}");
    let message = failures[count - 1]["message"].as_str().unwrap();
    assert!(message.contains("SearchQueues"), "{message}");
}

#[tokio::test]
async fn missing_instance_with_one_call_at_a_time_costs_five_calls() {
    for (count, addresses) in [(3, 1), (40, 1), (100, 1), (6, 70)] {
        let world = World::with(fixture(1, 1), &[("MAX_CONCURRENT_CALLS", "1")]);
        let entry = |queue: String| json!({ "queueId": queue, "emailAddressIds": ids(0..addresses) });
        let entries: Vec<Value> = queues("q", count).map(entry).collect();
        let report =
            world.invoke(&json!({ "instanceId": "nowhere", "associations": entries })).await.unwrap();
        assert_eq!(order(&world), "ALALQ");
        assert_all_missing(&report, count * addresses);
    }
}

#[tokio::test]
async fn missing_instance_is_checked_with_two_lists() {
    for (concurrent, most) in [("1", 2), ("8", 9)] {
        let world = World::with(fixture(1, 1), &[("MAX_CONCURRENT_CALLS", concurrent)]);
        let entries = one_address_of("nowhere", queues("q", 200));
        let payload = json!({ "dryRun": true, "checkQueues": true, "associations": entries });
        let report = world.invoke(&payload).await.unwrap();
        assert_all_missing(&report, 200);
        let lists = world.calls(LIST).len();
        assert!((2..=most).contains(&lists), "{lists}");
        assert_eq!(world.calls(Operation::SearchQueues).len(), 1);
        assert_eq!(world.calls(Operation::SearchEmailAddresses).len(), 1);
        assert_eq!(world.call_count(), lists + 2);
    }
}

#[tokio::test]
async fn missing_instance_is_not_retried() {
    let variables =
        [("MAX_CONCURRENT_CALLS", "1"), ("BACKOFF_INITIAL_MS", "2000"), ("BACKOFF_MAX_MS", "2000")];
    let world = World::with(fixture(1, 1), &variables);
    let throttled = error(429, "ThrottlingException", "too many");
    world.connect.inject(on_queue("q0", throttled));
    let entries = one_address_of("nowhere", queues("q", 9));
    let report = world.invoke(&json!({ "associations": entries })).await.unwrap();
    assert_eq!(order(&world), "AALALQ");
    assert_all_missing(&report, 9);
}

#[tokio::test(start_paused = true)]
async fn unreadable_lists_do_not_delay_other_queues() {
    let world = World::in_memory(fixture(20, 1), &[]);
    world.connect.inject(on(LIST, unwell()));
    let entries = one_address_of(INSTANCE, queues("missing", 4).chain(queues("q", 20)));
    let payload = json!({ "failOnRetryable": false, "associations": entries });
    let report = world.invoke(&payload).await.unwrap();
    assert_eq!(counts(&report, ["associated", "failed"]), [20, 4]);
    let calls = world.connect.calls();
    let last = calls.iter().filter(|call| call.queue.as_ref().is_some_and(|queue| queue.starts_with('q')));
    // The lists are retried for more than half a minute.
    assert!(last.map(|call| call.at - calls[0].at).max().unwrap() < Duration::from_secs(13));
}

#[tokio::test]
async fn rejected_addresses_do_not_cause_a_check() {
    let world = World::new(fixture(12, 1));
    let unknown = |queue: String| json!({ "queueId": queue, "emailAddressId": "unknown" });
    let mut entries: Vec<Value> = queues("q", 6).map(unknown).collect();
    entries.extend(one_address_of(INSTANCE, (6..12).map(|queue| format!("q{queue}"))));
    let report = world.invoke(&json!({ "instanceId": INSTANCE, "associations": entries })).await.unwrap();
    assert_eq!(counts(&report, ["associated", "failed"]), [6, 6]);
    assert_eq!(world.calls(Operation::SearchQueues).len(), 0);
    assert_eq!(world.call_count(), 12 + 6);
}

#[tokio::test]
async fn missing_instance_is_permanent_on_the_second_delivery() {
    let world = World::with(fixture(1, 1), &[FAILURES_QUEUE]);
    let entries = one_address_of("nowhere", (0..11).map(|queue| format!("q{queue}")));
    let mut batch = sqs(&[json!({ "associations": entries })]);
    assert_eq!(listed(&world.invoke(&batch).await), ["m0"]);
    batch["Records"][0]["attributes"]["ApproximateReceiveCount"] = json!("2");
    assert!(listed(&world.invoke(&batch).await).is_empty());
    assert_eq!(world.sqs.sent_to(FAILURES)[0]["failures"].as_array().unwrap().len(), 11);
}

#[tokio::test]
async fn queues_after_many_missing_ones_are_called() {
    let search_fails = |status, code: &str| on(Operation::SearchQueues, error(status, code, "no"));
    for (fault, searches) in [
        (None, 1),
        (Some(search_fails(403, "AccessDeniedException")), 1),
        (Some(search_fails(400, "InvalidRequestException")), 1),
        (Some(search_fails(500, "InternalServiceException")), 10),
    ] {
        let world = World::new(fixture(2, 1));
        fault.into_iter().for_each(|fault| world.connect.inject(fault));
        let missing = (0..12).map(|queue| format!("missing{queue}"));
        let entries = one_address_of(INSTANCE, missing.chain(["q0".to_owned(), "q1".to_owned()]));
        let report = world.invoke(&json!({ "associations": entries })).await.unwrap();
        assert_eq!(counts(&report, ["associated", "failed"]), [2, 12]);
        assert_eq!(world.call_count(), 12 * 2 + searches + 2);
    }
}

#[tokio::test]
async fn one_found_queue_proves_its_instance() {
    let world = World::with(fixture(1, 1), &[("MAX_CONCURRENT_CALLS", "1")]);
    let entries: Vec<_> = std::iter::once("q0".to_owned())
        .chain((0..30).map(|queue| format!("missing{queue}")))
        .map(|queue| json!({ "queueId": queue, "emailAddressId": "e0" }))
        .collect();
    let report = world.invoke(&json!({ "instanceId": INSTANCE, "associations": entries })).await.unwrap();
    assert_eq!(world.call_count(), 61);
    assert!(failures(&report).iter().all(|failure| failure["retryable"] == false));
}

/// Instances, each with whether it exists and whether each of its queues exists, and the calls in flight.
fn worlds() -> impl Strategy<Value = (Vec<(bool, Vec<bool>)>, usize)> {
    let instance = (any::<bool>(), prop::collection::vec(any::<bool>(), 1..12));
    (prop::collection::vec(instance, 1..4), 1..9usize)
}

async fn call_every_queue_that_may_exist(instances: &[(bool, Vec<bool>)], concurrent: usize) {
    let mut fixture = Fixture::new();
    let mut entries = Vec::new();
    for (number, (exists, queues)) in instances.iter().enumerate() {
        let instance = format!("instance{number}");
        for (queue, queue_exists) in queues.iter().enumerate() {
            entries.extend(one_address_of(&instance, [format!("q{queue}")]));
            if *exists && *queue_exists {
                fixture = fixture.with_queue(&instance, &format!("q{queue}"), format!("Queue {queue}"));
            }
        }
        if *exists {
            fixture = fixture.with_address(&instance, "e0", "e0@brand.example");
        }
    }
    let latency = Duration::from_millis(50);
    let options = Options { fixture, latency, ..Options::default() };
    let world = World::in_memory(options, &[("MAX_CONCURRENT_CALLS", &concurrent.to_string())]);
    let report = world.invoke(&json!({ "associations": entries })).await.unwrap();
    let is_missing = |failure: &Value| failure["error"] == "ResourceNotFoundException";
    assert!(failures(&report).iter().all(is_missing), "{report:#}");
    let existing = instances.iter().filter(|(exists, _)| *exists);
    let associated: usize = existing.map(|(_, queues)| queues.iter().filter(|exists| **exists).count()).sum();
    assert_eq!(report["associated"], associated);
    for (number, (exists, _)) in instances.iter().enumerate() {
        let calls =
            world.connect.calls().into_iter().filter(|call| call.instance == format!("instance{number}"));
        let count = calls.count();
        // The first queue and those in flight when a second one was not found, two lists, and SearchQueues.
        assert!(*exists || count <= 1 + concurrent + 2 + 1, "{count} calls with {concurrent} in flight");
    }
}

proptest! {
    #[test]
    fn every_queue_that_may_exist_is_called((instances, concurrent) in worlds()) {
        on_a_paused_clock(call_every_queue_that_may_exist(&instances, concurrent));
    }
}

/// The directories of two small requests are read. One call hangs, and the other one waits for its permit. No group waits
/// for a name any more.
#[tokio::test(start_paused = true)]
async fn hanging_directory_does_not_delay_the_check_of_another_instance() {
    let variables = [("MAX_CONCURRENT_CALLS", "2"), ("CALL_TIMEOUT_MS", "20000")];
    let fixture = fixture(1, 1).with_queue("other", "q0", "Queue 0");
    let latency = Duration::from_millis(400);
    let mut world = World::in_memory(Options { fixture, latency, ..Options::default() }, &variables);
    world.invocation_time = Duration::from_secs(10);
    world.connect.inject(on(Operation::SearchQueues, Effect::Hang).times(1));
    let by_name =
        |instance| json!({ "instanceId": instance, "queueName": "Queue 0", "emailAddressId": "e0" });
    let missing = json!({ "associations": one_address_of("nowhere", queues("q", 5)) });
    let items = [by_name(INSTANCE), by_name("other"), missing];
    let payload = json!({ "Items": items, "BatchInput": { "failOnRetryable": false } });
    let report = world.invoke(&payload).await.unwrap();
    let errors: Vec<_> =
        failures(&report).iter().map(|failure| (&failure["error"], &failure["retryable"])).collect();
    assert_eq!(errors[2..], [(&json!("ResourceNotFoundException"), &json!(false)); 5], "{report}");
}
