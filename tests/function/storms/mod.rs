//! With random requests, faults and changes by other clients, no pair is lost, invented or late, every message ends,
//! and every reported reason is true.

mod delivery;
mod history;
mod neighbour;
mod scene;
mod weather;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;
use tokio::time::Instant;

use crate::common::{ASSOCIATE, on_a_paused_clock};
use crate::world::{World, listed, sqs};

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

/// Asserts that each call contains at most 50 distinct addresses, all of them requested.
fn check_calls(world: &World, storm: &Storm) {
    let requested = storm.requested();
    for call in world.calls(ASSOCIATE) {
        let distinct: BTreeSet<&String> = call.addresses.iter().collect();
        assert!(call.addresses.len() <= 50 && distinct.len() == call.addresses.len(), "{call:?}");
        let queue: usize = call.queue.as_deref().unwrap()[1..].parse().unwrap();
        for address in &call.addresses {
            assert!(
                requested.contains(&(queue, address[1..].parse().unwrap())),
                "no message requests {address} on q{queue}"
            );
        }
    }
}

/// Delivers the messages of a storm once, in one batch.
async fn deliver_storm(storm: &Storm) {
    let world = storm.world();
    let before = storm.on_queues(&world);
    let bodies: Vec<Value> = storm.messages.iter().map(Message::body).collect();
    let started = Instant::now();
    let ending = world.invoke(&sqs(&bodies)).await;
    assert!(
        started.elapsed() < world.invocation_time,
        "{:?} of {:?}",
        started.elapsed(),
        world.invocation_time
    );
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
    let requested = storm.requested();
    assert!(
        after.difference(&before).all(|pair| requested.contains(pair)),
        "a pair was associated that no message requests"
    );
    assert!(before.is_subset(&after), "an address was removed from a queue");
    check_calls(&world, storm);
}

/// Asserts that the number of calls stays within the documented bounds in a world without faults.
async fn count_calls(storm: &Storm) {
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
    for (queue, address) in storm.requested() {
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
    assert!(calls.is_empty(), "queues that no message requests were called");
}

/// Returns the number of cases of a property: `STORM_CASES`, or a default that is small enough for every test run.
fn cases(default: u32) -> u32 {
    std::env::var("STORM_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(default)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(120), ..ProptestConfig::default() })]

    #[test]
    fn no_pair_is_lost_invented_or_late(storm in storm(prop::collection::vec(fault(), 0..5))) {
        on_a_paused_clock(deliver_storm(&storm));
    }

    #[test]
    fn calls_keep_to_their_bounds(storm in storm(Just(Vec::new()))) {
        on_a_paused_clock(count_calls(&storm));
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
    fn message_never_affects_another_message(scene in scene(), neighbour in neighbour(), position in 0_usize..14) {
        on_a_paused_clock(compare(&scene, &neighbour, position));
    }
}
