//! Checks that each requested pair is associated, listed, reported or sent on, and that no other pair is.

use std::collections::{BTreeMap, BTreeSet};

use connect_simulator::{Fixture, Operation};
use serde_json::Value;
use testbed::world::{Ending, INSTANCE, World};

use crate::json::Json;
use crate::requested::{Pair, Reader, Requested};

/// Checks the result of an invocation. An error has the pair that was lost, or that was not requested.
pub(crate) fn check(world: &World, payload: &[u8], ending: &Ending) -> Result<(), String> {
    let sent = world.sqs.sent();
    if ending.is_err() && world.call_count() == 0 && sent.is_empty() {
        return Ok(());
    }
    let content = world.connect.content();
    let reader = Reader::new(&content);
    let Some((is_reported, sources)) = reader.payload(payload) else { return Ok(()) };
    let mut requested: BTreeMap<&Pair, bool> = BTreeMap::new();
    for (pair, may_associate) in sources.iter().flat_map(|(_, requested)| &requested.pairs) {
        *requested.entry(pair).or_default() |= may_associate;
    }
    let unrequested = |pair: &Pair| format!("{:?} on {:?} was not requested, but ", pair.1, pair.0);
    if let Some(pair) = called(world, payload)?.iter().find(|pair| requested.get(pair) != Some(&true)) {
        return Err(unrequested(pair) + "called");
    }
    let sent: BTreeSet<Pair> =
        sent.into_iter().flat_map(|sent| reader.body(sent.text).pairs.into_keys()).collect();
    if let Some(pair) = sent.iter().find(|pair| !requested.contains_key(pair)) {
        return Err(unrequested(pair) + "sent on");
    }
    let Ok(answer) = ending else { return Ok(()) };
    let listed = elements(answer, "batchItemFailures").filter_map(|listed| listed["itemIdentifier"].as_str());
    let listed: BTreeSet<&str> = listed.collect();
    if !listed.is_subset(&sources.iter().map(|(id, _)| &**id).collect()) {
        return Err("a message is listed that was not in the batch".to_owned());
    }
    let mut reported = Requested::default();
    if is_reported {
        adds_up(answer)?;
        // The report omits failures that do not fit, and the failure of an invalid entry has only a path.
        let is_invalid = |failure: &Value| failure["error"] == "InvalidRequest";
        if answer["failuresOmitted"] != 0 || elements(answer, "failures").any(is_invalid) {
            return Ok(());
        }
        reported = failed(answer, &reader);
    }
    let associated = associated(&content);
    let is_lost = |pair: &&Pair| {
        !associated.contains(pair) && !sent.contains(pair) && !reported.pairs.contains_key(pair)
    };
    for (id, source) in sources.iter().filter(|(id, source)| !source.dry_run && !listed.contains(&**id)) {
        if let Some((queue, address)) = source.pairs.keys().find(is_lost) {
            return Err(format!("the source {id:?} is done, but {address:?} on {queue:?} is lost"));
        }
    }
    Ok(())
}

/// Checks the redelivery of a message from the failures queue. It may only associate pairs that are among its failures
/// as pairs.
pub(crate) fn check_redriven(world: &World, body: &str) -> Result<(), String> {
    let sent: Value = serde_json::from_str(body).unwrap_or_default();
    // A request that was rejected as a whole may have the fields of an envelope. The redelivery removes that envelope.
    if ["unreadable", "Type", "detail"].iter().any(|name| sent.get(name).is_some()) {
        return Ok(());
    }
    let failed = failed(&sent, &Reader::new(&world.connect.content()));
    match called(world, body.as_bytes())?.iter().find(|pair| !failed.pairs.contains_key(pair)) {
        Some((queue, address)) => {
            Err(format!("{address:?} on {queue:?} was invalid, but a redrive calls it"))
        }
        None => Ok(()),
    }
}

fn elements<'v>(value: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> {
    value[field].as_array().into_iter().flatten()
}

/// Returns the pairs in the failures of a report or a message.
fn failed(value: &Value, reader: &Reader) -> Requested {
    let mut requested = Requested::default();
    for failure in elements(value, "failures").filter_map(|failure| Json::parse(&failure.to_string())) {
        reader.entry(&failure, false, &mut requested);
    }
    requested
}

fn adds_up(report: &Value) -> Result<(), String> {
    let count = |name: &str| report[name].as_u64().ok_or_else(|| format!("the report has no {name}"));
    let outcomes = count("associated")? + count("alreadyAssociated")? + count("planned")? + count("failed")?;
    let failures = elements(report, "failures").count() as u64 + count("failuresOmitted")?;
    if (outcomes, failures) == (count("distinct")?, count("failed")?) {
        return Ok(());
    }
    Err(format!("a report of {outcomes} outcomes and {failures} failures counts other numbers"))
}

/// Returns the pairs on the queues.
fn associated(content: &Fixture) -> BTreeSet<Pair> {
    let queues = content.instances.values().flat_map(|instance| &instance.queues);
    let pairs = queues.flat_map(|(id, queue)| {
        queue.email_address_ids.iter().map(move |address| (id.as_str().into(), address.clone()))
    });
    pairs.collect()
}

/// Returns the pairs in calls. Fails for an identifier that has a meaning in a URI, or an instance that was not requested.
fn called(world: &World, payload: &[u8]) -> Result<BTreeSet<Pair>, String> {
    let mut called = BTreeSet::new();
    for call in world.calls(Operation::AssociateQueueEmailAddresses) {
        let queue = call.queue.unwrap_or_default();
        if call.instance != INSTANCE && !String::from_utf8_lossy(payload).contains(&call.instance) {
            return Err(format!("the instance {:?} was not requested, but called", call.instance));
        }
        if let Some(id) = call.addresses.iter().chain([&call.instance, &queue]).find(|id| !is_plain(id)) {
            return Err(format!("{id:?} was accepted as an identifier"));
        }
        called.extend(call.addresses.into_iter().map(|address| (queue.as_str().into(), address)));
    }
    Ok(called)
}

fn is_plain(id: &str) -> bool {
    (1..=500).contains(&id.len())
        && !matches!(id, "." | "..")
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}
