//! Senders of messages. They ask for queues that come to exist during the run, and most of their requests are valid.

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

/// The pairs that were asked for so far.
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

/// A queue that is asked for and never exists.
const MISSING: &str = "missing";
/// The number of addresses that exist. The senders also ask for a few others.
const ADDRESSES: u32 = 400;

/// Sends messages until `ends`: about nine a second, in bursts.
pub(crate) async fn send(connect: Connect, queues: Queues, asked: Asked, mut rng: Rng, ends: Instant) {
    let mut fixture = Fixture::new();
    for address in 0..ADDRESSES {
        fixture = fixture.with_address(INSTANCE, format!("e{address}"), address_name(&format!("e{address}")));
    }
    connect.add(fixture);
    let mut last_queue = 0_u32;
    while Instant::now() < ends {
        for _ in 0..rng.u8(1..12) {
            last_queue += u32::from(rng.u8(0..3) == 0);
            let id = format!("q{last_queue}");
            let name = queue_name(&id);
            connect.add(Fixture::new().with_queue(INSTANCE, id, name));
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
            0 => MISSING.to_owned(),
            _ => format!("q{}", last_queue.saturating_sub(rng.u32(0..4))),
        };
        let count = if rng.u8(0..10) == 0 { 60 } else { rng.usize(1..8) };
        // One address in 130 does not exist.
        let addresses: BTreeSet<String> =
            (0..count).map(|_| format!("e{}", rng.u32(0..ADDRESSES + 3))).collect();
        asked.pairs.extend(addresses.iter().map(|address| (queue.clone(), address.clone())));
        let mut entry = match rng.u8(0..4) {
            0 => json!({ "queueName": queue_name(&queue) }),
            _ => json!({ "queueId": queue }),
        };
        match rng.u8(0..4) {
            0 => entry["emailAddresses"] = addresses.iter().map(|id| address_name(id)).collect(),
            _ => entry["emailAddressIds"] = json!(addresses),
        }
        entry
    };
    let entries: Vec<Value> = (0..rng.u8(1..4)).map(|_| entry(rng, &mut asked)).collect();
    json!({ "instanceId": INSTANCE, "associations": entries }).to_string()
}

/// The name of a queue, and its identifier in it.
const QUEUE_NAME: &str = "Queue ";
/// The part of an address after its identifier.
const DOMAIN: &str = "@brand.example";

fn queue_name(id: &str) -> String {
    format!("{QUEUE_NAME}{id}")
}

fn address_name(id: &str) -> String {
    format!("{id}{DOMAIN}")
}

/// The identifiers of a queue and of one address, however they are named in an entry or a failure.
fn pair_of(value: &Value, address: &str) -> Pair {
    let queue = value["queueId"].as_str().unwrap_or_else(|| {
        value["queueName"].as_str().map_or("", |name| name.trim_start_matches(QUEUE_NAME))
    });
    (queue.to_owned(), address.trim_end_matches(DOMAIN).to_owned())
}

/// Failures that call a queue or an address missing, although both exist. Nothing is ever removed, so such a failure
/// was untrue from the beginning.
pub(crate) fn untrue_failures(body: &str) -> Vec<Pair> {
    let value: Value = serde_json::from_str(body).unwrap_or_default();
    let missing = ["ResourceNotFoundException", "InvalidParameterException", "NameNotFound", "NameAmbiguous"];
    let failures = value["failures"].as_array().into_iter().flatten();
    let missing = failures.filter(|failure| missing.iter().any(|error| failure["error"] == *error));
    missing
        .filter_map(|failure| {
            let address = failure["emailAddressId"].as_str().or_else(|| failure["emailAddress"].as_str())?;
            Some(pair_of(failure, address))
        })
        .filter(|(queue, address)| {
            let number = address.trim_start_matches('e').parse::<u32>();
            queue != MISSING && number.is_ok_and(|number| number < ADDRESSES)
        })
        .collect()
}

/// The pairs in a message, or its text if it is no request. It reads the messages that the function sent on.
pub(crate) fn pairs_of(body: &str) -> Result<BTreeSet<Pair>, String> {
    let value: Value = serde_json::from_str(body).map_err(|_| body.to_owned())?;
    if let Some(text) = value["unreadable"].as_str() {
        return Err(text.to_owned());
    }
    let mut pairs = BTreeSet::new();
    for entry in value["associations"].as_array().into_iter().flatten() {
        let one = ["emailAddressId", "emailAddress"].into_iter().filter_map(|field| entry[field].as_str());
        let lists =
            ["emailAddressIds", "emailAddresses"].into_iter().filter_map(|field| entry[field].as_array());
        let addresses = one.chain(lists.flatten().filter_map(Value::as_str));
        pairs.extend(addresses.map(|address| pair_of(entry, address)));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_identifiers_are_read_as_the_same_pairs() {
        let by_id = r#"{"associations": [{"queueId": "q7", "emailAddressIds": ["e1", "e2"]}]}"#;
        let by_name = r#"{"associations": [{"queueName": "Queue q7", "emailAddresses": ["e1@brand.example", "e2@brand.example"]}]}"#;
        assert_eq!(pairs_of(by_id), pairs_of(by_name));
        assert_eq!(pairs_of(by_id).unwrap().len(), 2);
    }

    #[test]
    fn failure_of_an_existing_pair_is_untrue() {
        for (queue, address, error, is_untrue) in [
            ("q7", "e1", "ResourceNotFoundException", true),
            ("q7", "e1", "NameNotFound", true),
            ("q7", "e1", "QueueFull", false),
            ("q7", "e401", "InvalidParameterException", false),
            (MISSING, "e1", "ResourceNotFoundException", false),
        ] {
            let failure = json!({ "queueId": queue, "emailAddressId": address, "error": error });
            let body = json!({ "associations": [], "failures": [failure] }).to_string();
            assert_eq!(!untrue_failures(&body).is_empty(), is_untrue, "{queue} {address} {error}");
        }
    }
}
