//! A scene of a storm: a world that other clients change meanwhile, messages, faults, and two processes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use connect_simulator::{Fault, Fixture, Operation, Options, Quota, Switches};
use proptest::prelude::*;

use crate::common::{CONTINUATION_QUEUE, FAILURES_QUEUE};
use crate::sqs::SqsFault;
use crate::world::{INSTANCE, World};

use super::change::{Change, change};
use super::history::History;
use super::message::{Message, message};
use super::weather::{permanent_fault, sqs_fault, switches, transient_faults};

/// Number of requested queues, `q0` to `q6`. Only the first `EXISTING_QUEUES` exist at the start.
pub const QUEUES: usize = 7;
pub const EXISTING_QUEUES: usize = 5;
/// Number of requested addresses, `e0` to `e63`. Only the first `EXISTING_ADDRESSES` exist at the start.
pub const ADDRESSES: usize = 64;
pub const EXISTING_ADDRESSES: usize = 60;

#[derive(Debug, Clone)]
pub struct Scene {
    pub messages: Vec<Message>,
    pub content: Content,
    pub switches: Switches,
    pub quota: Quota,
    pub latency: Duration,
    pub transient_faults: Vec<Fault>,
    pub permanent_fault: Option<Fault>,
    pub sqs_faults: Vec<SqsFault>,
    /// Changes by other clients, each with the number of calls after which it happens.
    pub changes: Vec<(usize, Change)>,
    /// Time limit of each invocation while there are faults.
    pub seconds: u64,
    pub has_failures_queue: bool,
    pub has_continuation_queue: bool,
}

/// What exists at the start.
#[derive(Debug, Clone)]
pub struct Content {
    /// The pairs that are on the queues.
    pub present: Vec<(usize, usize)>,
    /// The default address of each queue.
    pub defaults: Vec<Option<usize>>,
    /// The number of addresses that fit on each queue.
    pub limits: Vec<usize>,
    /// Whether the directory of addresses has four pages.
    pub is_paged: bool,
    /// Addresses with two identifiers. The second identifier is on the last page.
    pub twin_addresses: Vec<usize>,
}

pub fn queue_name(queue: usize) -> String {
    format!("Queue {queue}")
}

pub fn address_name(address: usize) -> String {
    format!("e{address}@brand.example")
}

fn content() -> impl Strategy<Value = Content> {
    (
        prop::collection::vec((0..EXISTING_QUEUES, 0..EXISTING_ADDRESSES), 0..240),
        prop::collection::vec(prop::option::weighted(0.3, 0..EXISTING_ADDRESSES), EXISTING_QUEUES),
        prop::collection::vec(prop_oneof![3 => Just(49_usize), 1 => 0_usize..60], EXISTING_QUEUES),
        any::<bool>(),
        prop::collection::vec(0..EXISTING_ADDRESSES, 0..3),
    )
        .prop_map(|(mut present, defaults, limits, is_paged, twin_addresses)| {
            let mut counts = [0; EXISTING_QUEUES];
            present.retain(|(queue, address)| {
                counts[*queue] += 1;
                counts[*queue] <= limits[*queue] && defaults[*queue] != Some(*address)
            });
            Content { present, defaults, limits, is_paged, twin_addresses }
        })
}

/// Generates a scene whose messages request pairs by identifiers, or also by names.
pub fn scene(with_names: bool) -> impl Strategy<Value = Scene> {
    let server = (switches(), prop_oneof![Just(2.0), Just(20.0)], 50_u64..800);
    let faults = (
        transient_faults(),
        prop::option::weighted(0.2, permanent_fault()),
        prop::collection::vec(sqs_fault(), 0..3),
    );
    let run = (
        prop::collection::vec((1_usize..60, change()), 0..10),
        3_u64..120,
        prop::bool::weighted(0.75),
        any::<bool>(),
    );
    (prop::collection::vec(message(with_names), 1..14), content(), server, faults, run).prop_map(
        |(messages, content, server, faults, run)| {
            let (switches, rate, latency) = server;
            let (transient_faults, permanent_fault, sqs_faults) = faults;
            let (changes, seconds, has_failures_queue, has_continuation_queue) = run;
            Scene {
                messages,
                content,
                switches,
                quota: Quota::per_second(rate, 5.0),
                latency: Duration::from_millis(latency),
                transient_faults,
                permanent_fault,
                sqs_faults,
                changes,
                seconds,
                has_failures_queue,
                has_continuation_queue,
            }
        },
    )
}

