//! Kept: the directories that the process keeps from one invocation to the next.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::directory::{Directory, Which};
use super::reading::Reading;

/// Age at which a directory is too old to use.
const KEPT: Duration = Duration::from_secs(5 * 60);

/// The directories that the process has read, shared by its invocations.
#[derive(Debug, Default)]
pub(crate) struct Directories {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    read: HashMap<Which, (Instant, Arc<Directory>)>,
    /// Readings that ended because time was short. The next invocation continues them.
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

    /// Takes an interrupted reading out of the store, so that no page is read twice.
    pub(super) fn take_unfinished(&self, which: &Which, now: Instant) -> Option<Reading> {
        let (interrupted_at, reading) = self.lock().unfinished.remove(which)?;
        (now.duration_since(interrupted_at) < KEPT).then_some(reading)
    }

    pub(super) fn put_unfinished(&self, which: Which, reading: Reading, now: Instant) {
        self.lock().unfinished.insert(which, (now, reading));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere cannot leave a map half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use crate::connect::Directory as Kind;

    use super::*;

    #[test]
    fn directory_is_kept_for_five_minutes() {
        let (directories, now) = (Directories::default(), Instant::now());
        let which: Which = ("i".into(), Kind::Queues);
        directories.put(which.clone(), Arc::new(Directory::new(Kind::Queues)), now);
        assert!(directories.get(&which, now + Duration::from_secs(299)).is_some());
        assert!(directories.get(&which, now + Duration::from_secs(300)).is_none());
        assert!(directories.get(&("j".into(), Kind::Queues), now).is_none());
    }

    #[test]
    fn interrupted_reading_resumes_once_within_five_minutes() {
        let (directories, now) = (Directories::default(), Instant::now());
        let which: Which = ("i".into(), Kind::Queues);
        directories.put_unfinished(which.clone(), Reading::new(which.clone()), now);
        assert!(directories.take_unfinished(&which, now + Duration::from_secs(299)).is_some());
        assert!(directories.take_unfinished(&which, now).is_none());
        directories.put_unfinished(which.clone(), Reading::new(which.clone()), now);
        assert!(directories.take_unfinished(&which, now + Duration::from_secs(300)).is_none());
    }
}
