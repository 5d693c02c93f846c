//! Directories: the queues and the email addresses of instances, as they were last read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::connect::Directory as Kind;

/// How long a directory is good for.
const KEPT: Duration = Duration::from_secs(5 * 60);

/// The form in which names are compared: a queue's exactly, an address without regard to case.
fn key(kind: Kind, name: &str) -> String {
    match kind {
        Kind::Queues => name.to_owned(),
        Kind::EmailAddresses => name.to_lowercase(),
    }
}

/// One directory of one instance.
pub(super) type Which = (Arc<str>, Kind);

/// The identifiers behind the names of a directory.
#[derive(Debug, Default)]
pub(super) struct Directory {
    ids: HashMap<String, Vec<Arc<str>>>,
}

impl Directory {
    pub(super) fn add(&mut self, kind: Kind, name: &str, id: &str) {
        let ids = self.ids.entry(key(kind, name)).or_default();
        // A directory that changes while it is read may show an entry on two pages.
        if !ids.iter().any(|known| &**known == id) {
            ids.push(id.into());
        }
    }

    /// The identifiers that bear a name.
    pub(super) fn find(&self, kind: Kind, name: &str) -> &[Arc<str>] {
        self.ids.get(&key(kind, name)).map_or(&[], Vec::as_slice)
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
        queues.add(Kind::Queues, "Billing", "q1");
        queues.add(Kind::Queues, "billing", "q2");
        assert_eq!(queues.find(Kind::Queues, "Billing"), ["q1".into()]);
        assert!(queues.find(Kind::Queues, "BILLING").is_empty());
        let mut addresses = Directory::default();
        addresses.add(Kind::EmailAddresses, "Help@Brand.example", "e1");
        addresses.add(Kind::EmailAddresses, "help@brand.EXAMPLE", "e2");
        addresses.add(Kind::EmailAddresses, "help@brand.example", "e1");
        assert_eq!(addresses.find(Kind::EmailAddresses, "HELP@brand.example"), ["e1".into(), "e2".into()]);
    }

    #[test]
    fn a_directory_is_kept_for_five_minutes() {
        let (directories, now) = (Directories::default(), Instant::now());
        let which: Which = ("i".into(), Kind::Queues);
        directories.put(which.clone(), Arc::default(), now);
        assert!(directories.get(&which, now + Duration::from_secs(299)).is_some());
        assert!(directories.get(&which, now + Duration::from_secs(300)).is_none());
        assert!(directories.get(&("j".into(), Kind::Queues), now).is_none());
    }
}
