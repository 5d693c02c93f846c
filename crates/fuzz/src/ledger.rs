//! Checks that each requested pair is associated, listed, reported or sent on.

use std::collections::{BTreeMap, BTreeSet};

use connect_simulator::{Fixture, Operation};
use serde_json::Value;
use testbed::world::{Ending, World};

use crate::hostile::INSTANCE;
use crate::requested::{Leaf, Payload, Read, Requested, Written, parse};

/// Checks the result of an invocation.
///
/// # Errors
/// The pairs or texts that were lost, or that were not requested.
pub(crate) fn check(world: &World, requested: Option<&Payload>, ending: &Ending) -> Result<(), String> {
    let Some(requested) = requested else { return Ok(()) };
    let observed = ObservedState::new(world);
    observed.nothing_unrequested(&requested.reads())?;
    let Ok(answer) = ending else { return Ok(()) };
    match requested {
        Payload::Batch(messages) => {
            let listed: BTreeSet<&str> = answer["batchItemFailures"]
                .as_array()
                .ok_or("the answer to a batch lists nothing")?
                .iter()
                .filter_map(|failure| failure["itemIdentifier"].as_str())
                .collect();
            let known: BTreeSet<&str> = messages.iter().map(|(id, _)| id.as_str()).collect();
            if !listed.is_subset(&known) {
                return Err("a message is listed that was not in the batch".to_owned());
            }
            let done = messages.iter().filter(|(id, _)| !listed.contains(id.as_str()));
            for (id, read) in done {
                observed
                    .accounted(read, None)
                    .map_err(|lost| format!("message {id} is done, but {lost} is lost"))?;
            }
        }
        Payload::Event(reads) => {
            for read in reads {
                observed
                    .accounted(read, None)
                    .map_err(|lost| format!("the event is done, but {lost} is lost"))?;
            }
        }
        Payload::Report(reads) => {
            adds_up(answer)?;
            let reported = Reported::new(answer);
            for read in reads {
                observed
                    .accounted(read, Some(&reported))
                    .map_err(|lost| format!("{lost} is not in the report"))?;
            }
        }
    }
    Ok(())
}

/// Checks the redelivery of a message from the failures queue. It may only associate pairs that are among its failures
/// as pairs.
///
/// # Errors
/// The pair that was associated although it had been rejected as invalid.
pub(crate) fn check_redriven(world: &World, body: &str) -> Result<(), String> {
    let body = parse(body).ok_or("a sent message is no JSON")?;
    // A request that was rejected as a whole may have the fields of an envelope. The next reading removes that
    // envelope.
    if ["unreadable", "Type", "detail"].iter().any(|name| body.get(name).is_some()) {
        return Ok(());
    }
    let observed = ObservedState::new(world);
    let mut valid = Requested::default();
    for failure in body["failures"].as_array().into_iter().flatten() {
        let queue = written(failure, "queueId", "queueName");
        let one = written(failure, "emailAddressId", "emailAddress");
        // Failures that differ only in their address are merged.
        let list = |field: &str| failure[field].as_array().cloned().unwrap_or_default();
        let text = |address: Value| address.as_str().unwrap_or_default().to_owned();
        let ids = list("emailAddressIds").into_iter().map(text).map(Written::Id);
        let names = list("emailAddresses").into_iter().map(text).map(Written::Name);
        let addresses = std::iter::once(one).chain(ids).chain(names);
        valid.leaves.extend(addresses.map(|address| Leaf { queue: queue.clone(), address }));
    }
    match observed.unrequested([&valid].into_iter()) {
        Some((queue, address)) => {
            Err(format!("{address} was refused as invalid, but a redrive associates it with {queue}"))
        }
        None => Ok(()),
    }
}

fn adds_up(report: &Value) -> Result<(), String> {
    let count = |name: &str| report[name].as_u64().ok_or_else(|| format!("the report has no {name}"));
    let came = count("associated")? + count("alreadyAssociated")? + count("planned")? + count("failed")?;
    if came != count("distinct")? {
        return Err(format!("the report's {came} outcomes are not its {} pairs", count("distinct")?));
    }
    let listed = report["failures"].as_array().map_or(0, Vec::len) as u64 + count("failuresOmitted")?;
    if listed != count("failed")? {
        return Err(format!("the report counts {} failures and has {listed}", count("failed")?));
    }
    Ok(())
}

