//! What is left of a request, as a request to send again.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::pairs::{Named, Pairs};
use crate::requests::Field;

use super::{Failed, Failures, Origin};

/// Live pairs and dry ones are left, which no single request can ask for.
#[derive(Debug)]
pub(super) struct Mixed;

/// The pairs that may succeed later, of requests that want them back instead of an error (`"failOnRetryable": false`);
/// nothing if there are none. It says so itself, so that a state machine can loop on it.
///
/// # Errors
/// Where items of a Distributed Map batch are left of which some are dry runs and some are not.
pub(super) fn remaining(failures: &Failures, pairs: &Pairs) -> Result<Option<Value>, Mixed> {
    let wanted = |dry: bool| {
        failures.as_slice().iter().filter(move |failed| {
            let of_that_kind = matches!(failed.origin, Origin::Pair { dry_run, .. } if dry_run == dry);
            failed.retryable && !failed.fail_on_retryable && of_that_kind
        })
    };
    let dry_run = wanted(true).next().is_some();
    if dry_run && wanted(false).next().is_some() {
        return Err(Mixed);
    }
    let mut left = wanted(dry_run).peekable();
    if left.peek().is_none() {
        return Ok(None);
    }
    let mut request = Map::new();
    if dry_run {
        request.insert(Field::DryRun.name().to_owned(), true.into());
    }
    if wanted(dry_run).all(|failed| failed.fail_on_permanent) {
        request.insert(Field::FailOnPermanent.name().to_owned(), true.into());
    }
    request.insert(Field::FailOnRetryable.name().to_owned(), false.into());
    let instance = left.peek().and_then(|failed| failed.instance_id.clone());
    let entries = pair_entries(left, pairs, instance.as_deref());
    if let Some(instance) = instance {
        request.insert(Field::InstanceId.name().to_owned(), (*instance).into());
    }
    request.insert(Field::Associations.name().to_owned(), entries.into());
    Ok(Some(Value::Object(request)))
}

/// One entry for each queue and way of naming addresses, in the order of the failures. An instance is written where it is
/// not that of the request: written in each entry it would make what is left larger than what was asked for.
pub(crate) fn pair_entries<'f>(
    failures: impl IntoIterator<Item = &'f Failed>,
    pairs: &Pairs,
    of_request: Option<&str>,
) -> Vec<Value> {
    let mut entries: Vec<(usize, Field, Vec<Value>)> = Vec::new();
    let mut known: HashMap<(usize, Field), usize> = HashMap::new();
    for failed in failures {
        let Origin::Pair { pair, .. } = failed.origin else { continue };
        let pair = &pairs.pairs[pair];
        let (field, address) = match pair.address() {
            Named::Id(id) => (Field::EmailAddressIds, id),
            Named::Name(address) => (Field::EmailAddresses, address),
        };
        let entry = *known.entry((pair.queue(), field)).or_insert_with(|| {
            entries.push((pair.queue(), field, Vec::new()));
            entries.len() - 1
        });
        entries[entry].2.push(Value::from(&**address));
    }
    let entry = |(queue, field, addresses): (usize, Field, Vec<Value>)| {
        let queue = &pairs.queues[queue];
        let (queue_field, name) = match &queue.queue {
            Named::Id(id) => (Field::QueueId, id),
            Named::Name(name) => (Field::QueueName, name),
        };
        let mut entry = json!({ queue_field.name(): &**name, field.name(): addresses });
        if of_request != Some(&*queue.instance) {
            entry[Field::InstanceId.name()] = (*queue.instance).into();
        }
        entry
    };
    entries.into_iter().map(entry).collect()
}
