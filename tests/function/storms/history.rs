//! Records the state of the world after each call and each external change, and decides whether a failure was
//! justified.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connect_simulator::{Fixture, Switches};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::scene::Scene;

/// One pair, by the names or identifiers of a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedPair {
    pub instance: String,
    pub queue: Named,
    pub address: Named,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    Id(String),
    Name(String),
}

/// The function's `QUEUE_ADDITIONAL_LIMIT`.
const LIMIT: usize = 49;

/// Maximum age of a directory of names.
const DIRECTORY_AGE: Duration = Duration::from_secs(300);

#[derive(Clone)]
pub struct History {
    states: Arc<Mutex<Vec<Fixture>>>,
    /// The time at which each state started.
    times: Arc<Mutex<Vec<Instant>>>,
    /// The state that the last reading of the directory of addresses showed.
    address_reading: Arc<Mutex<Option<usize>>>,
    /// The queues whose lists were read, each with the number of the state that the list returned.
    lists: Arc<Mutex<Vec<(usize, String)>>>,
    switches: Switches,
    /// Whether the directory of addresses has several pages.
    is_paged: bool,
    /// Whether Connect rejects calls permanently without a reason in the state.
    has_unjust_rejections: bool,
}

impl Named {
    pub fn text(&self) -> &str {
        let (Named::Id(text) | Named::Name(text)) = self;
        text
    }
}

impl NamedPair {
    /// Returns the pairs of a request, or of a message that was sent on.
    pub fn of_body(body: &Value) -> BTreeSet<NamedPair> {
        let mut named_pairs = BTreeSet::new();
        for entry in body["associations"].as_array().into_iter().flatten() {
            // An invalid entry requests no pair.
            let Some(queue) = named(entry, "queueName", "queueId") else { continue };
            let instance = entry["instanceId"].as_str().or_else(|| body["instanceId"].as_str()).unwrap();
            let one = named(entry, "emailAddress", "emailAddressId");
            let list = |field: &str| entry[field].as_array().cloned().unwrap_or_default();
            let text = |value: Value| value.as_str().unwrap().to_owned();
            let ids = list("emailAddressIds").into_iter().map(text).map(Named::Id);
            let names = list("emailAddresses").into_iter().map(text).map(Named::Name);
            named_pairs.extend(
                one.into_iter().chain(ids).chain(names).map(folded).map(|address| NamedPair {
                    instance: instance.to_owned(),
                    queue: queue.clone(),
                    address,
                }),
            );
        }
        named_pairs
    }

    /// Returns the pair of a failure in a report.
    pub fn of_failure(failure: &Value) -> Option<NamedPair> {
        Some(NamedPair {
            instance: failure["instanceId"].as_str()?.to_owned(),
            // A failure of a pair that was requested by name contains both the name and the identifier.
            queue: named(failure, "queueName", "queueId")?,
            address: folded(named(failure, "emailAddress", "emailAddressId")?),
        })
    }

    /// Returns the pairs of a failure in a dead letter.
    pub fn of_merged(failure: &Value) -> Vec<NamedPair> {
        if let Some(pair) = NamedPair::of_failure(failure) {
            return vec![pair];
        }
        NamedPair::of_body(&json!({ "associations": [failure] })).into_iter().collect()
    }
}

/// Converts an address to lower case, because addresses are compared case-insensitively.
fn folded(address: Named) -> Named {
    match address {
        Named::Name(name) => Named::Name(name.to_lowercase()),
        Named::Id(id) => Named::Id(id),
    }
}

fn named(value: &Value, name: &str, id: &str) -> Option<Named> {
    let text = |field: &str| value[field].as_str().map(str::to_owned);
    text(name).map(Named::Name).or_else(|| text(id).map(Named::Id))
}

impl History {
    pub fn new(scene: &Scene, first: Fixture) -> Self {
        History {
            states: Arc::new(Mutex::new(vec![first])),
            times: Arc::new(Mutex::new(vec![Instant::now()])),
            address_reading: Arc::default(),
            lists: Arc::default(),
            switches: scene.switches,
            is_paged: scene.content.is_paged,
            has_unjust_rejections: scene.permanent_fault.is_some(),
        }
    }

    pub fn note(&self, state: Fixture) {
        let mut states = self.states.lock().unwrap();
        if states.last() != Some(&state) {
            states.push(state);
            self.times.lock().unwrap().push(Instant::now());
        }
    }

    /// Notes that the directory of addresses was read and showed the latest state.
    pub fn note_address_reading(&self) {
        *self.address_reading.lock().unwrap() = Some(self.now());
    }

    /// The state that the last reading of the directory of addresses showed, if each reading is one call.
    pub fn last_address_reading(&self) -> Option<usize> {
        *self.address_reading.lock().unwrap()
    }

