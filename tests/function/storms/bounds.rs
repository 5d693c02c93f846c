//! Counts the calls of a batch without faults. The pairs, full queues and bad addresses must explain all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::world::sqs;

use super::history::{Named, NamedPair};
use super::message::Message;
use super::scene::Scene;

/// Delivers the messages of a scene, which contain no names, in one batch.
pub async fn count_calls(scene: &Scene) {
    let mut world = scene.calm_world();
    world.invocation_time = Duration::from_secs(100_000);
    let bodies: Vec<Value> = scene.messages.iter().map(Message::body).collect();
    world.invoke(&sqs(&bodies)).await.unwrap();
    let mut calls: BTreeMap<(String, Option<String>), usize> = BTreeMap::new();
    for call in world.connect.calls() {
        *calls.entry((call.instance, call.queue)).or_default() += 1;
    }
    let mut requested: BTreeMap<(String, Named), BTreeSet<Named>> = BTreeMap::new();
    for pair in bodies.iter().flat_map(NamedPair::of_body) {
        requested.entry((pair.instance, pair.queue)).or_default().insert(pair.address);
    }
    let mut content = world.connect.content();
    for ((instance, queue), addresses) in requested {
        let made = calls.remove(&(instance.clone(), Some(queue.text().to_owned()))).unwrap_or_default();
        let exists = content.instances.get(&instance).is_some_and(|i| i.queues.contains_key(queue.text()));
        let known = &content.instance(&instance).email_addresses;
        let bad = addresses.iter().filter(|address| !known.contains_key(address.text())).count();
        let narrowing = if bad == 0 { 0 } else { 14 + 9 * (bad - 1) };
        // Each chunk costs its call and a list. A full queue costs a list, a call that should fit, three retries, and
        // the calls of halving, at most one for each part that was divided.
        let of_existing = addresses.len().div_ceil(50) * 2 + narrowing + 1 + 1 + 3 + 12;
        let bound = if exists { of_existing } else { 2 };
        assert!(made <= bound, "{made} calls for {queue:?}, {bound} allowed");
    }
    // An instance is checked once if none of its queues was found.
    assert!(
        calls.iter().all(|((_, queue), count)| queue.is_none() && *count == 1),
        "calls that no message requests: {calls:?}"
    );
}
