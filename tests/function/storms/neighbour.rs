//! Delivers a batch with and without one bad message, and checks that the other messages end in the same way.

use std::collections::BTreeSet;
use std::time::Duration;

use connect_simulator::Options;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::FAILURES_QUEUE;
use crate::sqs::FAILURES;
use crate::world::{INSTANCE, World, listed};

use super::scene::{Message, Scene};

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

/// The outcome of the other messages.
#[derive(Debug, PartialEq)]
struct Outcome {
    listed: BTreeSet<String>,
    failures: BTreeSet<String>,
    /// The addresses on each queue. Their order depends on time.
    associated: Vec<BTreeSet<String>>,
}

/// Invokes the function with the messages of a scene, with and without the neighbour at the given position.
pub async fn compare(scene: &Scene, neighbour: &Neighbour, position: usize) {
    let bodies: Vec<(String, String)> = (scene.messages.iter().enumerate())
        .map(|(number, message): (usize, &Message)| (format!("m{number}"), message.body().to_string()))
        .collect();
    let mut with_neighbour = bodies.clone();
    with_neighbour.insert(position.min(bodies.len()), ("neighbour".to_owned(), neighbour.body()));
    let (alone, together) = (outcome(scene, &bodies).await, outcome(scene, &with_neighbour).await);
    assert_eq!(alone, together);
}

async fn outcome(scene: &Scene, messages: &[(String, String)]) -> Outcome {
    let options = Options { fixture: scene.fixture(), switches: scene.switches, ..Options::default() };
    let mut world = World::in_memory(options, &[FAILURES_QUEUE, ("CONNECT_REQUESTS_PER_SECOND", "1000")]);
    world.invocation_time = Duration::from_secs(900);
    let record = |(id, body): &(String, String)| {
        json!({
            "messageId": id,
            "receiptHandle": id,
            "body": body,
            "attributes": { "ApproximateReceiveCount": "2" },
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:111122223333:associations",
        })
    };
    let records: Vec<Value> = messages.iter().map(record).collect();
    let ending = world.invoke(&json!({ "Records": records })).await;
    let failures = world
        .sqs
        .sent_to(FAILURES)
        .into_iter()
        .flat_map(|body| body["failures"].as_array().cloned().unwrap_or_default());
    Outcome {
        listed: listed(&ending).into_iter().filter(|id| id != "neighbour").collect(),
        failures: failures
            .filter(|failure| failure["messageId"] != "neighbour")
            .map(|failure| failure.to_string())
            .collect(),
        associated: (0..scene.limits.len())
            .map(|queue| world.associated(&format!("q{queue}")).into_iter().collect())
            .collect(),
    }
}