    /// Returns whether a requested pair had exactly these identifiers in a state that a directory of the invocation may
    /// contain.
    pub fn was_unique(
        &self,
        requested: &BTreeSet<NamedPair>,
        instance: &str,
        ids: &(String, String),
        invocation_start: Instant,
    ) -> bool {
        let oldest = invocation_start - DIRECTORY_AGE;
        let since = self.times.lock().unwrap().iter().rposition(|time| *time <= oldest).unwrap_or_default();
        let states = self.states.lock().unwrap();
        requested.iter().filter(|pair| pair.instance == instance).any(|pair| {
            // Queue and address come from two directories, which may contain two different states.
            states[since..].iter().any(|state| queues(state, pair) == [ids.0.as_str()])
                && states[since..].iter().any(|state| addresses(state, pair) == [ids.1.as_str()])
        })
    }

    /// Records that the list of a queue was read in the current state.
    pub fn note_list(&self, queue: &str) {
        let state = self.now();
        self.lists.lock().unwrap().push((state, queue.to_owned()));
    }

    /// Returns the number of the current state.
    pub fn now(&self) -> usize {
        self.states.lock().unwrap().len() - 1
    }

    /// Returns whether the pair was on its queue in the state `since` or a later one.
    pub fn was_associated(&self, pair: &NamedPair, since: usize) -> bool {
        self.states.lock().unwrap()[since..].iter().any(|state| {
            pairs(state, pair).iter().any(|(queue, address)| holds(state, &pair.instance, queue, address))
        })
    }

    /// Returns whether `others` contains the same pair, by name or by identifier.
    pub fn is_among(&self, pair: &NamedPair, others: &BTreeSet<NamedPair>) -> bool {
        let overlap = |ids: &[String], others: &[String]| ids.iter().any(|id| others.contains(id));
        others.contains(pair)
            || self.states.lock().unwrap().iter().any(|state| {
                let (of_queue, of_address) = (queues(state, pair), addresses(state, pair));
                others.iter().filter(|other| other.instance == pair.instance).any(|other| {
                    overlap(&queues(state, other), &of_queue)
                        && overlap(&addresses(state, other), &of_address)
                })
            })
    }

    /// Returns whether the state `since` or a later one justifies that a pair failed permanently with this error.
    pub fn explains(&self, pair: &NamedPair, error: &str, since: usize) -> bool {
        if self.has_unjust_rejections {
            return true;
        }
        let all = self.states.lock().unwrap();
        let states = &all[since..];
        match error {
            // A directory of several pages that changes while it is read may skip an address or show it twice, and it is
            // read again only once.
            "NameNotFound" | "NameAmbiguous"
                if self.is_paged
                    && matches!(pair.address, Named::Name(_))
                    && directory_changed(states, pair) =>
            {
                true
            }
            "NameNotFound" => {
                states.iter().any(|state| queues(state, pair).is_empty() || addresses(state, pair).is_empty())
            }
            "NameAmbiguous" => {
                states.iter().any(|state| queues(state, pair).len() > 1 || addresses(state, pair).len() > 1)
            }
            // The identifiers may have been found in one state and be gone in another.
            "ResourceNotFoundException" => {
                let named = states.iter().flat_map(|state| queues(state, pair)).collect::<BTreeSet<_>>();
                let is_missing =
                    |state: &Fixture| named.iter().any(|queue| !has_queue(state, &pair.instance, queue));
                let unknown = self.switches.unknown_address_is_not_found;
                states.iter().any(is_missing)
                    || self.refused(states, pair, |state, _, address| {
                        unknown && !has_address(state, &pair.instance, address)
                    })
            }
            "InvalidParameterException" => {
                let unknown = !self.switches.unknown_address_is_not_found;
                // The address was removed from the queue between the rejection and the read of the list.
                let again = self.switches.reject_repeated_associations;
                let taken_off = |[before, after]: [&Fixture; 2]| {
                    pairs(before, pair).iter().any(|(queue, address)| {
                        holds(before, &pair.instance, queue, address)
                            && !holds(after, &pair.instance, queue, address)
                    })
                };
                self.refused(states, pair, |state, _, address| {
                    unknown && !has_address(state, &pair.instance, address)
                }) || (again && states.windows(2).any(|window| taken_off([&window[0], &window[1]])))
            }
            // An address that does not fit is not called, so its identifier may come from an old directory.
            "QueueFull" => {
                let kept = all.iter().flat_map(|state| pairs(state, pair));
                let is_full = |state: &Fixture, (queue, address): &(String, String)| {
                    !holds(state, &pair.instance, queue, address)
                        && self.is_full(state, &pair.instance, queue)
                };
                let named: BTreeSet<(String, String)> = kept.collect();
                states.iter().any(|state| named.iter().any(|pair| is_full(state, pair)))
                    || named.iter().any(|ids| self.lists_room_for_others(&all, &pair.instance, ids, since))
            }
            _ => false,
        }
    }

