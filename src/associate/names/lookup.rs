//! Looks the pairs of an invocation up by name, and makes them wait for the directories of their names.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use crate::connect::{DirectoryEntry, DirectoryKind, Page, RejectedCall};
use crate::index::{DirectoryIndex, IndexList, PairIndex, QueueIndex};
use crate::pairs::Pairs;
use crate::requests::{EmailAddressId, InstanceId, QueueId};

use super::cache::DirectoryCache;
use super::directories::{Directories, Lookup};
use super::results::{LookupResults, Resolutions};

/// The names of one invocation.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    pairs: &'a Pairs,
    pub(crate) directories: Directories<'a>,
    waiting: BTreeMap<DirectoryIndex, Waitlist>,
}

/// What waits for a directory.
#[derive(Debug, Default)]
struct Waitlist {
    queues: BTreeSet<QueueIndex>,
    pairs: Vec<PairIndex>,
}

impl<'a> Names<'a> {
    /// Looks every pair up in the directories that the process keeps. Starts to read a directory if the process does not
    /// keep it, or if a name is missing from it or ambiguous in it. Messages contain `region`.
    pub(crate) fn new(
        pairs: &'a Pairs,
        cache: &'a DirectoryCache,
        region: &'a str,
        now: Instant,
    ) -> (Self, Resolutions) {
        let mut names = Names {
            pairs,
            directories: Directories::new(pairs, cache, region, now),
            waiting: BTreeMap::new(),
        };
        let resolved = names.resolve(now);
        (names, resolved)
    }

    /// Adds a page to a directory. After the last page, returns the results for the queues and pairs that wait for it.
    pub(crate) fn add_page(
        &mut self,
        directory: DirectoryIndex,
        page: Page<DirectoryEntry>,
        now: Instant,
    ) -> LookupResults {
        if self.directories.add_page(directory, page, now) {
            self.look_up_waiting(directory, now)
        } else {
            LookupResults::default()
        }
    }

    /// Ends a reading because a page cannot be read. A name that is unique in an older directory keeps its identifier,
    /// because most of an old directory is still right.
    pub(crate) fn page_rejected(
        &mut self,
        directory: DirectoryIndex,
        rejected: &RejectedCall,
        now: Instant,
    ) -> LookupResults {
        self.directories
            .end_reading(directory, |searched, pages_read| searched.unreadable(rejected, pages_read == 0));
        self.look_up_waiting(directory, now)
    }

    /// Ends a reading because no time is left.
    pub(crate) fn out_of_time(
        &mut self,
        directory: DirectoryIndex,
        reason: &str,
        now: Instant,
    ) -> LookupResults {
        self.directories
            .end_reading(directory, |searched, pages_read| searched.unfinished(pages_read, reason));
        self.look_up_waiting(directory, now)
    }

