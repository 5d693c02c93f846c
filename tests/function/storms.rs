//! Fault storms: whatever is asked for and whatever the API does, nothing is lost, invented or late.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use connect_simulator::{
    AssociatedAgain, Effect, Fault, Fixture, FullWithoutDefault, Operation, Options, Quota, Switches,
    ThrottleError, UnknownAddress,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::sqs::{CONTINUATION, FAILURES, SqsFault};
use crate::world::{INSTANCE, World, listed, sqs};

/// Queues `q0` to `q5` are asked for, of which those from `EXISTING_QUEUES` on do not exist.
const QUEUES: usize = 6;
const EXISTING_QUEUES: usize = 5;
/// Addresses `e0` to `e89` are asked for, of which those from `EXISTING_ADDRESSES` on do not exist.
const ADDRESSES: usize = 90;
const EXISTING_ADDRESSES: usize = 85;

type Pair = (usize, usize);

#[derive(Debug, Clone)]
struct Storm {
    messages: Vec<Message>,
    /// What is on the queues before.
    present: Vec<Pair>,
    defaults: Vec<Option<usize>>,
    limits: Vec<usize>,
    switches: Switches,
    quota: Quota,
    faults: Vec<Fault>,
    sqs_faults: Vec<SqsFault>,
    seconds: u64,
    failures_queue: bool,
    continuation_queue: bool,
}

#[derive(Debug, Clone)]
enum Message {
    Pairs(Vec<Pair>),
    WithAnInvalidEntry(Vec<Pair>),
    Garbage,
}

impl Message {
    fn pairs(&self) -> &[Pair] {
        match self {
            Message::Pairs(pairs) | Message::WithAnInvalidEntry(pairs) => pairs,
            Message::Garbage => &[],
        }
    }

    fn body(&self) -> Value {
        let mut entries: Vec<Value> = self
            .pairs()
            .iter()
            .map(|(queue, address)| json!({ "queueId": format!("q{queue}"), "emailAddressId": format!("e{address}") }))
            .collect();
        match self {
            Message::Garbage => return json!("{\"associations\": "),
            Message::WithAnInvalidEntry(_) => entries.push(json!({ "queueId": 5 })),
            Message::Pairs(_) => {}
        }
        json!({ "instanceId": INSTANCE, "associations": entries })
    }
}

fn pair() -> impl Strategy<Value = Pair> {
    (0..QUEUES, 0..ADDRESSES)
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        8 => prop::collection::vec(pair(), 1..6).prop_map(Message::Pairs),
        2 => (0..QUEUES, prop::collection::vec(0..ADDRESSES, 30..90)).prop_map(|(queue, addresses)| {
            Message::Pairs(addresses.into_iter().map(|address| (queue, address)).collect())
        }),
        1 => prop::collection::vec(pair(), 1..6).prop_map(Message::WithAnInvalidEntry),
        1 => Just(Message::Garbage),
    ]
}

