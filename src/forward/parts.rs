//! Parts: the failures of one source, divided so that SQS accepts the message of each part.

use std::collections::HashSet;
use std::sync::Arc;

use crate::failures::{Failed, Origin};
use crate::index::QueueIndex;
use crate::pairs::Pairs;
use crate::requests::{Excerpt, List, Named};
use crate::writer::json_size;

/// Size limit of a part in bytes. A message may be slightly larger, because SQS accepts 1 MiB.
const PART_BYTES: usize = 1_000_000;
/// Bytes for the field names of an entry and for the punctuation around them.
const FRAME: usize = 100;

pub(super) type Part<'f> = Vec<(usize, &'f Failed)>;

/// An entry of a message. Its failures share the text of the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Entry {
    /// An entry of pairs: the number of the queue, and whether the entry names its addresses by address.
    Pairs(QueueIndex, bool),
    /// An entry of invalid elements. They all point to the same list.
    Elements(*const List),
}

/// The bytes that a failure adds to a message.
struct Size {
    own: usize,
    /// The entry of the failure, and the bytes of the entry without the failure.
    entry: Option<(Entry, usize)>,
}

/// Divides the failures of a source. Each comes with its number.
pub(super) fn parts<'f>(
    failures: &[(usize, &'f Failed)],
    with_reasons: bool,
    pairs: &Pairs,
) -> Vec<Part<'f>> {
    let mut parts = vec![Part::new()];
    let mut entries = HashSet::new();
    let mut bytes = 0;
    for (number, failed) in failures {
        let mut size = size(failed, pairs);
        size.own += 1 + if with_reasons { json_size(failed) + 1 } else { 0 };
        let frame = |entries: &HashSet<Entry>| match size.entry {
            Some((entry, frame)) if !entries.contains(&entry) => frame,
            _ => 0,
        };
        if bytes + size.own + frame(&entries) > PART_BYTES && bytes > 0 {
            parts.push(Part::new());
            entries.clear();
            bytes = 0;
        }
        bytes += size.own + frame(&entries);
        entries.extend(size.entry.map(|(entry, _)| entry));
        if let Some(part) = parts.last_mut() {
            part.push((*number, *failed));
        }
    }
    parts
}

/// The size of a failure without its reason.
fn size(failed: &Failed, pairs: &Pairs) -> Size {
    match failed.origin {
        Origin::Pair { pair, .. } => of_pair(failed, pairs.pairs[pair].queue()),
        Origin::Invalid(number) => match &pairs.invalid[number].1.excerpt {
            Some(Excerpt::Element(list, element)) => {
                let others = list.others.iter().map(|(field, value)| field.name().len() + value.get().len());
                let frame = FRAME + others.sum::<usize>();
                Size { own: element.get().len(), entry: Some((Entry::Elements(Arc::as_ptr(list)), frame)) }
            }
            Some(Excerpt::Entry(_, entry)) => Size { own: entry.get().len(), entry: None },
            // A whole request is never divided.
            Some(Excerpt::Request(_) | Excerpt::Unreadable(_)) | None => Size { own: 0, entry: None },
        },
    }
}

fn of_pair(failed: &Failed, queue: QueueIndex) -> Size {
    let by_address = matches!(failed.address, Some(Named::Name(_)));
    let address = failed.address.as_ref().map_or(0, |address| json_size(address.as_ref().text()));
    let name = failed.queue.as_ref().map_or(0, |queue| json_size(queue.as_ref().text()));
    let instance = failed.instance_id.as_ref().map_or(0, json_size);
    Size { own: address, entry: Some((Entry::Pairs(queue, by_address), FRAME + name + instance)) }
}
