//! Writer: association requests as the function writes them itself, for what is left of a request.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::pairs::{Named, Pairs};
use crate::requests::Field;

/// One entry for each queue and way of naming addresses, in the order of the pairs. An instance is written where it is
/// not that of the request: written in each entry it would make what is left larger than what was asked for.
pub(crate) fn pair_entries(
    numbers: impl IntoIterator<Item = usize>,
    pairs: &Pairs,
    of_request: Option<&str>,
) -> Vec<Value> {
    let mut entries: Vec<(usize, Field, Vec<Value>)> = Vec::new();
    let mut known: HashMap<(usize, Field), usize> = HashMap::new();
    for number in numbers {
        let pair = &pairs.pairs[number];
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

/// How many bytes something takes as JSON.
pub(crate) fn json_size(value: &(impl Serialize + ?Sized)) -> usize {
    // Nothing that the function writes can fail to be written.
    serde_json::to_vec(value).map_or(0, |json| json.len())
}
