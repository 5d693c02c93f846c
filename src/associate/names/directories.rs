//! The directories that the names of an invocation need.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use tokio::time::Instant;

use crate::connect::{DirectoryEntry, DirectoryKind, Page, SearchCall};
use crate::failure::Failure;
use crate::index::{DirectoryIndex, IndexList, QueueIndex};
use crate::pairs::Pairs;
use crate::requests::{EmailAddressId, Id, InstanceId, Intent, Named};

use super::cache::DirectoryCache;
use super::directory::DirectoryKey;
use super::failure::SearchScope;
use super::state::{DirectoryState, NeededDirectory};
use super::urgency::urgencies;

/// The directories of an invocation, each with its state.
#[derive(Debug)]
pub(super) struct Directories<'a> {
    cache: &'a DirectoryCache,
    region: &'a str,
    needed: IndexList<DirectoryIndex, NeededDirectory<'a>>,
    indices: HashMap<DirectoryKey, DirectoryIndex>,
}

/// The result of looking a name up.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lookup<T> {
    /// The identifier.
    Id(T),
    /// The name cannot be resolved in this invocation.
    Failed(Arc<Failure>),
    /// The name waits for this directory.
    Waits(DirectoryIndex),
}

impl<'a> Directories<'a> {
    /// Opens the directory of every name and of every identifier to check. A directory that the process does not keep is
    /// to be read.
    pub(super) fn new(pairs: &'a Pairs, cache: &'a DirectoryCache, region: &'a str, now: Instant) -> Self {
        cache.drop_expired(now);
        let mut directories =
            Directories { cache, region, needed: IndexList::default(), indices: HashMap::new() };
        for key in keys_of_names(pairs) {
            directories.open(key, now);
        }
        for (instance, ids) in checked_ids(pairs) {
            let index = directories.open(DirectoryKey { instance, kind: DirectoryKind::EmailAddresses }, now);
            let needed = &mut directories.needed[index];
            needed.checked_ids = ids;
            needed.reread_for_checks(now);
        }
        directories.set_urgencies(pairs);
        directories
    }

    fn open(&mut self, key: DirectoryKey, now: Instant) -> DirectoryIndex {
        *self.indices.entry(key).or_insert_with_key(|key| {
            self.needed.push(NeededDirectory::new(key.clone(), self.cache.get(key, now), now))
        })
    }

    fn set_urgencies(&mut self, pairs: &Pairs) {
        if self.needed.is_empty() {
            return;
        }
        let directory_of = |queue: QueueIndex, kind| self.index(&pairs.queues[queue].instance, kind);
        let directories: IndexList<QueueIndex, _> = pairs
            .queues
            .indices()
            .map(|queue| {
                [DirectoryKind::Queues, DirectoryKind::EmailAddresses].map(|kind| directory_of(queue, kind))
            })
            .collect();
        let urgencies = urgencies(pairs, self.needed.len(), |mention| {
            let pair = &pairs.pairs[mention.pair];
            let [of_queue, of_address] = directories[pair.queue()];
            let is_check = pairs.requests[mention.request].options.intent == Intent::Check;
            [
                of_queue.filter(|_| pairs.queues[pair.queue()].queue.name().is_some()),
                of_address.filter(|_| is_check || pair.address().name().is_some()),
            ]
        });
        for (needed, urgency) in self.needed.iter_mut().zip(urgencies) {
            needed.urgency = urgency;
        }
    }

    fn index(&self, instance: &InstanceId, kind: DirectoryKind) -> Option<DirectoryIndex> {
        self.indices.get(&DirectoryKey { instance: instance.clone(), kind }).copied()
    }

    /// The directories that are being read.
    pub(super) fn to_read(&self) -> impl Iterator<Item = DirectoryIndex> {
        self.needed.indexed().filter(|(_, needed)| needed.state.is_reading()).map(|(index, _)| index)
    }

    pub(super) fn is_reading(&self, index: DirectoryIndex) -> bool {
        self.needed[index].state.is_reading()
    }

    pub(super) fn urgency(&self, index: DirectoryIndex) -> usize {
        self.needed[index].urgency
    }

    /// The call for the next page, if the directory is being read.
    pub(super) fn next_page(&self, index: DirectoryIndex) -> Option<SearchCall> {
        match &self.needed[index].state {
            DirectoryState::Reading { reading, .. } => Some(reading.call()),
            _ => None,
        }
    }

    /// Notes that the call for the next page starts.
    pub(super) fn start_page(&mut self, index: DirectoryIndex, now: Instant) {
        if let DirectoryState::Reading { reading, .. } = &mut self.needed[index].state {
            reading.start_page(now);
        }
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
        match reading.add(page) {
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
            let failure = failure(SearchScope::new(&needed.key, self.region), reading.pages_read());
            needed.fail(failure);
        }
    }