/// What a run did, indexed by pair.
struct ObservedState {
    /// The pairs that are now on the queues: identifiers of queue and address.
    associated: BTreeSet<(String, String)>,
    /// The pairs in calls: identifiers of instance, queue and address.
    called: BTreeSet<(String, String, String)>,
    /// The texts of the sent messages that cannot be read. The next field has the leaves of the other messages.
    sent_texts: BTreeSet<String>,
    sent_leaves: BTreeSet<Leaf>,
    queue_names: BTreeMap<String, BTreeSet<String>>,
    address_names: BTreeMap<String, BTreeSet<String>>,
}

impl ObservedState {
    fn new(world: &World) -> Self {
        let queues = world.connect.associations().into_values().flatten();
        let associated = queues
            .flat_map(|(queue, addresses)| addresses.into_iter().map(move |address| (queue.clone(), address)))
            .collect();
        let calls = world.connect.calls().into_iter();
        let called = calls
            .filter(|call| call.operation == Operation::AssociateQueueEmailAddresses)
            .flat_map(|call| {
                let (instance, queue) = (call.instance, call.queue.unwrap_or_default());
                call.addresses.into_iter().map(move |address| (instance.clone(), queue.clone(), address))
            })
            .collect();
        let (mut sent_texts, mut sent_leaves) = (BTreeSet::new(), BTreeSet::new());
        for sent in world.sqs.sent() {
            match Read::body(&sent.text) {
                Read::Unreadable(text) => {
                    sent_texts.insert(text);
                }
                Read::Request(requested) => sent_leaves.extend(requested.leaves),
            }
        }
        let (queue_names, address_names) = names(&world.connect.content());
        ObservedState { associated, called, sent_texts, sent_leaves, queue_names, address_names }
    }

    /// Checks that no leaf of a source is lost. The error describes the first lost leaf.
    fn accounted(&self, read: &Read, report: Option<&Reported>) -> Result<(), String> {
        match read {
            Read::Unreadable(_) if report.is_some() => Ok(()),
            // A text that was unreadable in its record may be readable as a separate message.
            Read::Unreadable(text) => match Read::body(text) {
                Read::Unreadable(text) if self.sent_texts.contains(&text) => Ok(()),
                Read::Request(requested) if requested.leaves.is_subset(&self.sent_leaves) => Ok(()),
                _ => Err("a body that cannot be read".to_owned()),
            },
            Read::Request(requested) if requested.dry_run => Ok(()),
            Read::Request(requested) => {
                let lost = requested.leaves.iter().find(|leaf| {
                    let found = self.is_associated(leaf)
                        || self.stands_in(leaf, &self.sent_leaves)
                        || report.is_some_and(|report| report.more || self.stands_in(leaf, &report.leaves));
                    !found
                });
                lost.map_or(Ok(()), |leaf| Err(format!("{leaf:?}")))
            }
        }
    }

    fn is_associated(&self, leaf: &Leaf) -> bool {
        !self.pairs(leaf).is_disjoint(&self.associated)
    }

    /// Returns whether `others` contains the leaf, or another leaf of the same pair.
    fn stands_in(&self, leaf: &Leaf, others: &BTreeSet<Leaf>) -> bool {
        let pairs = self.pairs(leaf);
        others.contains(leaf) || others.iter().any(|other| !self.pairs(other).is_disjoint(&pairs))
    }

    /// Returns the identifiers of every pair that a leaf may refer to.
    fn pairs(&self, leaf: &Leaf) -> BTreeSet<(String, String)> {
        let addresses = self.ids(&leaf.address, &self.address_names);
        let queues = self.ids(&leaf.queue, &self.queue_names);
        queues
            .iter()
            .flat_map(|queue| addresses.iter().map(|address| (queue.clone(), address.clone())))
            .collect()
    }

