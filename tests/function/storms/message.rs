//! The messages of a scene, by names and by identifiers.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::INSTANCE;

use super::scene::{ADDRESSES, QUEUES, address_name, queue_name};

#[derive(Debug, Clone)]
pub enum Message {
    /// Pairs, each with whether its queue and its address are requested by name, and perhaps an invalid entry.
    Pairs { pairs: Vec<(usize, usize, bool, bool)>, has_invalid_entry: bool },
    /// Many addresses of one queue.
    OneQueue { queue: usize, queue_by_name: bool, addresses: Vec<usize>, by_name: bool },
    /// One existing queue, and queues that do not exist, of the instance or of a missing instance.
    ManyMissing { wrong_instance: bool, queues: usize },
    /// A body that is not JSON.
    Garbage,
}

/// Generates a message, with or without names.
pub fn message(with_names: bool) -> impl Strategy<Value = Message> {
    let by_name = move || prop::bool::weighted(if with_names { 0.5 } else { 0.0 });
    let pairs = prop::collection::vec((0..QUEUES, 0..ADDRESSES, by_name(), by_name()), 1..6);
    let many = (0..QUEUES, by_name(), prop::collection::vec(0..ADDRESSES, 10..90), by_name());
    prop_oneof![
        6 => (pairs, prop::bool::weighted(0.1))
            .prop_map(|(pairs, has_invalid_entry)| Message::Pairs { pairs, has_invalid_entry }),
        2 => many.prop_map(|(queue, queue_by_name, addresses, by_name)| {
            Message::OneQueue { queue, queue_by_name, addresses, by_name }
        }),
        1 => (any::<bool>(), 3_usize..14)
            .prop_map(|(wrong_instance, queues)| Message::ManyMissing { wrong_instance, queues }),
        1 => Just(Message::Garbage),
    ]
}

impl Message {
    /// Returns the body: a request, or text.
    pub fn body(&self) -> Value {
        match self {
            Message::Garbage => json!("{\"associations\": "),
            _ => json!({ "instanceId": INSTANCE, "associations": self.entries() }),
        }
    }

    pub fn entries(&self) -> Vec<Value> {
        let queue = |queue: usize, by_name: bool| match by_name {
            true => json!({ "queueName": queue_name(queue) }),
            false => json!({ "queueId": format!("q{queue}") }),
        };
        match self {
            Message::Garbage => Vec::new(),
            Message::Pairs { pairs, has_invalid_entry } => {
                let entry = |(number, address, queue_by_name, by_name): &(usize, usize, bool, bool)| {
                    let mut entry = queue(*number, *queue_by_name);
                    if *by_name {
                        entry["emailAddress"] = json!(address_name(*address).to_uppercase());
                    } else {
                        entry["emailAddressId"] = json!(format!("e{address}"));
                    }
                    entry
                };
                let invalid = has_invalid_entry.then(|| json!({ "queueId": 5 }));
                pairs.iter().map(entry).chain(invalid).collect()
            }
            Message::OneQueue { queue: number, queue_by_name, addresses, by_name } => {
                let mut entry = queue(*number, *queue_by_name);
                if *by_name {
                    let names: Vec<_> = addresses.iter().map(|address| address_name(*address)).collect();
                    entry["emailAddresses"] = json!(names);
                } else {
                    let ids: Vec<_> = addresses.iter().map(|address| format!("e{address}")).collect();
                    entry["emailAddressIds"] = json!(ids);
                }
                vec![entry]
            }
            Message::ManyMissing { wrong_instance, queues } => {
                let instance = if *wrong_instance { "nowhere" } else { INSTANCE };
                let missing = |number| json!({ "instanceId": instance, "queueId": format!("m{number}"), "emailAddressId": "e0" });
                let existing = json!({ "queueId": "q0", "emailAddressId": "e1" });
                (0..*queues).map(missing).chain([existing]).collect()
            }
        }
    }
}
