//! Divides the failures of one source, so that SQS accepts a message for each part.

use std::collections::HashSet;
use std::sync::Arc;

use crate::index::{QueueIndex, ReasonIndex};
use crate::pairs::Pairs;
use crate::requests::{Excerpt, List, Named};
use crate::writer::json_size;

use super::FailureEntry;
use super::body::excerpt;
use super::reasons::Reasons;

/// Maximum size of a part in bytes. A message may be slightly larger, because SQS accepts 1 MiB.
const PART_BYTES: usize = 1_000_000;
/// Maximum number of bytes of the field names of an entry, with their punctuation.
const FRAME: usize = 60;

/// Something that several failures of a message share. It is written once in each message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Shared {
    /// An entry of pairs: the queue, and whether the addresses are given by name.
    Pairs(QueueIndex, bool),
    /// An entry of invalid elements of one list.
    Elements(*const List),
    /// A reason.
    Reason(ReasonIndex),
}

/// The bytes that a failure adds to a message, apart from its reason.
struct EntrySize {
    own: usize,
    /// The entry of the failure.
    entry: Option<Shared>,
    /// The bytes of the values that the entry has once.
    values: usize,
    /// The bytes of the instance, which the entry may have.
    instance: usize,
}

/// Divides the failures of a source. A part has the positions of its failures, in ascending order.
pub(super) fn parts(entries: &[&FailureEntry], reasons: Option<&Reasons>, pairs: &Pairs) -> Vec<Vec<usize>> {
    let mut positions: Vec<usize> = (0..entries.len()).collect();
    if let Some(reasons) = reasons {
        // A reason that is in few parts is written few times.
        positions.sort_by_key(|position| reasons.of(*position).0);
    }
    let mut parts = vec![Vec::new()];
    let mut written: HashSet<Shared> = HashSet::new();
    let mut bytes = 0;
    for position in positions {
        let EntrySize { mut own, entry, values, instance } = entry_size(entries[position], pairs);
        let reason = reasons.map(|reasons| reasons.of(position));
        if reason.is_some() {
            own += address_size(entries[position]);
        }
        let entry = entry.map(|entry| (entry, FRAME + values + instance));
        let shared = [entry, reason.map(|(reason, bytes)| (Shared::Reason(reason), bytes))];
        let shared = shared.into_iter().flatten();
        let missing = |written: &HashSet<Shared>| -> usize {
            shared.clone().filter(|(shared, _)| !written.contains(shared)).map(|(_, bytes)| bytes).sum()
        };
        if bytes + own + missing(&written) > PART_BYTES && bytes > 0 {
            parts.push(Vec::new());
            written.clear();
            bytes = 0;
        }
        bytes += own + missing(&written);
        written.extend(shared.clone().map(|(shared, _)| shared));
        if let Some(part) = parts.last_mut() {
            part.push(position);
        }
    }
    parts.iter_mut().for_each(|part| part.sort_unstable());
    parts
}

/// About the bytes that a caller needs to request what failed.
pub(super) fn requested_bytes(entries: &[&FailureEntry], pairs: &Pairs) -> usize {
    let mut written: HashSet<Shared> = HashSet::new();
    let sizes = entries.iter().map(|entry| entry_size(entry, pairs));
    let bytes = sizes.map(|size| match size.entry {
        Some(entry) if written.insert(entry) => size.own + size.values + FRAME / 2,
        _ => size.own,
    });
    bytes.sum()
}

fn entry_size(entry: &FailureEntry, pairs: &Pairs) -> EntrySize {
    let alone = |own| EntrySize { own, entry: None, values: 0, instance: 0 };
    if let Some(pair) = entry.pair() {
        let by_address = matches!(entry.address, Some(Named::Name(_)));
        return EntrySize {
            own: address_size(entry),
            entry: Some(Shared::Pairs(pairs.pairs[pair].queue(), by_address)),
            values: entry.queue.as_ref().map_or(0, |queue| json_size(queue.as_ref().text())),
            instance: entry.instance_id.as_ref().map_or(0, json_size),
        };
    }
    match excerpt(entry, pairs) {
        Some(Excerpt::Element(list, element)) => EntrySize {
            own: element.get().len() + 1,
            entry: Some(Shared::Elements(Arc::as_ptr(list))),
            values: list.others.iter().map(|(field, value)| field.name().len() + value.get().len() + 4).sum(),
            instance: 0,
        },
        Some(Excerpt::Entry(_, entry)) => alone(entry.get().len() + 1),
        // A whole request is never divided.
        Some(Excerpt::Request(request)) => alone(request.get().len()),
        Some(Excerpt::Unreadable(text)) => alone(text.len()),
        None => alone(0),
    }
}

/// The bytes of the address of a pair, with its comma.
fn address_size(entry: &FailureEntry) -> usize {
    entry.address.as_ref().map_or(0, |address| json_size(address.as_ref().text()) + 1)
}
