//! Looks the pairs of an invocation up by name, and makes them wait for the directories of their names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::time::Instant;

use crate::connect::{DirectoryEntry, DirectoryKind, Page, RejectedCall};
use crate::failure::Failure;
use crate::index::{DirectoryIndex, IndexList, PairIndex, QueueIndex};
use crate::pairs::Pairs;
use crate::requests::{EmailAddressId, InstanceId, QueueId};

use super::cache::DirectoryCache;
use super::directories::{Directories, Lookup, LookupError};
use super::state::DirectoryState;

/// An identifier, or the failure to find it.
pub(crate) type Resolution<Id> = Result<Id, Arc<Failure>>;

/// The identifier of each queue and each pair of [`Pairs`](crate::pairs::Pairs), or its failure. A name that is still
/// being looked up has a failure.
#[derive(Debug)]
pub struct Resolutions {
    /// The identifier of each of [`Pairs::queues`](crate::pairs::Pairs::queues).
    pub queues: IndexList<QueueIndex, Resolution<QueueId>>,
    /// The address identifier of each of [`Pairs::pairs`](crate::pairs::Pairs::pairs).
    pub addresses: IndexList<PairIndex, Resolution<EmailAddressId>>,
}

/// The queues and pairs that [`Names`] decided in one step.
#[derive(Debug, Default)]
pub(crate) struct LookupResults {
    /// Queues.
    pub queues: Vec<(QueueIndex, Resolution<QueueId>)>,
    /// Pairs whose queue and address are both known, or whose look-up failed.
    pub pairs: Vec<(PairIndex, Resolution<EmailAddressId>)>,
}

/// The names of one invocation.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    pairs: &'a Pairs,
    pub(crate) directories: Directories<'a>,
    waiting: BTreeMap<DirectoryIndex, Waitlist>,
}

/// The queues and pairs that wait for a directory.
#[derive(Debug, Default)]
struct Waitlist {
    queues: BTreeSet<QueueIndex>,
    pairs: Vec<PairIndex>,
}

impl<'a> Names<'a> {
    /// Looks every pair up in the cached directories. Starts to read a directory if it is not cached, or if a name is
    /// missing from it or ambiguous in it. Messages contain `region`.
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
            .end_reading(directory, |scope, pages_read| scope.unreadable(rejected, pages_read == 0));
        self.look_up_waiting(directory, now)
    }

    /// Ends a reading because no time is left.
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

    fn resolve(&mut self, now: Instant) -> Resolutions {
        let pairs = self.pairs;
        let mut waits_for = IndexList::<QueueIndex, _>::with_capacity(pairs.queues.len());
        let mut queues = IndexList::with_capacity(pairs.queues.len());
        for queue in pairs.queues.indices() {
            let lookup = self.queue_id(queue, now);
            waits_for.push(awaited_directory(&lookup));
            queues.push(self.resolution(lookup));
        }
        let mut addresses = IndexList::with_capacity(pairs.pairs.len());
        for (index, pair) in pairs.pairs.indexed() {
            let lookup = self.address_id(index, now);
            // A pair waits for its queue first, and does not wait if its queue cannot be found.
            let waits_for_address = awaited_directory(&lookup).filter(|_| queues[pair.queue()].is_ok());
            if let Some(directory) = waits_for[pair.queue()].or(waits_for_address) {
                self.waiting.entry(directory).or_default().pairs.push(index);
            }
            addresses.push(self.resolution(lookup));
        }
        Resolutions { queues, addresses }
    }

    /// The identifier, or its failure for the time being.
    fn resolution<Id>(&self, lookup: Lookup<Id>) -> Resolution<Id> {
        lookup.map_err(|error| match error {
            LookupError::Failed(failure) => failure,
            LookupError::Waits(_) => self.directories.unread().clone(),
        })
    }

    /// Looks up the queues and pairs that wait for a directory. Some of them then wait for another directory, or for
    /// the second reading of this one.
    fn look_up_waiting(&mut self, directory: DirectoryIndex, now: Instant) -> LookupResults {
        let Waitlist { queues, pairs } = self.waiting.remove(&directory).unwrap_or_default();
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

/// The directory that a look-up waits for.
fn awaited_directory<Id>(lookup: &Lookup<Id>) -> Option<DirectoryIndex> {
    match lookup {
        Err(LookupError::Waits(directory)) => Some(*directory),
        Ok(_) | Err(LookupError::Failed(_)) => None,
    }
}
