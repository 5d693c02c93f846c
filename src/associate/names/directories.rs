//! The directories that the names of an invocation need.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;

use crate::associate::order::fewest_calls;
use crate::connect::{DirectoryEntry, DirectoryKind, Page};
use crate::failure::Failure;
use crate::index::{DirectoryIndex, Index, IndexList};
use crate::pairs::{Mention, Pairs, RequestedQueue};
use crate::requests::{EmailAddressId, Id, InstanceId, Intent, Named};

use super::cache::DirectoryCache;
use super::directory::DirectoryKey;
use super::failure::SearchScope;
use super::state::{DirectoryState, NeededDirectory};

#[derive(Debug)]
pub(crate) struct Directories<'a> {
    cache: &'a DirectoryCache,
    region: &'a str,
    pub(crate) needed: IndexList<DirectoryIndex, NeededDirectory<'a>>,
    indices: HashMap<DirectoryKey, DirectoryIndex>,
    /// The failure of names whose directory is still being read.
    pub(crate) unread: Arc<Failure>,
}

pub(crate) type Lookup<Id> = Result<Id, LookupError>;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LookupError {
    /// The name cannot be resolved in this invocation.
    Failed(Arc<Failure>),
    /// The name waits for this directory.
    Waits(DirectoryIndex),
}

impl<'a> Directories<'a> {
    /// Opens the directory of every name and of every identifier to check. A directory that is not cached is to be read.
    pub(super) fn new(pairs: &'a Pairs, cache: &'a DirectoryCache, region: &'a str, now: Instant) -> Self {
        cache.drop_expired(now);
        let unread = Arc::new(Failure::deadline_exceeded("the directory of names was not read in time"));
        let mut directories =
            Directories { cache, region, needed: IndexList::default(), indices: HashMap::new(), unread };
        for mention in &pairs.mentions {
            for key in needed_by(pairs, mention).into_iter().flatten() {
                let index = directories.open(key, now);
                if let Named::Id(id) = pairs.pairs[mention.pair].address() {
                    directories.needed[index].check(id);
                }
            }
        }
        directories.needed.iter_mut().for_each(|needed| needed.reread_for_checks(now));
        directories.rank(pairs);
        directories
    }

    fn open(&mut self, key: DirectoryKey, now: Instant) -> DirectoryIndex {
        *self.indices.entry(key).or_insert_with_key(|key| {
            self.needed.push(NeededDirectory::new(key.clone(), self.cache.get(key, now), now))
        })
    }

    /// Sets how many calls the smallest request makes that needs each directory. The number of pages is not known yet, so a
    /// directory counts as one call, and so does each queue.
    fn rank(&mut self, pairs: &Pairs) {
        let directories = self.needed.len();
        let index = |key| self.indices.get(&key).map(|index| index.get());
        let calls = pairs.mentions.iter().flat_map(|mention| {
            // The queues take the numbers after the directories.
            let queue = directories + pairs.pairs[mention.pair].queue().get();
            let needed = needed_by(pairs, mention).into_iter().flatten().filter_map(index);
            needed.chain([queue]).map(|call| (mention.request, call))
        });
        let fewest = fewest_calls(directories + pairs.queues.len(), pairs.requests.len(), calls);
        for (needed, calls) in self.needed.iter_mut().zip(fewest) {
            needed.request_calls = calls;
        }
    }

    fn index(&self, instance: &InstanceId, kind: DirectoryKind) -> Option<DirectoryIndex> {
        self.indices.get(&DirectoryKey { instance: instance.clone(), kind }).copied()
    }

