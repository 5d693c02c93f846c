//! A directory: the queues or the email addresses of an instance, as the API listed them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use crate::connect::Directory as Kind;
use crate::requests::InstanceId;

use super::similar::{folded, same_but_for};

/// The key of a directory: its instance and its kind.
pub(super) type Which = (InstanceId, Kind);

/// Returns the form in which names are compared. Queue names compare exactly, addresses without regard to case.
fn key(kind: Kind, name: &str) -> Cow<'_, str> {
    match kind {
        Kind::Queues => Cow::Borrowed(name),
        Kind::EmailAddresses => Cow::Owned(name.to_lowercase()),
    }
}

/// The identifiers behind the names of a directory.
#[derive(Debug)]
pub(super) struct Directory {
    kind: Kind,
    ids: HashMap<String, Vec<Arc<str>>>,
    /// Names by their folded form. Built when a name is not found for the first time.
    by_look: OnceLock<HashMap<String, Vec<String>>>,
    /// All identifiers. Built when an identifier is checked for the first time.
    all_ids: OnceLock<HashSet<Arc<str>>>,
}

impl Directory {
    pub(super) fn new(kind: Kind) -> Self {
        Directory { kind, ids: HashMap::new(), by_look: OnceLock::new(), all_ids: OnceLock::new() }
    }

    pub(super) fn add(&mut self, name: &str, id: &str) {
        let ids = self.ids.entry(key(self.kind, name).into_owned()).or_default();
        // A directory that changes while it is read may show an entry on two pages.
        if !ids.iter().any(|known| &**known == id) {
            ids.push(id.into());
        }
    }

    /// The identifiers of all entries with this name.
    pub(super) fn find(&self, name: &str) -> &[Arc<str>] {
        self.ids.get(&*key(self.kind, name)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn has_id(&self, id: &str) -> bool {
        self.all_ids.get_or_init(|| self.ids.values().flatten().cloned().collect()).contains(id)
    }

    /// Finds an entry that looks like a missing name. Returns its identifier, and the difference in words.
    pub(super) fn find_similar(&self, name: &str) -> Option<(&Arc<str>, String)> {
        let name = key(self.kind, name);
        let by_look = self.by_look.get_or_init(|| {
            let mut by_look: HashMap<String, Vec<String>> = HashMap::with_capacity(self.ids.len());
            for name in self.ids.keys() {
                by_look.entry(folded(name)).or_default().push(name.clone());
            }
            by_look
        });
        // The least name makes the result independent of the map's order.
        let similar = by_look.get(&folded(&name))?.iter().min()?;
        Some((self.ids.get(similar)?.first()?, same_but_for(&name, similar)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_match_exactly_and_addresses_ignore_case() {
        let mut queues = Directory::new(Kind::Queues);
        queues.add("Billing", "q1");
        queues.add("billing", "q2");
        assert_eq!(queues.find("Billing"), ["q1".into()]);
        assert!(queues.find("BILLING").is_empty());
        let mut addresses = Directory::new(Kind::EmailAddresses);
        addresses.add("Help@Brand.example", "e1");
        addresses.add("help@brand.EXAMPLE", "e2");
        addresses.add("help@brand.example", "e1");
        assert_eq!(addresses.find("HELP@brand.example"), ["e1".into(), "e2".into()]);
    }

    #[test]
    fn similar_name_is_found_with_its_difference() {
        let mut queues = Directory::new(Kind::Queues);
        queues.add("Billing", "q1");
        queues.add("Orders", "q2");
        assert_eq!(
            queues.find_similar("billing "),
            Some((&"q1".into(), "case and outer white space".to_owned()))
        );
        assert_eq!(queues.find_similar("Billings"), None);
    }
}
