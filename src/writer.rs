//! Writer: association requests as the function writes them itself, for what is left of a request or was refused.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::pairs::{Named, Pair, Pairs, RequestedQueue};
use crate::requests::{Excerpt, Field, List};

/// An association request.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WrittenRequest<'a> {
    /// The instance of entries that name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instance_id: Option<&'a str>,
    /// Written if it is true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) dry_run: bool,
    /// Written if it is true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) check_queues: bool,
    /// Written if it is true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) fail_on_permanent: bool,
    /// Written if the request is to say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fail_on_retryable: Option<bool>,
    /// The caller's own name for the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<&'a str>,
    /// The function continues an earlier request with it. Written if it is true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) continued: bool,
    /// The entries.
    pub(crate) associations: Vec<WrittenEntry<'a>>,
    /// Why they failed, for a person. The function passes over it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failures: Option<Value>,
}

/// One entry of a request.
#[derive(Debug)]
pub(crate) enum WrittenEntry<'a> {
    /// Pairs.
    Pairs(PairsEntry<'a>),
    /// An invalid entry, as it stood.
    Invalid(&'a RawValue),
    /// An entry of whose list only the invalid elements are left.
    Elements(&'a List, Vec<&'a RawValue>),
}

/// An entry for pairs of one queue, whose addresses are all named in one way.
#[derive(Debug, Clone)]
pub struct PairsEntry<'a> {
    /// The instance, where the request does not say it.
    pub instance: Option<&'a str>,
    /// The queue.
    pub queue: Named<&'a str>,
    /// `emailAddressIds` or `emailAddresses`.
    pub field: Field,
    /// The identifiers or the addresses.
    pub addresses: Vec<&'a str>,
}

impl<'a> PairsEntry<'a> {
    /// An entry for pairs of a queue. They must all be named in the way in which the first one is.
    pub fn new(queue: &'a RequestedQueue, pairs: impl IntoIterator<Item = &'a Pair>) -> Self {
        let mut field = Field::EmailAddressIds;
        let mut address = |pair: &'a Pair| {
            let (field_of_pair, address) = listed(pair);
            field = field_of_pair;
            address
        };
        let addresses = pairs.into_iter().map(&mut address).collect();
        let (instance, queue) = (Some(&*queue.instance), queue.queue.as_ref().as_str());
        PairsEntry { instance, queue, field, addresses }
    }
}

/// The list that a pair's address stands in, and the address.
fn listed(pair: &Pair) -> (Field, &str) {
    match pair.address() {
        Named::Id(id) => (Field::EmailAddressIds, id),
        Named::Name(address) => (Field::EmailAddresses, address),
    }
}

impl Serialize for PairsEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(instance) = self.instance {
            map.serialize_entry(Field::InstanceId.name(), instance)?;
        }
        match self.queue {
            Named::Id(id) => map.serialize_entry(Field::QueueId.name(), id)?,
            Named::Name(name) => map.serialize_entry(Field::QueueName.name(), name)?,
        }
        map.serialize_entry(self.field.name(), &self.addresses)?;
        map.end()
    }
}

impl Serialize for WrittenEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            WrittenEntry::Pairs(entry) => entry.serialize(serializer),
            WrittenEntry::Invalid(entry) => entry.serialize(serializer),
            WrittenEntry::Elements(list, elements) => {
                let mut map = serializer.serialize_map(None)?;
                for (field, value) in &list.others {
                    map.serialize_entry(field.name(), value)?;
                }
                map.serialize_entry(list.field.name(), elements)?;
                map.end()
            }
        }
    }
}

/// One entry for each queue and way of naming addresses, in the order of the pairs. An instance is written where it is
/// not that of the request: written in each entry it would make what is left larger than what was asked for.
pub(crate) fn pair_entries<'a>(
    numbers: impl IntoIterator<Item = usize>,
    pairs: &'a Pairs,
    of_request: Option<&str>,
) -> Vec<WrittenEntry<'a>> {
    let mut entries: Vec<PairsEntry<'a>> = Vec::new();
    let mut known: HashMap<(usize, Field), usize> = HashMap::new();
    for number in numbers {
        let pair = &pairs.pairs[number];
        let (field, address) = listed(pair);
        match known.entry((pair.queue(), field)) {
            Slot::Occupied(entry) => entries[*entry.get()].addresses.push(address),
            Slot::Vacant(slot) => {
                slot.insert(entries.len());
                let mut entry = PairsEntry::new(&pairs.queues[pair.queue()], [pair]);
                entry.instance = entry.instance.filter(|instance| of_request != Some(*instance));
                entries.push(entry);
            }
        }
    }
    entries.into_iter().map(WrittenEntry::Pairs).collect()
}

/// Invalid entries, and entries of invalid elements; excerpts of whole requests are none. Elements of one list stand side
/// by side.
pub(crate) fn invalid_entries<'a>(excerpts: impl IntoIterator<Item = &'a Excerpt>) -> Vec<WrittenEntry<'a>> {
    let mut entries: Vec<WrittenEntry<'a>> = Vec::new();
    for excerpt in excerpts {
        match (excerpt, entries.last_mut()) {
            (Excerpt::Element(list, element), Some(WrittenEntry::Elements(last, elements)))
                if std::ptr::eq(Arc::as_ptr(list), *last) =>
            {
                elements.push(element);
            }
            (Excerpt::Element(list, element), _) => {
                entries.push(WrittenEntry::Elements(list, vec![element]));
            }
            (Excerpt::Entry(_, entry), _) => entries.push(WrittenEntry::Invalid(entry)),
            (Excerpt::Request(_) | Excerpt::Unreadable(_), _) => {}
        }
    }
    entries
}

/// How many bytes something takes as JSON.
pub(crate) fn json_size(value: &(impl Serialize + ?Sized)) -> usize {
    // Nothing that the function writes can fail to be written.
    serde_json::to_vec(value).map_or(0, |json| json.len())
}