    pub(super) fn get_mut(
        &mut self,
        instance: &InstanceId,
        kind: DirectoryKind,
    ) -> Option<&mut NeededDirectory<'a>> {
        self.index(instance, kind).map(|index| &mut self.needed[index])
    }

    /// The directories that are being read.
    pub(crate) fn to_read(&self) -> impl Iterator<Item = DirectoryIndex> {
        self.needed.indexed().filter(|(_, needed)| needed.state.is_reading()).map(|(index, _)| index)
    }

    /// Adds a page. Returns whether the reading has ended.
    pub(super) fn add_page(
        &mut self,
        index: DirectoryIndex,
        page: Page<DirectoryEntry>,
        now: Instant,
    ) -> bool {
        let needed = &mut self.needed[index];
        let DirectoryState::Reading { reading, is_reread, .. } = &mut needed.state else { return true };
        match reading.add(needed.key.kind, page) {
            Ok(None) => return false,
            Ok(Some(directory)) => {
                let directory = Arc::new(directory);
                self.cache.put(needed.key.clone(), directory.clone());
                needed.state = DirectoryState::Read { directory, is_reread: *is_reread };
                needed.reread_for_checks(now);
            }
            Err(endless) => {
                let failure = SearchScope::new(&needed.key, self.region).endless(&endless);
                needed.fail(failure);
            }
        }
        true
    }

    /// Ends a reading with a failure, which is made from the number of pages that were read.
    pub(super) fn end_reading(
        &mut self,
        index: DirectoryIndex,
        failure: impl FnOnce(SearchScope<'_>, usize) -> Failure,
    ) {
        let needed = &mut self.needed[index];
        if let DirectoryState::Reading { reading, .. } = &needed.state {
            let failure = failure(SearchScope::new(&needed.key, self.region), reading.pages_read);
            needed.fail(failure);
        }
    }

    /// Looks a queue or an address up. A name that is missing or ambiguous waits until the directory is read again.
    pub(super) fn look_up<Of: Clone>(
        &mut self,
        instance: &InstanceId,
        kind: DirectoryKind,
        named: Named<&Id<Of>, &Arc<str>>,
        now: Instant,
    ) -> Lookup<Id<Of>> {
        let name = match named {
            Named::Id(id) => return Ok(id.clone()),
            Named::Name(name) => name,
        };
        let index = self.index(instance, kind).ok_or_else(|| LookupError::Failed(self.unread.clone()))?;
        let needed = &mut self.needed[index];
        if let [(_, id)] = needed.find(name) {
            return Ok(Id::listed(id.clone()));
        }
        needed.reread_for_missing(now);
        Err(match &needed.state {
            DirectoryState::Reading { .. } => LookupError::Waits(index),
            DirectoryState::Failed { failure, .. } => LookupError::Failed(failure.clone()),
            DirectoryState::Cached(directory) | DirectoryState::Read { directory, .. } => {
                let scope = SearchScope::new(&needed.key, self.region);
                LookupError::Failed(Arc::new(match directory.find(name).len() {
                    0 => scope.name_not_found(name, directory),
                    count => scope.name_ambiguous(count),
                }))
            }
        })
    }

    /// Whether the address directory of an instance is not being read.
    pub(crate) fn knows_addresses(&self, instance: &InstanceId) -> bool {
        self.index(instance, DirectoryKind::EmailAddresses)
            .is_none_or(|index| !self.needed[index].state.is_reading())
    }

    /// Checks that an instance has an email address. The error is `EmailAddressNotFound`, the failure to read the
    /// directory, or the failure of a directory that is still being read.
    pub(crate) fn check_address(
        &self,
        instance: &InstanceId,
        id: &EmailAddressId,
    ) -> Result<(), Arc<Failure>> {
        let index = self.index(instance, DirectoryKind::EmailAddresses).ok_or_else(|| self.unread.clone())?;
        let NeededDirectory { state, key, .. } = &self.needed[index];
        if state.directory().is_some_and(|directory| directory.has_id(id)) {
            return Ok(());
        }
        Err(match state {
            DirectoryState::Reading { .. } => self.unread.clone(),
            DirectoryState::Failed { failure, .. } => failure.clone(),
            DirectoryState::Cached(_) | DirectoryState::Read { .. } => {
                Arc::new(SearchScope::new(key, self.region).address_not_found())
            }
        })
    }
}

/// The directories that a mention needs: that of queues if the queue is given by name, and that of addresses if the
/// address is given by name or is to be checked.
fn needed_by(pairs: &Pairs, mention: &Mention) -> [Option<DirectoryKey>; 2] {
    let pair = &pairs.pairs[mention.pair];
    let RequestedQueue { instance, queue } = &pairs.queues[pair.queue()];
    let key = |kind, is_needed: bool| is_needed.then(|| DirectoryKey { instance: instance.clone(), kind });
    let is_check = pairs.requests[mention.request].options.intent == Intent::Check;
    [
        key(DirectoryKind::Queues, queue.name().is_some()),
        key(DirectoryKind::EmailAddresses, is_check || pair.address().name().is_some()),
    ]
}
