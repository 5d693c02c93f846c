//! Looks the pairs of an invocation up by name, and makes them wait for the directories of their names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::time::Instant;

use crate::connect::{DirectoryEntry, DirectoryKind, Page, RejectedCall};
use crate::failure::Failure;
use crate::index::{DirectoryIndex, PairIndex, QueueIndex};
use crate::pairs::Pairs;
use crate::requests::{EmailAddressId, InstanceId, QueueId};

use super::cache::DirectoryCache;
use super::directories::{Directories, Lookup, LookupError};
use super::state::DirectoryState;

/// An identifier, or the failure to find it.
pub(crate) type Resolution<Id> = Result<Id, Arc<Failure>>;

/// The queues and pairs that [`Names`] decided in one step.
#[derive(Debug, Default)]
pub(crate) struct LookupResults {
    pub queues: Vec<(QueueIndex, Resolution<QueueId>)>,
    /// Pairs whose queue and address are both known, or whose look-up failed.
    pub pairs: Vec<(PairIndex, Resolution<EmailAddressId>)>,
}

#[derive(Debug)]
pub(crate) struct Names<'a> {
    pairs: &'a Pairs,
    pub(crate) directories: Directories<'a>,
    waiting: BTreeMap<DirectoryIndex, Waitlist>,
}

#[derive(Debug, Default)]
struct Waitlist {
    queues: BTreeSet<QueueIndex>,
    pairs: Vec<PairIndex>,
}

impl<'a> Names<'a> {
    /// Looks every name up in the cached directories. Starts to read a directory if it is not cached, or if a name is
    /// missing from it or ambiguous in it. Returns the results in the order of the indices. Messages contain `region`.
    pub(crate) fn new(
        pairs: &'a Pairs,
        cache: &'a DirectoryCache,
        region: &'a str,
        now: Instant,
    ) -> (Self, LookupResults) {
        let mut names = Names {
            pairs,
            directories: Directories::new(pairs, cache, region, now),
            waiting: BTreeMap::new(),
        };
        let is_named = |queue: QueueIndex| pairs.queues[queue].queue.name().is_some();
        let named_queues = pairs.queues.indices().filter(|queue| is_named(*queue)).collect();
        let named_pairs = pairs
            .pairs
            .indexed()
            .filter(|(_, pair)| is_named(pair.queue()) || pair.address().name().is_some());
        let named_pairs: Vec<PairIndex> = named_pairs.map(|(pair, _)| pair).collect();
        // An address is looked up even if its queue is not known yet, so that both directories are read at the same time.
        for pair in named_pairs.iter().filter(|pair| is_named(pairs.pairs[**pair].queue())) {
            let _ = names.address_id(*pair, now);
        }
        let found = names.look_up(Waitlist { queues: named_queues, pairs: named_pairs }, now);
        (names, found)
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
            .end_reading(directory, |scope, pages_read| scope.unreadable(rejected, pages_read == 0));
        self.look_up_waiting(directory, now)
    }

    pub(crate) fn out_of_time(
        &mut self,
        directory: DirectoryIndex,
        reason: &str,
        now: Instant,
    ) -> LookupResults {
        self.directories.end_reading(directory, |scope, pages_read| scope.unfinished(pages_read, reason));
        self.look_up_waiting(directory, now)
    }

    /// Pairs that wait for a directory.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = PairIndex> {
        self.waiting.values().flat_map(|waiting| &waiting.pairs).copied()
    }

    /// Reads the directory of a pair's queue or address again. Does nothing if this invocation has done so before.
    pub(crate) fn reread(&mut self, pair: PairIndex, kind: DirectoryKind, now: Instant) {
        if let Some(directory) = self.directories.get_mut(self.instance(pair), kind) {
            directory.reread_for_stale(now);
        }
    }

    /// Reads the directory of a pair's queue or address again unless this invocation has read it.
    pub(crate) fn refresh(&mut self, pair: PairIndex, kind: DirectoryKind, now: Instant) {
        if let Some(directory) = self.directories.get_mut(self.instance(pair), kind)
            && !matches!(directory.state, DirectoryState::Read { .. })
        {
            directory.reread_for_stale(now);
        }
    }

    /// Looks a pair up again. If its queue or its address waits for a directory, the pair waits for it too.
    pub(crate) fn look_up_again(
        &mut self,
        pair: PairIndex,
        now: Instant,
    ) -> Lookup<(QueueId, EmailAddressId)> {
        let lookup = self.pair_ids(pair, now);
        if let Err(LookupError::Waits(directory)) = lookup {
            self.waiting.entry(directory).or_default().pairs.push(pair);
        }
        lookup
    }

    /// Looks up the queues and pairs that wait for a directory. Some of them then wait for another directory, or for
    /// the second reading of this one.
    fn look_up_waiting(&mut self, directory: DirectoryIndex, now: Instant) -> LookupResults {
        let waiting = self.waiting.remove(&directory).unwrap_or_default();
        self.look_up(waiting, now)
    }

    fn look_up(&mut self, Waitlist { queues, pairs }: Waitlist, now: Instant) -> LookupResults {
        let mut queue_ids = BTreeMap::new();
        for queue in queues {
            match self.queue_id(queue, now) {
                Ok(id) => queue_ids.insert(queue, Ok(id)),
                Err(LookupError::Failed(failure)) => queue_ids.insert(queue, Err(failure)),
                Err(LookupError::Waits(_)) => continue,
            };
        }
        let mut found = LookupResults::default();
        for pair in pairs {
            match self.look_up_again(pair, now) {
                Ok((queue, address)) => {
                    queue_ids.insert(self.pairs.pairs[pair].queue(), Ok(queue));
                    found.pairs.push((pair, Ok(address)));
                }
                Err(LookupError::Failed(failure)) => found.pairs.push((pair, Err(failure))),
                Err(LookupError::Waits(_)) => {}
            }
        }
        found.queues = queue_ids.into_iter().collect();
        found
    }

    fn pair_ids(&mut self, pair: PairIndex, now: Instant) -> Lookup<(QueueId, EmailAddressId)> {
        Ok((self.queue_id(self.pairs.pairs[pair].queue(), now)?, self.address_id(pair, now)?))
    }

    fn queue_id(&mut self, index: QueueIndex, now: Instant) -> Lookup<QueueId> {
        let queue = &self.pairs.queues[index];
        let named = queue.queue.as_ref();
        let lookup = self.directories.look_up(&queue.instance, DirectoryKind::Queues, named, now);
        if let Err(LookupError::Waits(directory)) = lookup {
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
