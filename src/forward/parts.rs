//! Parts: the failures of one source, cut so that each part makes a message that SQS takes.

use std::collections::HashSet;

use crate::failures::{Failed, NamedAddress, NamedQueue, Origin};
use crate::pairs::Pairs;
use crate::requests::{Field, Path};
use crate::writer::json_size;

use super::original::{List, Original};

/// The bytes that a part may have. A message may have some more: SQS takes 1 MiB.
const PART_BYTES: usize = 1_000_000;
/// The names of an entry's fields, and what stands around and between them.
const FRAME: usize = 100;

/// Failures with their numbers.
pub(super) type Part<'f> = Vec<(usize, &'f Failed)>;

/// An entry of a message: what is said in it once, however many failures share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Entry {
    /// Of pairs: a queue, and whether its addresses are named by address.
    Pairs(usize, bool),
    /// Of the invalid elements of a list.
    Elements(Option<usize>, Field),
}

/// What a failure adds to a message, in bytes.
struct Size {
    own: usize,
    /// The entry that it stands in, and what that takes without it.
    entry: Option<(Entry, usize)>,
}

/// Cuts the failures of a source, given with their numbers, and the request that they were found in.
pub(super) fn parts<'f>(
    failures: &[(usize, &'f Failed)],
    with_reasons: bool,
    pairs: &Pairs,
    original: Option<Original<'_, '_>>,
) -> Vec<Part<'f>> {
    let mut sizes = Sizes { with_reasons, pairs, original, list: None };
    let mut parts = vec![Part::new()];
    let mut entries = HashSet::new();
    let mut bytes = 0;
    for (number, failed) in failures {
        let size = sizes.of(failed);
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

/// Finds the sizes of failures one after the other.
struct Sizes<'j, 'a> {
    with_reasons: bool,
    pairs: &'j Pairs,
    original: Option<Original<'j, 'a>>,
    /// The list that the last element was of, and the size of its entry without it: there may be a million elements.
    list: Option<(Entry, usize, List<'j, 'a>)>,
}

impl Sizes<'_, '_> {
    fn of(&mut self, failed: &Failed) -> Size {
        let reason = if self.with_reasons { json_size(failed) + 1 } else { 0 };
        let Size { own, entry } = match failed.origin {
            Origin::Pair { pair, .. } => of_pair(failed, self.pairs.pairs[pair].queue()),
            Origin::Invalid(path) => self.of_invalid(path),
        };
        Size { own: reason + own + 1, entry }
    }

    /// What is invalid goes as it stood in the request.
    fn of_invalid(&mut self, path: Path) -> Size {
        let Some(original) = self.original else { return Size { own: 0, entry: None } };
        let element = path.list_element().and_then(|(field, index)| {
            let entry = Entry::Elements(path.entry_index(), field);
            if self.list.as_ref().is_none_or(|(known, ..)| *known != entry) {
                let list = original.list(path)?;
                let others = list.others().map(|(name, value)| json_size(&name) + json_size(value));
                self.list = Some((entry, FRAME + others.sum::<usize>(), list));
            }
            let (entry, frame, list) = self.list.as_ref()?;
            Some(Size { own: json_size(list.elements().get(index)?), entry: Some((*entry, *frame)) })
        });
        element.unwrap_or_else(|| Size { own: original.entry(path).map_or(0, json_size), entry: None })
    }
}

fn of_pair(failed: &Failed, queue: usize) -> Size {
    let (by_address, address) = match &failed.address {
        Some(NamedAddress::Id(id)) => (false, json_size(&**id)),
        Some(NamedAddress::Address(address)) => (true, json_size(&**address)),
        None => (false, 0),
    };
    let name = match &failed.queue {
        Some(NamedQueue::Id(id)) => json_size(&**id),
        Some(NamedQueue::Name(name)) => json_size(&**name),
        None => 0,
    };
    let instance = failed.instance_id.as_ref().map_or(0, |instance| json_size(&**instance));
    Size { own: address, entry: Some((Entry::Pairs(queue, by_address), FRAME + name + instance)) }
}
