//! Who sends messages: requests for queues that come to exist while it runs, most of them valid.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use connect_simulator::{Connect, Fixture};
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::queues::Queues;

pub(crate) const INSTANCE: &str = "11111111-2222-3333-4444-555555555555";

/// A queue and an address, by identifier.
pub(crate) type Pair = (String, String);

/// What was asked for so far.
#[derive(Clone, Default)]
pub(crate) struct Asked {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    pairs: BTreeSet<Pair>,
    unreadable: Vec<String>,
    messages: u64,
}

impl Asked {
    pub(crate) fn pairs(&self) -> BTreeSet<Pair> {
        self.lock().pairs.clone()
    }

    pub(crate) fn unreadable(&self) -> Vec<String> {
        self.lock().unreadable.clone()
    }

    pub(crate) fn messages(&self) -> u64 {
        self.lock().messages
    }

    pub(crate) fn has(&self, queue: &str, address: &str) -> bool {
        self.lock().pairs.contains(&(queue.to_owned(), address.to_owned()))
    }

    #[cfg(test)]
    pub(crate) fn note(&self, queue: &str, address: &str) {
        self.lock().pairs.insert((queue.to_owned(), address.to_owned()));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Addresses that exist; a few more are asked for.
const ADDRESSES: u32 = 400;

/// Sends messages until `ends`: about nine a second, in bursts.
pub(crate) async fn send(connect: Connect, queues: Queues, asked: Asked, mut rng: Rng, ends: Instant) {
    let mut fixture = Fixture::new();
    for address in 0..ADDRESSES {
        fixture = fixture.with_address(INSTANCE, format!("e{address}"), format!("e{address}@brand.example"));
    }
    connect.add(fixture);
    let mut last_queue = 0_u32;
    while Instant::now() < ends {
        for _ in 0..rng.u8(1..12) {
            last_queue += u32::from(rng.u8(0..3) == 0);
            connect.add(Fixture::new().with_queue(INSTANCE, format!("q{last_queue}"), "A queue"));
            queues.send(message(&asked, last_queue, &mut rng));
        }
        sleep(Duration::from_millis(rng.u64(200..1_200))).await;
    }
}

fn message(asked: &Asked, last_queue: u32, rng: &mut Rng) -> String {
    let mut asked = asked.lock();
    asked.messages += 1;
    if rng.u8(0..40) == 0 {
        let text = format!("no JSON {}", asked.messages);
        asked.unreadable.push(text.clone());
        return text;
    }
    let entry = |rng: &mut Rng, asked: &mut State| {
        let queue = match rng.u8(0..40) {
            0 => "missing".to_owned(),
            _ => format!("q{}", last_queue.saturating_sub(rng.u32(0..4))),
        };
        let count = if rng.u8(0..10) == 0 { 60 } else { rng.usize(1..8) };
        // One in 130 does not exist.
        let addresses: BTreeSet<String> =
            (0..count).map(|_| format!("e{}", rng.u32(0..ADDRESSES + 3))).collect();
        asked.pairs.extend(addresses.iter().map(|address| (queue.clone(), address.clone())));
        json!({ "queueId": queue, "emailAddressIds": addresses })
    };
    let entries: Vec<Value> = (0..rng.u8(1..4)).map(|_| entry(rng, &mut asked)).collect();
    json!({ "instanceId": INSTANCE, "associations": entries }).to_string()
}

/// The pairs that a message asks for, or its text where it is none: for reading what was sent on.
pub(crate) fn pairs_of(body: &str) -> Result<BTreeSet<Pair>, String> {
    let value: Value = serde_json::from_str(body).map_err(|_| body.to_owned())?;
    if let Some(text) = value["unreadable"].as_str() {
        return Err(text.to_owned());
    }
    let mut pairs = BTreeSet::new();
    for entry in value["associations"].as_array().into_iter().flatten() {
        let queue = entry["queueId"].as_str().unwrap_or_default();
        let one = entry["emailAddressId"].as_str();
        let many = entry["emailAddressIds"].as_array().into_iter().flatten().filter_map(Value::as_str);
        pairs.extend(one.into_iter().chain(many).map(|address| (queue.to_owned(), address.to_owned())));
    }
    Ok(pairs)
}
