//! The directories that the process caches from one invocation to the next.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::directory::{Directory, DirectoryKey};

/// Age at which a directory is too old to resolve names. It counts from the start of the first page.
const MAX_AGE: Duration = Duration::from_secs(5 * 60);

/// Maximum number of entries in all cached directories. The oldest directories are dropped first. The number is twice that
/// of the largest directory of addresses that the function reads, and takes about 30 MB.
const MAX_ENTRIES: usize = 100_000;

/// The directories that the process has read, shared by its invocations.
#[derive(Debug, Default)]
pub(crate) struct DirectoryCache {
    directories: Mutex<HashMap<DirectoryKey, Arc<Directory>>>,
}

impl DirectoryCache {
    pub(super) fn get(&self, key: &DirectoryKey, now: Instant) -> Option<Arc<Directory>> {
        self.lock().get(key).filter(|directory| !is_expired(directory, now)).cloned()
    }

    pub(super) fn drop_expired(&self, now: Instant) {
        self.lock().retain(|_, directory| !is_expired(directory, now));
    }

    /// Stores a directory, unless another invocation has stored a newer one. Drops the oldest directories if all of them
    /// have too many entries.
    pub(super) fn put(&self, key: DirectoryKey, directory: Arc<Directory>) {
        let mut directories = self.lock();
        if directories.get(&key).is_some_and(|other| other.read_at > directory.read_at) {
            return;
        }
        directories.insert(key, directory);
        // An empty directory takes memory too.
        let mut entries: usize = directories.values().map(|directory| directory.len() + 1).sum();
        while entries > MAX_ENTRIES {
            let by_age = directories.iter().min_by_key(|(_, directory)| directory.read_at);
            let Some((key, oldest)) = by_age.map(|(key, oldest)| (key.clone(), oldest.len() + 1)) else {
                return;
            };
            directories.remove(&key);
            entries -= oldest;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DirectoryKey, Arc<Directory>>> {
        // A panic elsewhere cannot leave the map half changed.
        self.directories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_expired(directory: &Directory, now: Instant) -> bool {
    now.duration_since(directory.read_at) >= MAX_AGE
}

#[cfg(test)]
mod tests {
    use crate::connect::DirectoryKind;

    use super::*;

    fn key(instance: &str) -> DirectoryKey {
        DirectoryKey { instance: instance.into(), kind: DirectoryKind::Queues }
    }

    fn directory(entries: usize, read_at: Instant) -> Arc<Directory> {
        let entries = (0..entries).map(|number| (number.to_string().into(), "q".into()));
        Arc::new(Directory::new(DirectoryKind::Queues, entries.collect(), read_at, 1))
    }

    #[test]
    fn directory_expires_five_minutes_after_its_first_page_started() {
        let (cache, now) = (DirectoryCache::default(), Instant::now());
        cache.put(key("i"), directory(1, now));
        assert!(cache.get(&key("i"), now + Duration::from_secs(299)).is_some());
        assert!(cache.get(&key("i"), now + Duration::from_secs(300)).is_none());
        assert!(cache.get(&key("j"), now).is_none());
        cache.drop_expired(now + Duration::from_secs(299));
        assert_eq!(cache.lock().len(), 1);
        cache.drop_expired(now + Duration::from_secs(300));
        assert_eq!(cache.lock().len(), 0);
    }

    #[test]
    fn newest_of_two_concurrent_directories_stays_cached() {
        let (cache, now) = (DirectoryCache::default(), Instant::now());
        let later = now + Duration::from_secs(1);
        cache.put(key("i"), directory(2, later));
        cache.put(key("i"), directory(1, now));
        assert_eq!(cache.get(&key("i"), later).unwrap().len(), 2);
    }

    #[test]
    fn oldest_directories_are_dropped_above_the_bound() {
        let (cache, now) = (DirectoryCache::default(), Instant::now());
        for number in 0..41 {
            let read_at = now + Duration::from_secs(number);
            cache.put(key(&number.to_string()), directory(20_000, read_at));
        }
        let cached: Vec<u64> =
            (0..41).filter(|number| cache.get(&key(&number.to_string()), now).is_some()).collect();
        assert_eq!(cached, [37, 38, 39, 40]);
        cache.put(key("huge"), directory(MAX_ENTRIES, now + Duration::from_secs(50)));
        assert_eq!(cache.lock().len(), 0);
    }
}