    /// Looks a queue or an address up. A name that is missing or ambiguous waits until the directory is read again.
    pub(super) fn look_up<Of: Clone>(
        &mut self,
        instance: &InstanceId,
        kind: DirectoryKind,
        named: Named<&Id<Of>, &Arc<str>>,
        unread: &Arc<Failure>,
        now: Instant,
    ) -> Lookup<Id<Of>> {
        let name = match named {
            Named::Id(id) => return Lookup::Id(id.clone()),
            Named::Name(name) => name,
        };
        let Some(index) = self.index(instance, kind) else { return Lookup::Failed(unread.clone()) };
        let needed = &mut self.needed[index];
        if let [entry] = needed.find(name) {
            return Lookup::Id(Id::listed(entry.id().into()));
        }
        needed.reread_for_missing(now);
        match &needed.state {
            DirectoryState::Reading { .. } => Lookup::Waits(index),
            DirectoryState::Failed { failure, .. } => Lookup::Failed(failure.clone()),
            DirectoryState::Cached(directory) | DirectoryState::Read { directory, .. } => {
                let searched = SearchScope::new(&needed.key, self.region);
                Lookup::Failed(Arc::new(match directory.find(name).len() {
                    0 => searched.name_not_found(name, directory),
                    count => searched.name_ambiguous(count),
                }))
            }
        }
    }

    /// Reads a directory again because an identifier from it may be out of date. Does nothing if this invocation has
    /// read it again before.
    pub(super) fn reread(&mut self, instance: &InstanceId, kind: DirectoryKind, now: Instant) {
        if let Some(index) = self.index(instance, kind) {
            self.needed[index].reread_for_stale(now);
        }
    }

    /// Reads a directory again unless this invocation has read it.
    pub(super) fn refresh(&mut self, instance: &InstanceId, kind: DirectoryKind, now: Instant) {
        if let Some(index) = self.index(instance, kind)
            && !matches!(self.needed[index].state, DirectoryState::Read { .. })
        {
            self.needed[index].reread_for_stale(now);
        }
    }

    /// Whether the address directory of an instance is not being read.
    pub(super) fn knows_addresses(&self, instance: &InstanceId) -> bool {
        self.index(instance, DirectoryKind::EmailAddresses).is_none_or(|index| !self.is_reading(index))
    }

    /// Checks that an instance has an email address.
    ///
    /// # Errors
    /// `EmailAddressNotFound`, the failure to read the directory, or `unread` if it is still being read.
    pub(super) fn check_address(
        &self,
        instance: &InstanceId,
        id: &EmailAddressId,
        unread: &Arc<Failure>,
    ) -> Result<(), Arc<Failure>> {
        let index = self.index(instance, DirectoryKind::EmailAddresses).ok_or_else(|| unread.clone())?;
        let NeededDirectory { state, key, .. } = &self.needed[index];
        if state.directory().is_some_and(|directory| directory.has_id(id)) {
            return Ok(());
        }
        Err(match state {
            DirectoryState::Reading { .. } => unread.clone(),
            DirectoryState::Failed { failure, .. } => failure.clone(),
            DirectoryState::Cached(_) | DirectoryState::Read { .. } => {
                Arc::new(SearchScope::new(key, self.region).address_not_found())
            }
        })
    }
}

/// The directory of each name. A directory with many names appears often.
fn keys_of_names(pairs: &Pairs) -> impl Iterator<Item = DirectoryKey> {
    let key = |instance: &InstanceId, kind| DirectoryKey { instance: instance.clone(), kind };
    let queues = pairs.queues.iter().filter(|queue| queue.queue.name().is_some());
    let addresses = pairs.pairs.iter().filter(|pair| pair.address().name().is_some());
    let instances = addresses.map(|pair| &pairs.queues[pair.queue()].instance);
    queues
        .map(move |queue| key(&queue.instance, DirectoryKind::Queues))
        .chain(instances.map(move |instance| key(instance, DirectoryKind::EmailAddresses)))
}

/// The address identifiers to check, by instance. An address that is given by name is looked up anyway.
fn checked_ids(pairs: &Pairs) -> BTreeMap<InstanceId, HashSet<&str>> {
    let mut ids: BTreeMap<InstanceId, HashSet<&str>> = BTreeMap::new();
    let is_check = |request| pairs.requests[request].options.intent == Intent::Check;
    for mention in pairs.mentions.iter().filter(|mention| is_check(mention.request)) {
        let pair = &pairs.pairs[mention.pair];
        let of_instance = ids.entry(pairs.queues[pair.queue()].instance.clone()).or_default();
        if let Named::Id(id) = pair.address() {
            of_instance.insert(id);
        }
    }
    ids
}