fn effect() -> impl Strategy<Value = Effect> {
    let error = |status, code: &str| {
        Just(Effect::Error { status, code: code.to_owned(), message: "storm".to_owned() })
    };
    prop_oneof![
        error(500, "InternalServiceException"),
        error(503, "ServiceUnavailableException"),
        error(429, "ThrottlingException"),
        error(429, "LimitExceededException"),
        error(400, "InvalidRequestException"),
        error(404, "ResourceNotFoundException"),
        error(403, "AccessDeniedException"),
        error(403, "ExpiredTokenException"),
        Just(Effect::Reset),
        Just(Effect::ResetAfter),
        Just(Effect::Hang),
        Just(Effect::CutOff),
        Just(Effect::Malformed),
        Just(Effect::Delay(Duration::from_secs(3))),
        Just(Effect::RetryAfter { millis: 1_500, code: "TooManyRequestsException".to_owned() }),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    let operation = prop_oneof![
        2 => Just(None),
        2 => Just(Some(Operation::AssociateQueueEmailAddresses)),
        1 => Just(Some(Operation::ListQueueEmailAddresses)),
    ];
    (effect(), operation, prop::option::of(0..QUEUES), prop::option::of(1_u32..5), prop::option::of(0.1..0.6))
        .prop_map(|(effect, operation, queue, times, share)| Fault {
            operation,
            queue: queue.map(|queue| format!("q{queue}")),
            times,
            share,
            ..Fault::new(effect)
        })
}

fn switches() -> impl Strategy<Value = Switches> {
    (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(again, unknown, full, throttle)| Switches {
            associated_again: if again { AssociatedAgain::Refuse } else { AssociatedAgain::Accept },
            unknown_address: if unknown {
                UnknownAddress::ResourceNotFound
            } else {
                UnknownAddress::InvalidParameter
            },
            full_without_default: if full {
                FullWithoutDefault::Fifty
            } else {
                FullWithoutDefault::FortyNine
            },
            throttle_error: if throttle { ThrottleError::Throttling } else { ThrottleError::TooManyRequests },
            ..Switches::default()
        },
    )
}

fn sqs_fault() -> impl Strategy<Value = SqsFault> {
    prop_oneof![
        Just(SqsFault::Status(500)),
        Just(SqsFault::Status(403)),
        any::<bool>().prop_map(|sender_fault| SqsFault::FirstEntry { sender_fault }),
        Just(SqsFault::Forgotten),
        Just(SqsFault::Reset),
        Just(SqsFault::Hang),
    ]
}

fn storm(faults: impl Strategy<Value = Vec<Fault>>) -> impl Strategy<Value = Storm> {
    let world = (
        prop::collection::vec((0..EXISTING_QUEUES, 0..EXISTING_ADDRESSES), 0..40),
        prop::collection::vec(prop::option::of(0..EXISTING_ADDRESSES), EXISTING_QUEUES),
        prop::collection::vec(prop_oneof![3 => Just(49_usize), 1 => 0_usize..60], EXISTING_QUEUES),
        switches(),
        prop_oneof![Just(2.0), Just(0.5), Just(20.0)],
    );
    let run = (prop::collection::vec(sqs_fault(), 0..4), 3_u64..200, any::<bool>(), any::<bool>());
    (prop::collection::vec(message(), 1..12), world, faults, run).prop_map(
        |(messages, world, faults, run)| {
            let (mut present, defaults, limits, switches, rate) = world;
            let (sqs_faults, seconds, failures_queue, continuation_queue) = run;
            // A queue begins with what it can hold.
            let mut held = [0; EXISTING_QUEUES];
            present.retain(|(queue, _)| {
                held[*queue] += 1;
                held[*queue] <= limits[*queue]
            });
            let quota = Quota::per_second(rate, 5.0);
            Storm {
                messages,
                present,
                defaults,
                limits,
                switches,
                quota,
                faults,
                sqs_faults,
                seconds,
                failures_queue,
                continuation_queue,
            }
        },
    )
}

impl Storm {
    fn world(&self) -> World {
        let mut fixture = Fixture::new();
        for queue in 0..EXISTING_QUEUES {
            fixture = fixture.with_queue(INSTANCE, format!("q{queue}"), format!("Queue {queue}")).with_limit(
                INSTANCE,
                format!("q{queue}"),
                self.limits[queue],
            );
            if let Some(address) = self.defaults[queue] {
                fixture = fixture.with_queue_default(INSTANCE, format!("q{queue}"), format!("e{address}"));
            }
        }
        for address in 0..EXISTING_ADDRESSES {
            fixture =
                fixture.with_address(INSTANCE, format!("e{address}"), format!("e{address}@brand.example"));
        }
        for (queue, address) in &self.present {
            fixture = fixture.with_association(INSTANCE, format!("q{queue}"), format!("e{address}"));
        }
        let options = Options {
            fixture,
            switches: self.switches,
            quota: self.quota,
            faults: self.faults.clone(),
            ..Options::default()
        };
        let mut variables = vec![];
        if self.failures_queue {
            variables.push(("FAILURES_QUEUE_URL", FAILURES));
        }
        if self.continuation_queue {
            variables.push(("CONTINUATION_QUEUE_URL", CONTINUATION));
        }
        let mut world = World::in_memory(options, &variables);
        world.invocation_time = Duration::from_secs(self.seconds);
        world.sqs.fail(self.sqs_faults.clone());
        world
    }

    fn asked(&self) -> BTreeSet<Pair> {
        self.messages.iter().flat_map(Message::pairs).copied().collect()
    }

    /// What is on the queues, default addresses included.
    fn on_queues(&self, world: &World) -> BTreeSet<Pair> {
        let number = |id: &str| id[1..].parse::<usize>().unwrap();
        let mut on_queues: BTreeSet<Pair> = (0..EXISTING_QUEUES)
            .flat_map(|queue| {
                world.associated(&format!("q{queue}")).into_iter().map(move |id| (queue, number(&id)))
            })
            .collect();
        on_queues.extend(self.defaults.iter().enumerate().filter_map(|(queue, id)| Some((queue, (*id)?))));
        on_queues
    }
}

/// The pairs of messages that were sent on.
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
    // Every pair that did not fail is where it was wanted, and what may succeed later is left.
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

/// Without faults the calls keep to the contract's bounds.
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
        // A list a chunk. For want of room, of which the contract bounds only the retries: a list, a call of what
        // should fit, three retries, and halving, where each set that was cut off costs a call at most.
        let bound = if queue >= EXISTING_QUEUES { 2 } else { chunks * 2 + narrowing + 1 + 1 + 3 + 12 };
        assert!(made <= bound, "{made} calls for q{queue}, {bound} allowed");
    }
    assert!(calls.is_empty(), "queues that nobody asked for were called");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

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
