//! Generates messages with names and identifiers, for long-lived processes in a world that other clients change
//! meanwhile.

use std::time::Duration;

use connect_simulator::{Effect, Fault, Fixture, Operation, Options, Quota, Switches};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::{CONTINUATION_QUEUE, FAILURES_QUEUE, error};
use crate::sqs::SqsFault;
use crate::world::{INSTANCE, World};

use super::history::History;
use super::weather::{sqs_fault, switches};

/// Number of requested queues, `q0` to `q6`. Only the first `EXISTING_QUEUES` exist at the start.
const QUEUES: usize = 7;
const EXISTING_QUEUES: usize = 5;
/// Number of requested addresses, `e0` to `e63`. Only the first `EXISTING_ADDRESSES` exist at the start.
const ADDRESSES: usize = 64;
const EXISTING_ADDRESSES: usize = 60;

#[derive(Debug, Clone)]
pub struct Scene {
    pub messages: Vec<Message>,
    /// The pairs that are on the queues at the start.
    pub present: Vec<(usize, usize)>,
    pub limits: Vec<usize>,
    pub switches: Switches,
    pub quota: Quota,
    pub latency: Duration,
    pub faults: Vec<Fault>,
    pub sqs_faults: Vec<SqsFault>,
    /// Changes by other clients, each with the number of calls after which it happens.
    pub changes: Vec<(usize, Change)>,
    pub seconds: u64,
    pub continuation_queue: bool,
    /// Whether the directory of addresses has four pages.
    pub paged: bool,
    /// Addresses with two identifiers from the start. The second identifier is on the last page.
    pub twin_addresses: Vec<usize>,
}

#[derive(Debug, Clone)]
pub enum Message {
    /// Pairs, each with whether its queue and its address are requested by name.
    Pairs(Vec<(usize, usize, bool, bool)>),
    /// Many addresses of one queue.
    OneQueue { queue: usize, queue_by_name: bool, addresses: Vec<usize>, by_name: bool },
    /// One existing queue, and queues that do not exist, of the instance or of a missing instance.
    ManyMissing { wrong_instance: bool, queues: usize },
}

/// A change that another client makes.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    Associate(usize, usize),
    Disassociate(usize, usize),
    RemoveAddress(usize),
    /// Recreates the address under another identifier.
    RecreateAddress(usize),
    CreateAddress(usize),
    CreateQueue(usize),
    DeleteQueue(usize),
    /// Creates another queue with the same name.
    AddTwin(usize),
    RemoveTwin(usize),
}

impl Message {
    pub fn body(&self) -> Value {
        let queue = |queue: usize, by_name: bool| {
            if by_name {
                json!({ "queueName": queue_name(queue) })
            } else {
                json!({ "queueId": format!("q{queue}") })
            }
        };
        let entries: Vec<Value> = match self {
            Message::Pairs(pairs) => pairs
                .iter()
                .map(|(number, address, queue_by_name, by_name)| {
                    let mut entry = queue(*number, *queue_by_name);
                    if *by_name {
                        entry["emailAddress"] = json!(address_name(*address).to_uppercase());
                    } else {
                        entry["emailAddressId"] = json!(format!("e{address}"));
                    }
                    entry
                })
                .collect(),
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
                let mut entries: Vec<_> = (0..*queues).map(missing).collect();
                entries.push(json!({ "queueId": "q0", "emailAddressId": "e1" }));
                entries
            }
        };
        json!({ "instanceId": INSTANCE, "associations": entries })
    }
}

fn queue_name(queue: usize) -> String {
    format!("Queue {queue}")
}

fn address_name(address: usize) -> String {
    format!("e{address}@brand.example")
}