    fn refused(
        &self,
        states: &[Fixture],
        pair: &NamedPair,
        by: impl Fn(&Fixture, &str, &str) -> bool,
    ) -> bool {
        let named: BTreeSet<(String, String)> = states.iter().flat_map(|state| pairs(state, pair)).collect();
        named.iter().any(|(queue, address)| states.iter().any(|state| by(state, queue, address)))
    }

    /// Returns whether a list of the queue showed room only for other addresses, which were added later. The function
    /// does not read a list again after it has filled the room. So if another client removes an address meanwhile, the
    /// queue is never full.
    fn lists_room_for_others(
        &self,
        all: &[Fixture],
        instance: &str,
        (queue, address): &(String, String),
        since: usize,
    ) -> bool {
        let on_queue = |state: &Fixture| {
            let queue = state.instances.get(instance).and_then(|instance| instance.queues.get(queue));
            queue.map(|queue| queue.email_address_ids.clone()).unwrap_or_default()
        };
        let lists = self.lists.lock().unwrap();
        lists.iter().filter(|(state, of)| *state >= since && of == queue).any(|(state, _)| {
            let mut others: BTreeSet<String> = all[*state..].iter().flat_map(on_queue).collect();
            others.remove(address);
            !holds(&all[*state], instance, queue, address)
                && self.capacity(&all[*state], instance, queue).is_some_and(|most| others.len() >= most)
        })
    }

    fn is_full(&self, state: &Fixture, instance: &str, queue: &str) -> bool {
        let held = state.instances.get(instance).and_then(|instance| instance.queues.get(queue));
        held.zip(self.capacity(state, instance, queue))
            .is_some_and(|(queue, most)| queue.email_address_ids.len() >= most)
    }

    /// Returns the maximum number of addresses that the function adds to a queue, or `None` if the queue does not
    /// exist.
    fn capacity(&self, state: &Fixture, instance: &str, queue: &str) -> Option<usize> {
        let queue = state.instances.get(instance)?.queues.get(queue)?;
        let limit = queue.limit.unwrap_or(LIMIT);
        let has_free_slot = queue.default_email_address_id.is_none() && self.switches.use_default_slot;
        Some((limit + usize::from(has_free_slot)).min(LIMIT))
    }
}

/// Returns the identifiers that a named pair may refer to in a state.
fn pairs(state: &Fixture, pair: &NamedPair) -> Vec<(String, String)> {
    let addresses = addresses(state, pair);
    let with_addresses = |queue: String| {
        addresses.iter().map(move |address| (queue.clone(), address.clone())).collect::<Vec<_>>()
    };
    queues(state, pair).into_iter().flat_map(with_addresses).collect()
}

fn queues(state: &Fixture, pair: &NamedPair) -> Vec<String> {
    match &pair.queue {
        Named::Id(id) => vec![id.clone()],
        Named::Name(name) => {
            let queues =
                state.instances.get(&pair.instance).into_iter().flat_map(|instance| &instance.queues);
            queues.filter(|(_, queue)| queue.name.as_ref() == Some(name)).map(|(id, _)| id.clone()).collect()
        }
    }
}

fn addresses(state: &Fixture, pair: &NamedPair) -> Vec<String> {
    match &pair.address {
        Named::Id(id) => vec![id.clone()],
        Named::Name(name) => {
            let instance = state.instances.get(&pair.instance).into_iter();
            let addresses = instance.flat_map(|instance| &instance.email_addresses);
            addresses
                .filter(|(_, address)| address.eq_ignore_ascii_case(name))
                .map(|(id, _)| id.clone())
                .collect()
        }
    }
}

/// Returns whether the directory of addresses of the pair's instance changed.
fn directory_changed(states: &[Fixture], pair: &NamedPair) -> bool {
    let directory = |state: &Fixture| {
        state.instances.get(&pair.instance).map(|instance| instance.email_addresses.clone())
    };
    states.windows(2).any(|window| directory(&window[0]) != directory(&window[1]))
}

fn has_queue(state: &Fixture, instance: &str, queue: &str) -> bool {
    state.instances.get(instance).is_some_and(|instance| instance.queues.contains_key(queue))
}

fn has_address(state: &Fixture, instance: &str, address: &str) -> bool {
    state.instances.get(instance).is_some_and(|instance| instance.email_addresses.contains_key(address))
}

fn holds(state: &Fixture, instance: &str, queue: &str, address: &str) -> bool {
    let queue = state.instances.get(instance).and_then(|instance| instance.queues.get(queue));
    queue.is_some_and(|queue| {
        queue.default_email_address_id.as_deref() == Some(address)
            || queue.email_address_ids.iter().any(|id| id == address)
    })
}