impl Content {
    fn fixture(&self) -> Fixture {
        let mut fixture = Fixture::new();
        for (queue, limit) in self.limits.iter().enumerate() {
            let id = format!("q{queue}");
            fixture = fixture.with_queue(INSTANCE, &id, queue_name(queue)).with_limit(INSTANCE, &id, *limit);
        }
        for address in 0..EXISTING_ADDRESSES {
            fixture = fixture.with_address(INSTANCE, format!("e{address}"), address_name(address));
        }
        for address in &self.twin_addresses {
            fixture = fixture.with_address(INSTANCE, format!("z{address}"), address_name(*address));
        }
        if self.is_paged {
            for number in 0..150 {
                for id in [format!("d{number:03}"), format!("f{number:03}")] {
                    fixture = fixture.with_address(INSTANCE, id.clone(), format!("{id}@other.example"));
                }
            }
        }
        for (queue, default) in self.defaults.iter().enumerate() {
            if let Some(address) = default {
                fixture = fixture.with_queue_default(INSTANCE, &format!("q{queue}"), format!("e{address}"));
            }
        }
        for (queue, address) in &self.present {
            fixture = fixture.with_association(INSTANCE, &format!("q{queue}"), format!("e{address}"));
        }
        fixture
    }
}

impl Scene {
    /// Returns one process in a world without faults, changes and a quota.
    pub fn calm_world(&self) -> World {
        let options =
            Options { fixture: self.content.fixture(), switches: self.switches, ..Options::default() };
        World::in_memory(options, &[FAILURES_QUEUE, ("CONNECT_REQUESTS_PER_SECOND", "1000")])
    }

    /// Returns two processes of one account, and the history of its state.
    pub fn processes(&self) -> ([World; 2], History) {
        let faults = self.transient_faults.iter().chain(&self.permanent_fault).cloned().collect();
        let options = Options {
            fixture: self.content.fixture(),
            switches: self.switches,
            quota: self.quota,
            latency: self.latency,
            faults,
            ..Options::default()
        };
        let rate = self.quota.rate.unwrap_or_default().to_string();
        let mut variables = vec![("CONNECT_WORKERS", "2"), ("CONNECT_REQUESTS_PER_SECOND", &*rate)];
        variables.extend(self.has_failures_queue.then_some(FAILURES_QUEUE));
        variables.extend(self.has_continuation_queue.then_some(CONTINUATION_QUEUE));
        let mut first = World::in_memory(options, &variables);
        first.invocation_time = Duration::from_secs(self.seconds);
        first.sqs.fail(self.sqs_faults.clone());
        let second = first.beside(&variables);
        let history = History::new(self, first.connect.content());
        self.change_meanwhile(&first, &history);
        ([first, second], history)
    }

    /// Records the state after each call, and applies the changes by other clients that are due.
    fn change_meanwhile(&self, world: &World, history: &History) {
        let (connect, history) = (world.connect.clone(), history.clone());
        let changes = self.changes.clone();
        let calls = AtomicUsize::new(0);
        world.connect.observe(move |made| {
            history.note(connect.content());
            match made.operation {
                Operation::ListQueueEmailAddresses if made.status == Some(200) => {
                    history.note_list(made.queue.as_deref().unwrap());
                }
                Operation::SearchEmailAddresses if made.status == Some(200) => {
                    history.note_address_reading();
                }
                _ => {}
            }
            let call = calls.fetch_add(1, Ordering::Relaxed);
            for (_, change) in changes.iter().filter(|(after, _)| *after == call) {
                connect.edit(|content| change.apply(content));
                history.note(connect.content());
            }
        });
    }
}