pub fn message() -> impl Strategy<Value = Message> {
    let pair = (0..QUEUES, 0..ADDRESSES, any::<bool>(), any::<bool>());
    let many = (0..QUEUES, any::<bool>(), prop::collection::vec(0..ADDRESSES, 10..60), any::<bool>());
    prop_oneof![
        6 => prop::collection::vec(pair, 1..6).prop_map(Message::Pairs),
        2 => many.prop_map(|(queue, queue_by_name, addresses, by_name)| {
            Message::OneQueue { queue, queue_by_name, addresses, by_name }
        }),
        1 => (any::<bool>(), 3_usize..14)
            .prop_map(|(wrong_instance, queues)| Message::ManyMissing { wrong_instance, queues }),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let pair = || (0..EXISTING_QUEUES, 0..EXISTING_ADDRESSES);
    prop_oneof![
        4 => pair().prop_map(|(queue, address)| Change::Associate(queue, address)),
        2 => pair().prop_map(|(queue, address)| Change::Disassociate(queue, address)),
        1 => (0..ADDRESSES).prop_map(Change::RemoveAddress),
        3 => (0..ADDRESSES).prop_map(Change::RecreateAddress),
        1 => (0..ADDRESSES).prop_map(Change::CreateAddress),
        1 => (0..QUEUES).prop_map(Change::CreateQueue),
        1 => (0..QUEUES).prop_map(Change::DeleteQueue),
        1 => (0..EXISTING_QUEUES).prop_map(Change::AddTwin),
        2 => (0..EXISTING_QUEUES).prop_map(Change::RemoveTwin),
    ]
}

/// A transient fault. A limit occurs at most three times, because a call that should fit is retried three times.
fn passing_fault() -> impl Strategy<Value = Fault> {
    let error = |status, code: &str| Just(error(status, code, "storm"));
    let effect = prop_oneof![
        error(500, "InternalServiceException"),
        error(429, "ThrottlingException"),
        error(403, "ExpiredTokenException"),
        Just(Effect::Reset),
        Just(Effect::ResetAfter),
        Just(Effect::Hang),
        Just(Effect::CutOff),
        Just(Effect::Malformed),
        Just(Effect::Delay(Duration::from_secs(3))),
        Just(Effect::RetryAfter { millis: 1_500, code: "TooManyRequestsException".to_owned() }),
    ];
    let operation = prop_oneof![
        1 => Just(None),
        2 => Just(Some(Operation::AssociateQueueEmailAddresses)),
        2 => Just(Some(Operation::ListQueueEmailAddresses)),
        1 => Just(Some(Operation::SearchQueues)),
        1 => Just(Some(Operation::SearchEmailAddresses)),
    ];
    let any = (effect, operation, prop::option::of(1_u32..25), prop::option::of(0.1..0.9)).prop_map(
        |(effect, operation, times, share)| Fault { operation, times, share, ..Fault::new(effect) },
    );
    let limit = error(429, "LimitExceededException").prop_map(|effect| Fault {
        operation: Some(Operation::AssociateQueueEmailAddresses),
        times: Some(1),
        ..Fault::new(effect)
    });
    prop_oneof![4 => any, 1 => limit]
}

pub fn scene() -> impl Strategy<Value = Scene> {
    let world = (
        prop::collection::vec((0..EXISTING_QUEUES, 0..EXISTING_ADDRESSES), 0..150),
        prop::collection::vec(prop_oneof![3 => Just(49_usize), 1 => 0_usize..60], EXISTING_QUEUES),
        switches(),
        prop_oneof![Just(2.0), Just(20.0)],
        50_u64..800,
    );
    let run = (
        prop::collection::vec(sqs_fault(), 0..3),
        prop::collection::vec((1_usize..60, change()), 0..10),
        20_u64..120,
        any::<bool>(),
        any::<bool>(),
        prop::collection::vec(0..EXISTING_ADDRESSES, 0..3),
    );
    let faults = prop::collection::vec(passing_fault(), 0..4);
    (prop::collection::vec(message(), 1..14), world, faults, run).prop_map(|(messages, world, mut faults, run)| {
        let (mut present, limits, switches, rate, latency) = world;
        let (sqs_faults, changes, seconds, continuation_queue, paged, twin_addresses) = run;
        let mut counts = [0; EXISTING_QUEUES];
        present.retain(|(queue, _)| {
            counts[*queue] += 1;
            counts[*queue] <= limits[*queue]
        });
        // At most three calls are rejected because of a limit that the queue has not reached.
        let is_limit = |fault: &Fault| matches!(&fault.effect, Effect::Error { code, .. } if code == "LimitExceededException");
        let mut limits_left = 3;
        faults.retain(|fault| !is_limit(fault) || { limits_left -= 1; limits_left >= 0 });
        Scene {
            messages,
            present,
            limits,
            switches,
            quota: Quota::per_second(rate, 5.0),
            latency: Duration::from_millis(latency),
            faults,
            sqs_faults,
            changes,
            seconds,
            continuation_queue,
            paged,
            twin_addresses,
        }
    })
}

impl Scene {
    pub fn fixture(&self) -> Fixture {
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
        if self.paged {
            for number in 0..150 {
                for id in [format!("d{number:03}"), format!("f{number:03}")] {
                    fixture = fixture.with_address(INSTANCE, id.clone(), format!("{id}@other.example"));
                }
            }
        }
        for (queue, address) in &self.present {
            fixture = fixture.with_association(INSTANCE, &format!("q{queue}"), format!("e{address}"));
        }
        fixture
    }

    /// Returns two processes of one account, and the history of its state.
    pub fn processes(&self) -> ([World; 2], History) {
        let options = Options {
            fixture: self.fixture(),
            switches: self.switches,
            quota: self.quota,
            latency: self.latency,
            faults: self.faults.clone(),
            ..Options::default()
        };
        let rate = self.quota.rate.unwrap_or_default().to_string();
        let mut variables =
            vec![FAILURES_QUEUE, ("CONNECT_WORKERS", "2"), ("CONNECT_REQUESTS_PER_SECOND", &*rate)];
        if self.continuation_queue {
            variables.push(CONTINUATION_QUEUE);
        }
        let mut first = World::in_memory(options, &variables);
        first.invocation_time = Duration::from_secs(self.seconds);
        first.sqs.fail(self.sqs_faults.clone());
        let second = first.beside(&variables);
        let history = History::new(self.switches, self.paged, first.connect.content());
        self.change_meanwhile(&first, &history);
        ([first, second], history)
    }

    /// Records the state after each call, and applies the changes by other clients that are due.
    fn change_meanwhile(&self, world: &World, history: &History) {
        let (connect, history) = (world.connect.clone(), history.clone());
        let changes = self.changes.clone();
        let calls = std::sync::atomic::AtomicUsize::new(0);
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
            let call = calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            for (_, change) in changes.iter().filter(|(after, _)| *after == call) {
                connect.edit(|content| change.apply(content));
                history.note(connect.content());
            }
        });
    }
}

