//! With random requests, faults and changes by other clients, no pair is lost, invented or late, every message ends,
//! and every reported reason is true.

mod delivery;
mod history;
mod neighbour;
mod scene;
mod weather;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use connect_simulator::Operation;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::world::{INSTANCE, World, listed, sqs};

use self::delivery::{deliver, report};
use self::neighbour::{compare, neighbour};
use self::scene::scene;
use self::weather::{EXISTING_ADDRESSES, EXISTING_QUEUES, Message, Pair, Storm, fault, storm};

/// Returns the pairs of messages that were sent on.
fn sent_on(world: &World) -> BTreeSet<Pair> {
    let mut pairs = BTreeSet::new();
    for sent in world.sqs.sent() {
        for entry in sent.body["associations"].as_array().into_iter().flatten() {
            let queue = entry["queueId"].as_str().and_then(|id| id[1..].parse().ok());
            for address in entry["emailAddressIds"].as_array().into_iter().flatten() {
                pairs.extend(queue.map(|queue| (queue, address.as_str().unwrap()[1..].parse().unwrap())));
            }
        }
    }
    pairs
}

fn check_calls(world: &World, storm: &Storm) {
    let asked = storm.asked();
    for call in world.calls(Operation::AssociateQueueEmailAddresses) {
        let distinct: BTreeSet<&String> = call.addresses.iter().collect();
        assert!(call.addresses.len() <= 50 && distinct.len() == call.addresses.len(), "{call:?}");
        let queue: usize = call.queue.as_deref().unwrap()[1..].parse().unwrap();
        for address in &call.addresses {
            assert!(
                asked.contains(&(queue, address[1..].parse().unwrap())),
                "nobody asked for {address} on q{queue}"
            );
        }
    }
}

fn on_a_paused_clock<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future)
}

async fn weather_as_messages(storm: &Storm) {
    let world = storm.world();
    let before = storm.on_queues(&world);
    let bodies: Vec<Value> = storm.messages.iter().map(Message::body).collect();
    let begun = Instant::now();
    let ending = world.invoke(&sqs(&bodies)).await;
    assert!(begun.elapsed() < world.invocation_time, "{:?} of {:?}", begun.elapsed(), world.invocation_time);
    let listed = listed(&ending);
    let after = storm.on_queues(&world);
    let sent = sent_on(&world);
    for (number, message) in storm.messages.iter().enumerate() {
        if listed.contains(&format!("m{number}")) {
            continue;
        }
        for pair in message.pairs() {
            assert!(after.contains(pair) || sent.contains(pair), "m{number} is done, but {pair:?} is lost");
        }
    }
    let asked = storm.asked();
    assert!(after.difference(&before).all(|pair| asked.contains(pair)), "something was associated unasked");
    assert!(before.is_subset(&after), "something was taken off a queue");
    check_calls(&world, storm);
}

