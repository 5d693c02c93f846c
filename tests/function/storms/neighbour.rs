//! Delivers a batch with and without one bad message, and checks that the other messages end in the same way.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::received;
use crate::sqs::FAILURES;
use crate::world::{INSTANCE, listed, sqs};

use super::message::Message;
use super::scene::Scene;

/// A message that is rejected, slow or large, and that shares no pair with the other messages.
#[derive(Debug, Clone)]
pub enum Neighbour {
    Unreadable,
    InvalidElements(usize),
    MissingQueues(usize),
    ForeignInstance { queues: usize, by_name: bool },
    UnknownNames(usize),
    LongTexts,
}

pub fn neighbour() -> impl Strategy<Value = Neighbour> {
    prop_oneof![
        Just(Neighbour::Unreadable),
        prop_oneof![1_usize..60, Just(10_001)].prop_map(Neighbour::InvalidElements),
        (1_usize..40).prop_map(Neighbour::MissingQueues),
        (1_usize..40, any::<bool>())
            .prop_map(|(queues, by_name)| Neighbour::ForeignInstance { queues, by_name }),
        (1_usize..40).prop_map(Neighbour::UnknownNames),
        Just(Neighbour::LongTexts),
    ]
}

impl Neighbour {
    fn body(&self) -> String {
        let request = |associations: Vec<Value>| {
            json!({ "instanceId": INSTANCE, "associations": associations }).to_string()
        };
        let many = |count: usize, entry: &dyn Fn(usize) -> Value| (0..count).map(entry).collect();
        match self {
            Neighbour::Unreadable => "{\"associations\": [".to_owned(),
            Neighbour::InvalidElements(count) => {
                request(vec![json!({ "queueId": "q0", "emailAddressIds": vec![json!({}); *count] })])
            }
            Neighbour::MissingQueues(count) => request(many(
                *count,
                &|number| json!({ "queueId": format!("x{number}"), "emailAddressId": "x" }),
            )),
            Neighbour::ForeignInstance { queues, by_name } => request(many(*queues, &|number| {
                let queue = if *by_name { "queueName" } else { "queueId" };
                json!({ "instanceId": "foreign", queue: format!("x{number}"), "emailAddressId": "x" })
            })),
            Neighbour::UnknownNames(count) => request(many(
                *count,
                &|number| json!({ "queueName": format!("X {number}"), "emailAddress": format!("x{number}@brand.example") }),
            )),
            Neighbour::LongTexts => request(vec![
                json!({ "queueId": "q".repeat(500_000), "emailAddressId": "@".repeat(200_000) }),
            ]),
        }
    }
}

/// The outcome of the other messages. Which addresses take the last room on a queue depends on time.
#[derive(Debug, PartialEq)]
struct Outcome {
    listed: BTreeSet<String>,
    /// The failures other than `QueueFull`.
    failures: BTreeSet<String>,
    /// The addresses on each queue, unless it is full.
    associated: Vec<Option<BTreeSet<String>>>,
}

/// Invokes the function with the messages of a scene, with and without the neighbour at the given position.
pub async fn compare(scene: &Scene, neighbour: &Neighbour, position: usize) {
    let bodies: Vec<(String, Value)> = (scene.messages.iter().map(Message::body).enumerate())
        .map(|(number, body)| (format!("m{number}"), body))
        .collect();
    let mut with_neighbour = bodies.clone();
    with_neighbour.insert(position.min(bodies.len()), ("neighbour".to_owned(), json!(neighbour.body())));
    let (alone, together) = (outcome(scene, &bodies).await, outcome(scene, &with_neighbour).await);
    assert_eq!(alone, together);
}

async fn outcome(scene: &Scene, messages: &[(String, Value)]) -> Outcome {
    let world = scene.calm_world();
    let mut batch = received(sqs(&messages.iter().map(|(_, body)| body.clone()).collect::<Vec<_>>()), 2);
    for (record, (id, _)) in batch["Records"].as_array_mut().unwrap().iter_mut().zip(messages) {
        record["messageId"] = json!(id);
    }
    let ending = world.invoke(&batch).await;
    let failures = world
        .sqs
        .sent_to(FAILURES)
        .into_iter()
        .flat_map(|body| body["failures"].as_array().cloned().unwrap_or_default());
    Outcome {
        listed: listed(&ending).into_iter().filter(|id| id != "neighbour").collect(),
        failures: failures
            .filter(|failure| failure["messageId"] != "neighbour" && failure["error"] != "QueueFull")
            .map(|failure| failure.to_string())
            .collect(),
        associated: (scene.content.limits.iter().enumerate())
            .map(|(queue, limit)| {
                let on_queue = world.associated(&format!("q{queue}"));
                (on_queue.len() < *limit).then(|| on_queue.into_iter().collect())
            })
            .collect(),
    }
}