    fn ids(&self, written: &Written, names: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
        match written {
            Written::Id(id) => BTreeSet::from([id.clone()]),
            Written::Name(name) => {
                let folded =
                    if std::ptr::eq(names, &self.address_names) { name.to_lowercase() } else { name.clone() };
                names.get(&folded).cloned().unwrap_or_default()
            }
            Written::Other(_) | Written::Nothing => BTreeSet::new(),
        }
    }

    /// Checks that every pair in a call or a message was requested, and that no call contains a pair of a dry run or of
    /// a request that looks like a dry run.
    fn nothing_unrequested(&self, reads: &[&Read]) -> Result<(), String> {
        let requested = || {
            reads.iter().filter_map(|read| match read {
                Read::Request(requested) => Some(requested),
                Read::Unreadable(_) => None,
            })
        };
        if let Some((queue, address)) =
            self.unrequested(requested().filter(|requested| !requested.dry_run && !requested.looks_dry))
        {
            return Err(format!("nobody asked for {address} on {queue}"));
        }
        let instances: BTreeSet<&str> = requested()
            .flat_map(|requested| &requested.instances)
            .map(String::as_str)
            .chain([INSTANCE])
            .collect();
        if let Some((instance, ..)) =
            self.called.iter().find(|(instance, ..)| !instances.contains(&**instance))
        {
            return Err(format!("nobody named the instance {instance}"));
        }
        let leaves: BTreeSet<&Leaf> = requested().flat_map(|requested| &requested.leaves).collect();
        // A source that this reading rejects may still be a valid request.
        let all_read = reads.iter().all(|read| matches!(read, Read::Request(_)));
        match self.sent_leaves.iter().find(|leaf| !leaves.contains(leaf)) {
            Some(leaf) if all_read => Err(format!("{leaf:?} was sent on, and nobody asked for it")),
            _ => Ok(()),
        }
    }

    /// Returns a called queue and address that were not requested, if there are any.
    fn unrequested<'a>(&self, requested: impl Iterator<Item = &'a Requested>) -> Option<(&str, &str)> {
        let mut wanted = BTreeSet::new();
        for leaf in requested.flat_map(|requested| &requested.leaves) {
            for queue in self.ids(&leaf.queue, &self.queue_names) {
                for address in self.ids(&leaf.address, &self.address_names) {
                    wanted.insert((queue.clone(), address));
                }
            }
        }
        let unrequested = self
            .called
            .iter()
            .find(|(_, queue, address)| !wanted.contains(&(queue.clone(), address.clone())));
        unrequested.map(|(_, queue, address)| (&**queue, &**address))
    }
}

/// The failures of a report.
struct Reported {
    leaves: BTreeSet<Leaf>,
    /// Whether the report has failures that cannot be looked up. For an invalid entry it has only the entry's path, and
    /// it omits failures that do not fit.
    more: bool,
}

impl Reported {
    fn new(report: &Value) -> Self {
        let failures = || report["failures"].as_array().into_iter().flatten();
        let leaf = |failure: &Value| Leaf {
            queue: written(failure, "queueId", "queueName"),
            address: written(failure, "emailAddressId", "emailAddress"),
        };
        let more = report["failuresOmitted"] != 0 || failures().any(|f| f["error"] == "InvalidRequest");
        Reported { leaves: failures().map(leaf).collect(), more }
    }
}

/// Returns how a failure refers to its queue or its address.
fn written(failure: &Value, id: &str, name: &str) -> Written {
    match (failure[id].as_str(), failure[name].as_str()) {
        (Some(id), _) => Written::Id(id.to_owned()),
        (None, Some(name)) => Written::Name(name.to_owned()),
        (None, None) => Written::Nothing,
    }
}

type Names = BTreeMap<String, BTreeSet<String>>;

/// Returns the names of all queues, and all addresses in lower case, each with the identifiers that have it.
fn names(fixture: &Fixture) -> (Names, Names) {
    let (mut queues, mut addresses) = (Names::new(), Names::new());
    for instance in fixture.instances.values() {
        for (id, queue) in &instance.queues {
            queues.entry(queue.name.clone().unwrap_or_default()).or_default().insert(id.clone());
        }
        for (id, address) in &instance.email_addresses {
            addresses.entry(address.to_lowercase()).or_default().insert(id.clone());
        }
    }
    (queues, addresses)
}
