//! The queues or the email addresses of an instance, as the API listed them.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use tokio::time::Instant;

use crate::connect::DirectoryKind;
use crate::requests::InstanceId;

use super::similar::{differences, folded};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct DirectoryKey {
    pub(super) instance: InstanceId,
    pub(super) kind: DirectoryKind,
}

/// A complete directory. It is a sorted list and not a map, because a process caches many entries.
#[derive(Debug)]
pub(crate) struct Directory {
    kind: DirectoryKind,
    /// When the call for the first page started. The directory is as old as this page.
    pub(super) read_at: Instant,
    pages: usize,
    /// All entries, ordered by name and then by identifier.
    entries: Box<[NameAndId]>,
    /// The folded form of each name and the index of its entry, in order. Built when a name is not found for the first
    /// time.
    by_folded: OnceLock<Box<[(String, usize)]>>,
    /// The indices of all entries, ordered by identifier. Built when an identifier is checked for the first time.
    by_id: OnceLock<Box<[usize]>>,
}

/// A name as it is compared, and its identifier.
pub(super) type NameAndId = (Box<str>, Arc<str>);

/// Returns the form of a name that is compared: a queue's name as it is, or an address in lower case.
pub(super) fn comparable(kind: DirectoryKind, name: &str) -> Cow<'_, str> {
    match kind {
        DirectoryKind::Queues => Cow::Borrowed(name),
        DirectoryKind::EmailAddresses => Cow::Owned(name.to_lowercase()),
    }
}

impl Directory {
    /// Orders the entries of all `pages` pages. `read_at` is the time at which the call for the first page started.
    pub(super) fn new(
        kind: DirectoryKind,
        mut entries: Vec<NameAndId>,
        read_at: Instant,
        pages: usize,
    ) -> Self {
        entries.sort_unstable();
        // A directory that changes while it is read may have an entry on two pages.
        entries.dedup();
        Directory {
            kind,
            read_at,
            pages,
            entries: entries.into(),
            by_folded: OnceLock::new(),
            by_id: OnceLock::new(),
        }
    }

    /// Whether all entries were on one page. Then the API listed them at one moment, and no name was missed because it
    /// moved between two pages.
    pub(super) fn has_one_page(&self) -> bool {
        self.pages <= 1
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn find(&self, name: &str) -> &[NameAndId] {
        let name = comparable(self.kind, name);
        let first = self.entries.partition_point(|(other, _)| **other < *name);
        let count = self.entries[first..].partition_point(|(other, _)| **other == *name);
        &self.entries[first..first + count]
    }

    pub(super) fn has_id(&self, id: &str) -> bool {
        let by_id = self.by_id.get_or_init(|| {
            let mut by_id: Vec<usize> = (0..self.entries.len()).collect();
            by_id.sort_unstable_by_key(|index| &self.entries[*index].1);
            by_id.into()
        });
        by_id.binary_search_by_key(&id, |index| &*self.entries[*index].1).is_ok()
    }

    /// Finds an entry that a person could mistake for a missing name. Returns its identifier, and the differences in words.
    pub(super) fn find_similar(&self, name: &str) -> Option<(Arc<str>, String)> {
        let name = comparable(self.kind, name);
        let by_folded = self.by_folded.get_or_init(|| {
            let names = self.entries.iter().enumerate();
            let mut by_folded: Vec<_> = names.map(|(index, (name, _))| (folded(name), index)).collect();
            by_folded.sort_unstable();
            by_folded.into()
        });
        let wanted = folded(&name);
        let first = by_folded.partition_point(|(folded, _)| *folded < wanted);
        let (_, index) = by_folded.get(first).filter(|(folded, _)| *folded == wanted)?;
        let (similar, id) = &self.entries[*index];
        Some((id.clone(), differences(&name, similar)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(kind: DirectoryKind, entries: &[(&str, &str)]) -> Directory {
        let entries =
            entries.iter().map(|(name, id)| (comparable(kind, name).into(), (*id).into())).collect();
        Directory::new(kind, entries, Instant::now(), 1)
    }

    fn ids<'d>(directory: &'d Directory, name: &str) -> Vec<&'d str> {
        directory.find(name).iter().map(|(_, id)| &**id).collect()
    }

    #[test]
    fn queues_match_exactly_and_addresses_ignore_case() {
        let queues = directory(DirectoryKind::Queues, &[("billing", "q2"), ("Billing", "q1")]);
        assert_eq!(ids(&queues, "Billing"), ["q1"]);
        assert_eq!(ids(&queues, "BILLING"), [""; 0]);
        let addresses = directory(
            DirectoryKind::EmailAddresses,
            &[
                ("Help@Brand.example", "e1"),
                ("help@brand.EXAMPLE", "e2"),
                ("help@brand.example", "e1"),
                ("a@brand.example", "e3"),
            ],
        );
        assert_eq!(ids(&addresses, "HELP@brand.example"), ["e1", "e2"]);
        assert_eq!(addresses.len(), 3);
    }

    #[test]
    fn identifier_is_found_whatever_its_name() {
        let queues =
            directory(DirectoryKind::Queues, &[("Billing", "q9"), ("Orders", "q1"), ("Returns", "q5")]);
        assert!(["q1", "q5", "q9"].into_iter().all(|id| queues.has_id(id)));
        assert!(!queues.has_id("q2") && !queues.has_id("Billing"));
    }

    #[test]
    fn similar_name_is_found_with_its_difference() {
        let queues = directory(DirectoryKind::Queues, &[("Orders", "q2"), ("Billing", "q1")]);
        assert_eq!(
            queues.find_similar("billing "),
            Some(("q1".into(), "case and leading or trailing white space".to_owned()))
        );
        assert_eq!(queues.find_similar("Billings"), None);
    }
}
