//! Directories: the queues and the email addresses of instances, as they were last read.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::connect::Directory as Kind;

use super::reading::Reading;
use super::similar::{folded, same_but_for};

/// How long a directory is good for.
const KEPT: Duration = Duration::from_secs(5 * 60);

/// One directory of one instance.
pub(super) type Which = (Arc<str>, Kind);

/// The form in which names are compared: a queue's exactly, an address without regard to case.
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
    /// Names by what a person reads in them. Made when the first name is not found.
    by_look: OnceLock<HashMap<String, Vec<String>>>,
}

impl Directory {
    pub(super) fn new(kind: Kind) -> Self {
        Directory { kind, ids: HashMap::new(), by_look: OnceLock::new() }
    }

    pub(super) fn add(&mut self, name: &str, id: &str) {
        let ids = self.ids.entry(key(self.kind, name).into_owned()).or_default();
        // A directory that changes while it is read may show an entry on two pages.
        if !ids.iter().any(|known| &**known == id) {
            ids.push(id.into());
        }
    }

    /// The identifiers that bear a name.
    pub(super) fn find(&self, name: &str) -> &[Arc<str>] {
        self.ids.get(&*key(self.kind, name)).map_or(&[], Vec::as_slice)
    }

    /// An identifier whose name looks like this one, which is not in the directory, and what differs.
    pub(super) fn find_similar(&self, name: &str) -> Option<(&Arc<str>, String)> {
        let name = key(self.kind, name);
        let by_look = self.by_look.get_or_init(|| {
            let mut by_look: HashMap<String, Vec<String>> = HashMap::with_capacity(self.ids.len());
            for name in self.ids.keys() {
                by_look.entry(folded(name)).or_default().push(name.clone());
            }
            by_look
        });
        // Which of several is told does not depend on the order of a map.
        let similar = by_look.get(&folded(&name))?.iter().min()?;
        Some((self.ids.get(similar)?.first()?, same_but_for(&name, similar)))
    }
}

/// The directories that the process has read, shared by its invocations.
#[derive(Debug, Default)]
pub struct Directories {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    read: HashMap<Which, (Instant, Arc<Directory>)>,
    /// Readings that time interrupted. The next invocation goes on with them.
    unfinished: HashMap<Which, (Instant, Reading)>,
}

impl Directories {
    pub(super) fn get(&self, which: &Which, now: Instant) -> Option<Arc<Directory>> {
        let state = self.lock();
        let (read_at, directory) = state.read.get(which)?;
        (now.duration_since(*read_at) < KEPT).then(|| directory.clone())
    }

    pub(super) fn put(&self, which: Which, directory: Arc<Directory>, now: Instant) {
        self.lock().read.insert(which, (now, directory));
    }

    /// A reading that was interrupted. It leaves the store, so that no page is read twice.
    pub(super) fn take_unfinished(&self, which: &Which, now: Instant) -> Option<Reading> {
        let (interrupted_at, reading) = self.lock().unfinished.remove(which)?;
        (now.duration_since(interrupted_at) < KEPT).then_some(reading)
    }

    pub(super) fn put_unfinished(&self, which: Which, reading: Reading, now: Instant) {
        self.lock().unfinished.insert(which, (now, reading));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // What a panic elsewhere leaves behind is a whole map.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_match_exactly_and_addresses_without_regard_to_case() {
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
    fn a_similar_name_is_found_with_what_differs() {
        let mut queues = Directory::new(Kind::Queues);
        queues.add("Billing", "q1");
        queues.add("Orders", "q2");
        assert_eq!(
            queues.find_similar("billing "),
            Some((&"q1".into(), "case and outer white space".to_owned()))
        );
        assert_eq!(queues.find_similar("Billings"), None);
    }

    #[test]
    fn a_directory_is_kept_for_five_minutes() {
        let (directories, now) = (Directories::default(), Instant::now());
        let which: Which = ("i".into(), Kind::Queues);
        directories.put(which.clone(), Arc::new(Directory::new(Kind::Queues)), now);
        assert!(directories.get(&which, now + Duration::from_secs(299)).is_some());
        assert!(directories.get(&which, now + Duration::from_secs(300)).is_none());
        assert!(directories.get(&("j".into(), Kind::Queues), now).is_none());
    }

    #[test]
    fn an_interrupted_reading_is_gone_on_with_once_and_not_after_five_minutes() {
        let (directories, now) = (Directories::default(), Instant::now());
        let which: Which = ("i".into(), Kind::Queues);
        directories.put_unfinished(which.clone(), Reading::new(which.clone()), now);
        assert!(directories.take_unfinished(&which, now + Duration::from_secs(299)).is_some());
        assert!(directories.take_unfinished(&which, now).is_none());
        directories.put_unfinished(which.clone(), Reading::new(which.clone()), now);
        assert!(directories.take_unfinished(&which, now + Duration::from_secs(300)).is_none());
    }
}
