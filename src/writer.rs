//! Writes association requests, for continuations and for dead letters.

use std::collections::HashMap;
use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::index::{PairIndex, QueueIndex};
use crate::pairs::{Pair, Pairs, RequestedQueue};
use crate::requests::{Excerpt, Field, List, Named};

/// An association request. `Reason` is the type of its `failures`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WrittenRequest<'a, Reason = ()> {
    /// The instance of entries that specify none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instance_id: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) dry_run: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) check_queues: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) fail_on_permanent: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fail_on_retryable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) continued: bool,
    pub(crate) associations: Vec<WrittenEntry<'a>>,
    /// The reasons why the entries failed, for a person. The function ignores this field when it reads the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failures: Option<Vec<Reason>>,
}

#[derive(Debug)]
pub(crate) enum WrittenEntry<'a> {
    Pairs(PairsEntry<'a>),
    /// An invalid entry, as the caller wrote it.
    Invalid(&'a RawValue),
    /// An entry whose array contains only its invalid elements.
    Elements(&'a List, Vec<&'a RawValue>),
}

/// An entry for pairs of one queue. All of its addresses are in the same field.
#[derive(Debug, Clone)]
pub struct PairsEntry<'a> {
    /// The instance, if the request names another or none.
    pub instance: Option<&'a str>,
    /// The queue.
    pub queue: Named<&'a str, &'a str>,
    /// `emailAddressIds` or `emailAddresses`.
    pub field: Field,
    /// The identifiers or the addresses.
    pub addresses: Vec<&'a str>,
}

impl<'a> PairsEntry<'a> {
    /// Creates an entry for pairs of a queue. All pairs must give their addresses in the same way, by identifier or by
    /// name.
    pub fn new(queue: &'a RequestedQueue, pairs: impl IntoIterator<Item = &'a Pair>) -> Self {
        let mut field = Field::EmailAddressIds;
        let address = |pair| {
            let (list, address) = list_field(pair);
            field = list;
            address
        };
        let addresses = pairs.into_iter().map(address).collect();
        let instance = Some(&*queue.instance).filter(|instance| !instance.is_empty());
        let queue = queue.queue.as_ref().as_str();
        PairsEntry { instance, queue, field, addresses }
    }
}

/// The list field for a pair's address, and the address.
fn list_field(pair: &Pair) -> (Field, &str) {
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

/// Creates one entry for each queue and list field, in the order of the pairs. An entry contains its instance only if
/// the request contains another instance or none. If every entry contained its instance, a continuation could be larger
/// than the original request.
pub(crate) fn pair_entries<'a>(
    indices: impl IntoIterator<Item = PairIndex>,
    pairs: &'a Pairs,
    of_request: Option<&str>,
) -> Vec<WrittenEntry<'a>> {
    let mut entries: Vec<PairsEntry<'a>> = Vec::new();
    let mut known: HashMap<(QueueIndex, Field), usize> = HashMap::new();
    for index in indices {
        let pair = &pairs.pairs[index];
        let (field, address) = list_field(pair);
        let next = entries.len();
        let position = *known.entry((pair.queue(), field)).or_insert(next);
        if position < next {
            entries[position].addresses.push(address);
        } else {
            let mut entry = PairsEntry::new(&pairs.queues[pair.queue()], [pair]);
            entry.instance = entry.instance.filter(|instance| of_request != Some(*instance));
            entries.push(entry);
        }
    }
    entries.into_iter().map(WrittenEntry::Pairs).collect()
}

/// Creates entries from the excerpts of invalid entries and elements. The elements of one list share an entry. An
/// excerpt of a whole request has no entry.
pub(crate) fn invalid_entries<'a>(excerpts: impl IntoIterator<Item = &'a Excerpt>) -> Vec<WrittenEntry<'a>> {
    let mut entries: Vec<WrittenEntry<'a>> = Vec::new();
    let mut lists: HashMap<*const List, usize> = HashMap::new();
    for excerpt in excerpts {
        match excerpt {
            Excerpt::Element(list, element) => {
                let next = entries.len();
                let position = *lists.entry(Arc::as_ptr(list)).or_insert(next);
                match entries.get_mut(position) {
                    Some(WrittenEntry::Elements(_, elements)) => elements.push(element),
                    _ => entries.push(WrittenEntry::Elements(list, vec![element])),
                }
            }
            Excerpt::Entry(_, entry) => entries.push(WrittenEntry::Invalid(entry)),
            Excerpt::Request(_) | Excerpt::Unreadable(_) => {}
        }
    }
    entries
}

/// Number of bytes that a value takes as JSON.
pub(crate) fn json_size(value: &(impl Serialize + ?Sized)) -> usize {
    let mut counter = ByteCounter(0);
    // The function's own types can always be written as JSON.
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0,
        Err(_) => 0,
    }
}

/// Counts bytes instead of storing them.
struct ByteCounter(usize);

impl std::io::Write for ByteCounter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