impl Change {
    fn apply(self, content: &mut Fixture) {
        let instance = content.instance(INSTANCE);
        let id = |address: usize| format!("e{address}");
        let remove = |instance: &mut connect_simulator::InstanceFixture, address: usize| {
            for id in [format!("e{address}"), format!("n{address}")] {
                instance.email_addresses.remove(&id);
                instance
                    .queues
                    .values_mut()
                    .for_each(|queue| queue.email_address_ids.retain(|other| *other != id));
            }
        };
        match self {
            Change::Associate(queue, address) => {
                let exists = instance.email_addresses.contains_key(&id(address));
                if let (true, Some(queue)) = (exists, instance.queues.get_mut(&format!("q{queue}"))) {
                    let has_room = queue.email_address_ids.len() < queue.limit.unwrap_or(49);
                    if has_room && !queue.email_address_ids.contains(&id(address)) {
                        queue.email_address_ids.push(id(address));
                    }
                }
            }
            Change::Disassociate(queue, address) => {
                if let Some(queue) = instance.queues.get_mut(&format!("q{queue}")) {
                    queue.email_address_ids.retain(|other| *other != id(address));
                }
            }
            Change::RemoveAddress(address) => remove(instance, address),
            Change::RecreateAddress(address) => {
                remove(instance, address);
                instance.email_addresses.insert(format!("n{address}"), address_name(address));
            }
            Change::CreateAddress(address) => {
                if !instance.email_addresses.contains_key(&format!("n{address}")) {
                    instance.email_addresses.insert(id(address), address_name(address));
                }
            }
            Change::CreateQueue(queue) => instance.queue(&format!("q{queue}")).name = Some(queue_name(queue)),
            Change::DeleteQueue(queue) => drop(instance.queues.remove(&format!("q{queue}"))),
            Change::AddTwin(queue) => instance.queue(&format!("t{queue}")).name = Some(queue_name(queue)),
            Change::RemoveTwin(queue) => drop(instance.queues.remove(&format!("t{queue}"))),
        }
    }
}
