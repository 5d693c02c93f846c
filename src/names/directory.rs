//! Directories: the queues and the email addresses of instances, as they were last read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::calls::Operation;

/// How long a directory is good for.
const KEPT: Duration = Duration::from_secs(5 * 60);

/// What a directory lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Listed {
    Queues,
    EmailAddresses,
}

impl Listed {
    pub(super) fn operation(self) -> Operation {
        match self {
            Listed::Queues => Operation::SearchQueues,
            Listed::EmailAddresses => Operation::SearchEmailAddresses,
        }
    }

    /// The form in which names are compared: a queue's exactly, an address without regard to case.
    pub(super) fn key(self, name: &str) -> String {
        match self {
            Listed::Queues => name.to_owned(),
            Listed::EmailAddresses => name.to_lowercase(),
        }
    }
}

/// One directory of one instance.
pub(super) type Which = (Arc<str>, Listed);

/// The identifiers behind the names of a directory.
#[derive(Debug, Default)]
pub(super) struct Directory {
    ids: HashMap<String, Vec<Arc<str>>>,
}

impl Directory {
    pub(super) fn add(&mut self, listed: Listed, name: &str, id: &str) {
        let ids = self.ids.entry(listed.key(name)).or_default();
        // A directory that changes while it is read may show an entry on two pages.
        if !ids.iter().any(|known| &**known == id) {
            ids.push(id.into());
        }
    }

    /// The identifiers that bear a name.
    pub(super) fn find(&self, listed: Listed, name: &str) -> &[Arc<str>] {
        self.ids.get(&listed.key(name)).map_or(&[], Vec::as_slice)
    }
}

/// The directories that the process has read, shared by its invocations.
#[derive(Debug, Default)]
pub struct Directories {
    read: Mutex<HashMap<Which, (Instant, Arc<Directory>)>>,
}

impl Directories {
    pub(super) fn get(&self, which: &Which, now: Instant) -> Option<Arc<Directory>> {
        let read = self.lock();
        let (read_at, directory) = read.get(which)?;
        (now.duration_since(*read_at) < KEPT).then(|| directory.clone())
    }

    pub(super) fn put(&self, which: Which, directory: Arc<Directory>, now: Instant) {
        self.lock().insert(which, (now, directory));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Which, (Instant, Arc<Directory>)>> {
        // What a panic elsewhere leaves behind is a whole map.
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_match_exactly_and_addresses_without_regard_to_case() {
        let mut queues = Directory::default();
        queues.add(Listed::Queues, "Billing", "q1");
        queues.add(Listed::Queues, "billing", "q2");
        assert_eq!(queues.find(Listed::Queues, "Billing"), ["q1".into()]);
        assert!(queues.find(Listed::Queues, "BILLING").is_empty());
        let mut addresses = Directory::default();
        addresses.add(Listed::EmailAddresses, "Help@Brand.example", "e1");
        addresses.add(Listed::EmailAddresses, "help@brand.EXAMPLE", "e2");
        addresses.add(Listed::EmailAddresses, "help@brand.example", "e1");
        assert_eq!(addresses.find(Listed::EmailAddresses, "HELP@brand.example"), ["e1".into(), "e2".into()]);
    }

    #[test]
    fn a_directory_is_kept_for_five_minutes() {
        let (directories, now) = (Directories::default(), Instant::now());
        let which: Which = ("i".into(), Listed::Queues);
        directories.put(which.clone(), Arc::default(), now);
        assert!(directories.get(&which, now + Duration::from_secs(299)).is_some());
        assert!(directories.get(&which, now + Duration::from_secs(300)).is_none());
        assert!(directories.get(&("j".into(), Listed::Queues), now).is_none());
    }
}