    /// Pairs that wait for a directory.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = PairIndex> {
        self.waiting.values().flat_map(|waiting| &waiting.pairs).copied()
    }

    /// Reads the directory of a pair's queue or address again. Does nothing if this invocation has done so before.
    pub(crate) fn reread(&mut self, pair: PairIndex, kind: DirectoryKind, now: Instant) {
        self.directories.reread(self.instance(pair), kind, now);
    }

    /// Reads the directory of a pair's address again unless this invocation has read it.
    pub(crate) fn refresh_addresses(&mut self, pair: PairIndex, now: Instant) {
        self.directories.refresh(self.instance(pair), DirectoryKind::EmailAddresses, now);
    }

    /// Looks a pair up again. If its queue or its address waits for a directory, the pair waits for it too.
    pub(crate) fn look_up_again(
        &mut self,
        pair: PairIndex,
        now: Instant,
    ) -> Lookup<(QueueId, EmailAddressId)> {
        let lookup = self.pair_ids(pair, now);
        if let Lookup::Waits(directory) = lookup {
            self.waiting.entry(directory).or_default().pairs.push(pair);
        }
        lookup
    }

    fn resolve(&mut self, now: Instant) -> Resolutions {
        let pairs = self.pairs;
        let mut waits_for = IndexList::<QueueIndex, _>::with_capacity(pairs.queues.len());
        let mut queues = IndexList::with_capacity(pairs.queues.len());
        for queue in pairs.queues.indices() {
            let (id, directory) = match self.queue_id(queue, now) {
                Lookup::Id(id) => (Ok(id), None),
                Lookup::Failed(failure) => (Err(failure), None),
                Lookup::Waits(directory) => (Err(self.directories.unread().clone()), Some(directory)),
            };
            queues.push(id);
            waits_for.push(directory);
        }
        let mut addresses = IndexList::with_capacity(pairs.pairs.len());
        for (index, pair) in pairs.pairs.indexed() {
            let (id, waits_for_address) = match self.address_id(index, now) {
                Lookup::Id(id) => (Ok(id), None),
                Lookup::Failed(failure) => (Err(failure), None),
                Lookup::Waits(directory) => (Err(self.directories.unread().clone()), Some(directory)),
            };
            addresses.push(id);
            // A pair waits for its queue first, and does not wait if its queue cannot be found.
            let waits_for_address = waits_for_address.filter(|_| queues[pair.queue()].is_ok());
            if let Some(directory) = waits_for[pair.queue()].or(waits_for_address) {
                self.waiting.entry(directory).or_default().pairs.push(index);
            }
        }
        Resolutions { queues, addresses }
    }

    /// Looks up the queues and pairs that wait for a directory. Some of them then wait for another directory, or for
    /// the second reading of this one.
    fn look_up_waiting(&mut self, directory: DirectoryIndex, now: Instant) -> LookupResults {
        let Waitlist { queues, pairs } = self.waiting.remove(&directory).unwrap_or_default();
        let mut queue_ids = BTreeMap::new();
        for queue in queues {
            match self.queue_id(queue, now) {
                Lookup::Id(id) => queue_ids.insert(queue, Ok(id)),
                Lookup::Failed(failure) => queue_ids.insert(queue, Err(failure)),
                Lookup::Waits(_) => continue,
            };
        }
        let mut found = LookupResults::default();
        for pair in pairs {
            match self.look_up_again(pair, now) {
                Lookup::Id((queue, address)) => {
                    queue_ids.insert(self.pairs.pairs[pair].queue(), Ok(queue));
                    found.pairs.push((pair, Ok(address)));
                }
                Lookup::Failed(failure) => found.pairs.push((pair, Err(failure))),
                Lookup::Waits(_) => {}
            }
        }
        found.queues = queue_ids.into_iter().collect();
        found
    }

    fn pair_ids(&mut self, pair: PairIndex, now: Instant) -> Lookup<(QueueId, EmailAddressId)> {
        match self.queue_id(self.pairs.pairs[pair].queue(), now) {
            Lookup::Failed(failure) => Lookup::Failed(failure),
            Lookup::Waits(directory) => Lookup::Waits(directory),
            Lookup::Id(queue) => match self.address_id(pair, now) {
                Lookup::Failed(failure) => Lookup::Failed(failure),
                Lookup::Waits(directory) => Lookup::Waits(directory),
                Lookup::Id(address) => Lookup::Id((queue, address)),
            },
        }
    }

    fn queue_id(&mut self, index: QueueIndex, now: Instant) -> Lookup<QueueId> {
        let queue = &self.pairs.queues[index];
        let named = queue.queue.as_ref();
        let lookup = self.directories.look_up(&queue.instance, DirectoryKind::Queues, named, now);
        if let Lookup::Waits(directory) = lookup {
            self.waiting.entry(directory).or_default().queues.insert(index);
        }
        lookup
    }

    fn address_id(&mut self, pair: PairIndex, now: Instant) -> Lookup<EmailAddressId> {
        let (instance, named) = (self.instance(pair), self.pairs.pairs[pair].address());
        self.directories.look_up(instance, DirectoryKind::EmailAddresses, named, now)
    }

    fn instance(&self, pair: PairIndex) -> &'a InstanceId {
        &self.pairs.queues[self.pairs.pairs[pair].queue()].instance
    }
}
