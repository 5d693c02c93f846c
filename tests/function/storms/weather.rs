//! Generates the request of a storm, and the faults of the API and SQS.

use std::collections::BTreeSet;
use std::time::Duration;

use connect_simulator::{Effect, Fault, Fixture, Operation, Options, Quota, Switches};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::{CONTINUATION_QUEUE, FAILURES_QUEUE, error};
use crate::sqs::SqsFault;
use crate::world::{INSTANCE, World};

/// Number of requested queues, `q0` to `q5`. Only the first `EXISTING_QUEUES` exist.
const QUEUES: usize = 6;
pub const EXISTING_QUEUES: usize = 5;
/// Number of requested addresses, `e0` to `e89`. Only the first `EXISTING_ADDRESSES` exist.
const ADDRESSES: usize = 90;
pub const EXISTING_ADDRESSES: usize = 85;

pub type Pair = (usize, usize);

#[derive(Debug, Clone)]
pub struct Storm {
    pub messages: Vec<Message>,
    /// The pairs that are on the queues at the start.
    pub present: Vec<Pair>,
    pub defaults: Vec<Option<usize>>,
    pub limits: Vec<usize>,
    pub switches: Switches,
    pub quota: Quota,
    pub faults: Vec<Fault>,
    pub sqs_faults: Vec<SqsFault>,
    pub seconds: u64,
    pub failures_queue: bool,
    pub continuation_queue: bool,
}

#[derive(Debug, Clone)]
pub enum Message {
    Pairs(Vec<Pair>),
    WithAnInvalidEntry(Vec<Pair>),
    Garbage,
}

impl Message {
    pub fn pairs(&self) -> &[Pair] {
        match self {
            Message::Pairs(pairs) | Message::WithAnInvalidEntry(pairs) => pairs,
            Message::Garbage => &[],
        }
    }

    pub fn body(&self) -> Value {
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
    let error = |status, code: &str| Just(error(status, code, "storm"));
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

pub fn fault() -> impl Strategy<Value = Fault> {
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

pub fn switches() -> impl Strategy<Value = Switches> {
    (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(again, unknown, full, throttle)| Switches {
            reject_repeated_associations: again,
            unknown_address_is_not_found: unknown,
            use_default_slot: full,
            throttle_as_listed: throttle,
            ..Switches::default()
        },
    )
}

pub fn sqs_fault() -> impl Strategy<Value = SqsFault> {
    prop_oneof![
        Just(SqsFault::Status(500)),
        Just(SqsFault::Status(403)),
        any::<bool>().prop_map(|sender_fault| SqsFault::FirstEntry { sender_fault }),
        Just(SqsFault::Forgotten),
        Just(SqsFault::Reset),
        Just(SqsFault::Hang),
    ]
}

pub fn storm(faults: impl Strategy<Value = Vec<Fault>>) -> impl Strategy<Value = Storm> {
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
            // At the start, a queue has at most as many addresses as its limit allows.
            let mut counts = [0; EXISTING_QUEUES];
            present.retain(|(queue, _)| {
                counts[*queue] += 1;
                counts[*queue] <= limits[*queue]
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
    pub fn world(&self) -> World {
        let mut fixture = Fixture::new();
        for queue in 0..EXISTING_QUEUES {
            fixture = fixture
                .with_queue(INSTANCE, &format!("q{queue}"), format!("Queue {queue}"))
                .with_limit(INSTANCE, &format!("q{queue}"), self.limits[queue]);
            if let Some(address) = self.defaults[queue] {
                fixture = fixture.with_queue_default(INSTANCE, &format!("q{queue}"), format!("e{address}"));
            }
        }
        for address in 0..EXISTING_ADDRESSES {
            fixture =
                fixture.with_address(INSTANCE, format!("e{address}"), format!("e{address}@brand.example"));
        }
        for (queue, address) in &self.present {
            fixture = fixture.with_association(INSTANCE, &format!("q{queue}"), format!("e{address}"));
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
            variables.push(FAILURES_QUEUE);
        }
        if self.continuation_queue {
            variables.push(CONTINUATION_QUEUE);
        }
        let mut world = World::in_memory(options, &variables);
        world.invocation_time = Duration::from_secs(self.seconds);
        world.sqs.fail(self.sqs_faults.clone());
        world
    }

    /// Returns the pairs that the messages request.
    pub fn requested(&self) -> BTreeSet<Pair> {
        self.messages.iter().flat_map(Message::pairs).copied().collect()
    }

    /// Returns the pairs that are on the queues, including default addresses.
    pub fn on_queues(&self, world: &World) -> BTreeSet<Pair> {
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