async fn weather_as_a_request(storm: &Storm) {
    let world = storm.world();
    let entries: Vec<Value> = storm
        .messages
        .iter()
        .filter_map(|message| message.body()["associations"].as_array().cloned())
        .flatten()
        .collect();
    if entries.is_empty() || storm.asked().is_empty() {
        return;
    }
    let begun = Instant::now();
    let payload = json!({ "instanceId": INSTANCE, "failOnRetryable": false, "associations": entries });
    let report = world.invoke(&payload).await.unwrap();
    assert!(begun.elapsed() < world.invocation_time);
    let count = |name: &str| usize::try_from(report[name].as_u64().unwrap()).unwrap();
    assert_eq!(count("requested"), entries.len());
    assert_eq!(
        count("associated") + count("alreadyAssociated") + count("planned") + count("failed"),
        count("distinct")
    );
    let invalid =
        storm.messages.iter().filter(|message| matches!(message, Message::WithAnInvalidEntry(_))).count();
    assert_eq!(count("distinct"), storm.asked().len() + invalid);
    let rows = |name: &str| {
        report["queues"].as_array().unwrap().iter().map(|row| row[name].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!(rows("associated"), count("associated") as u64);
    assert_eq!(rows("failed") + invalid as u64, count("failed") as u64);
    assert_eq!(report["apiCalls"], world.call_count());
    // Every pair that did not fail is on its queue, and every retryable pair remains.
    let after = storm.on_queues(&world);
    let number = |failure: &Value, name: &str| failure[name].as_str().unwrap()[1..].parse::<usize>().unwrap();
    let failed: BTreeMap<Pair, bool> = report["failures"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|failure| failure.get("emailAddressId").is_some())
        .map(|failure| {
            let pair = (number(failure, "queueId"), number(failure, "emailAddressId"));
            (pair, failure["retryable"].as_bool().unwrap())
        })
        .collect();
    for pair in storm.asked() {
        assert!(after.contains(&pair) || failed.contains_key(&pair), "{pair:?} is lost");
    }
    let left: BTreeSet<Pair> = report["remaining"]["associations"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|entry| {
            let queue = number(entry, "queueId");
            entry["emailAddressIds"]
                .as_array()
                .unwrap()
                .iter()
                .map(move |address| (queue, address.as_str().unwrap()[1..].parse().unwrap()))
        })
        .collect();
    let retryable: BTreeSet<Pair> =
        failed.into_iter().filter(|(_, retryable)| *retryable).map(|(pair, _)| pair).collect();
    assert_eq!(left, retryable);
    check_calls(&world, storm);
}

/// Asserts that the number of calls stays within the documented bounds in a world without faults.
async fn calm(storm: &Storm) {
    let mut world = storm.world();
    world.invocation_time = Duration::from_secs(100_000);
    world.sqs.fail([]);
    let bodies: Vec<Value> = storm.messages.iter().map(Message::body).collect();
    world.invoke(&sqs(&bodies)).await.unwrap();
    let mut calls: BTreeMap<String, usize> = BTreeMap::new();
    for call in world.connect.calls().into_iter().filter(|call| !call.throttled()) {
        *calls.entry(call.queue.unwrap()).or_default() += 1;
    }
    let mut wanted: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (queue, address) in storm.asked() {
        wanted.entry(queue).or_default().insert(address);
    }
    for (queue, addresses) in wanted {
        let made = calls.remove(&format!("q{queue}")).unwrap_or_default();
        let chunks = addresses.len().div_ceil(50);
        let bad = addresses.iter().filter(|address| **address >= EXISTING_ADDRESSES).count();
        let narrowing = if bad == 0 { 0 } else { 14 + 9 * (bad - 1) };
        // Each chunk costs its call and a list. A full queue costs a list, a call that should fit, three retries, and
        // the calls of halving, at most one for each part that was divided.
        let bound = if queue >= EXISTING_QUEUES { 2 } else { chunks * 2 + narrowing + 1 + 1 + 3 + 12 };
        assert!(made <= bound, "{made} calls for q{queue}, {bound} allowed");
    }
    assert!(calls.is_empty(), "queues that nobody asked for were called");
}

/// Returns the number of worlds per storm: `STORM_CASES`, or a default that is small enough for every test run.
fn cases(within_the_gate: u32) -> u32 {
    std::env::var("STORM_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(within_the_gate)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(120), ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_invented_or_late(storm in storm(prop::collection::vec(fault(), 0..5))) {
        on_a_paused_clock(weather_as_messages(&storm));
    }

    #[test]
    fn a_report_adds_up(storm in storm(prop::collection::vec(fault(), 0..5))) {
        on_a_paused_clock(weather_as_a_request(&storm));
    }

    #[test]
    fn calls_keep_to_their_bounds(storm in storm(Just(Vec::new()))) {
        on_a_paused_clock(calm(&storm));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(30), ..ProptestConfig::default() })]

    #[test]
    fn every_message_ends_and_every_reason_is_true(scene in scene()) {
        on_a_paused_clock(deliver(&scene));
    }

    #[test]
    fn report_of_doubly_named_pairs_adds_up(scene in scene()) {
        on_a_paused_clock(report(&scene));
    }

    #[test]
    fn message_never_affects_another_message(scene in scene(), neighbour in neighbour(), place in 0_usize..14) {
        on_a_paused_clock(compare(&scene, &neighbour, place));
    }
}
