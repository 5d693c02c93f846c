//! Lookup: makes pairs wait for the directories of their names, and finds their identifiers there.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;

use crate::connect::{Class, Directory as Kind, Entry, Page, Refused, SearchCall};
use crate::failure::Failure;
use crate::index::{DirectoryIndex, IndexList, PairIndex, QueueIndex};
use crate::pairs::Pairs;
use crate::requests::{EmailAddressId, Id, InstanceId, Named, QueueId};

use super::directory::{Directory, Which};
use super::found::{Found, Resolved};
use super::kept::Directories;
use super::reading::{Reading, endless, unreadable};
use super::unresolved::{ambiguous, not_found};

/// The names of one invocation.
#[derive(Debug)]
pub struct Names<'a> {
    pub(super) pairs: &'a Pairs,
    kept: &'a Directories,
    pub(super) directories: IndexList<DirectoryIndex, Known>,
    pub(super) indices: HashMap<Which, DirectoryIndex>,
    /// The failure of queues and pairs that still wait.
    unread: Arc<Failure>,
}

/// The state of a directory in an invocation.
#[derive(Debug)]
pub(super) struct Known {
    which: Which,
    /// The directory as the process last read it to its end, before or in this invocation.
    pub(super) directory: Option<Arc<Directory>>,
    /// The reading that is under way.
    pub(super) reading: Option<Reading>,
    /// The failure that ended the reading in this invocation. A name that is missing from an older directory may be
    /// new, so it gets this failure.
    pub(super) failure: Option<Arc<Failure>>,
    /// Whether this invocation reads the directory again, or has read it again.
    pub(super) reread: bool,
    /// Requested queues that wait for the directory.
    pub(super) queues: Vec<QueueIndex>,
    /// Pairs that wait for the directory.
    pairs: Vec<PairIndex>,
}

/// The result of looking a name up.
enum Lookup<Id> {
    Id(Id),
    Failed(Arc<Failure>),
    /// This directory is being read.
    Waits(DirectoryIndex),
}

impl<'a> Names<'a> {
    /// Looks every pair up in the kept directories. Begins to read a directory if the process does not keep it, or if a
    /// name is missing from it or not unique in it.
    pub(crate) fn new(pairs: &'a Pairs, kept: &'a Directories, now: Instant) -> (Self, Resolved) {
        let unread = Arc::new(Failure::deadline_exceeded("the directory of names was not read in time"));
        let mut names =
            Names { pairs, kept, directories: IndexList::default(), indices: HashMap::new(), unread };
        names.open_directories(now);
        names.open_checked(now);
        let resolved = names.resolve();
        (names, resolved)
    }

    /// Numbers of the directories that are being read.
    pub(crate) fn to_read(&self) -> impl Iterator<Item = DirectoryIndex> {
        self.directories.indexed().filter(|(_, known)| known.reading.is_some()).map(|(index, _)| index)
    }

    /// Whether a directory is being read.
    pub(crate) fn is_reading(&self, directory: DirectoryIndex) -> bool {
        self.directories[directory].reading.is_some()
    }

    /// The call that reads the next page of a directory, if there is one.
    pub(crate) fn next_page(&self, directory: DirectoryIndex) -> Option<SearchCall> {
        self.directories[directory].reading.as_ref().map(Reading::call)
    }

    /// Takes a page of a directory. After the last page, returns the results for the queues and pairs that wait for it.
    pub(crate) fn found(&mut self, directory: DirectoryIndex, page: Page<Entry>, now: Instant) -> Found {
        let known = &mut self.directories[directory];
        let Some(mut reading) = known.reading.take() else { return Found::default() };
        match reading.add(page) {
            Ok(false) => {
                known.reading = Some(reading);
                return Found::default();
            }
            Ok(true) => {
                let directory = Arc::new(reading.into_directory());
                self.kept.put(known.which.clone(), directory.clone(), now);
                (known.directory, known.failure) = (Some(directory), None);
            }
            Err(refused) => known.failure = Some(Arc::new(endless(&refused))),
        }
        self.sort_out(directory)
    }

    /// Ends a reading because a page cannot be read. Its names are then looked up in the older directory, if there is
    /// one, because most of an old directory is still right. The next invocation continues the reading if the cause may
    /// pass. If an earlier invocation began the reading and the API refused its token, the reading starts again.
    pub fn refused(&mut self, directory: DirectoryIndex, refused: &Refused, now: Instant) -> Found {
        let known = &mut self.directories[directory];
        let class = refused.refusal.class;
        let mut is_first_page = true;
        if let Some(reading) = known.reading.take() {
            is_first_page = reading.is_at_first_page();
            if reading.continued && class.blames_content() {
                known.reading = Some(Reading::new(known.which.clone()));
                return Found::default();
            }
            if refused.out_of_time || class.is_retried() || class == Class::Credentials {
                self.kept.put_unfinished(known.which.clone(), reading, now);
            }
        }
        known.failure = Some(Arc::new(unreadable(known.which.1, refused, is_first_page)));
        self.sort_out(directory)
    }

    /// Ends a reading because no time is left. The next invocation continues it.
    pub fn interrupt(&mut self, directory: DirectoryIndex, reason: &str, now: Instant) -> Found {
        let known = &mut self.directories[directory];
        if let Some(reading) = known.reading.take() {
            self.kept.put_unfinished(known.which.clone(), reading, now);
        }
        let message = format!(
            "the directory of names is not read to its end, and the next invocation continues: {reason}"
        );
        known.failure = Some(Arc::new(Failure::deadline_exceeded(message)));
        self.sort_out(directory)
    }

    /// Returns the names found so far in directories that are still being read. From then on such a reading gives each
    /// name away when it finds it, although a later page may hold another entry with the same name.
    pub(crate) fn go_ahead(&mut self) -> Vec<Found> {
        let numbers: Vec<DirectoryIndex> = self.to_read().collect();
        for number in &numbers {
            if let Some(reading) = &mut self.directories[*number].reading {
                reading.goes_ahead = true;
            }
        }
        numbers.into_iter().map(|number| self.sort_out(number)).collect()
    }

    /// Pairs that wait for a directory.
    pub fn waiting(&self) -> impl Iterator<Item = PairIndex> {
        self.directories.iter().flat_map(|known| &known.pairs).copied()
    }

    /// Makes a pair wait for a directory.
    pub fn wait(&mut self, pair: PairIndex, directory: DirectoryIndex) {
        self.directories[directory].pairs.push(pair);
    }

    /// The failure of queues and pairs that still wait.
    pub(crate) fn unread(&self) -> &Arc<Failure> {
        &self.unread
    }

    /// Opens the directory of every name, and begins to read it if the name is missing or not unique.
    fn open_directories(&mut self, now: Instant) {
        let pairs = self.pairs;
        for (which, name) in all_names(pairs) {
            let number = self.open(which, now);
            let directory = self.directories[number].directory.as_ref();
            if directory.is_none_or(|directory| directory.find(name).len() != 1) {
                self.begin_reading(number, now);
            }
        }
    }

    /// Returns the index of a directory. A new one starts with the directory that the process keeps, if there is one.
    pub(super) fn open(&mut self, which: Which, now: Instant) -> DirectoryIndex {
        *self.indices.entry(which).or_insert_with_key(|which| {
            let directory = self.kept.get(which, now);
            self.directories.push(Known {
                which: which.clone(),
                directory,
                reading: None,
                failure: None,
                reread: false,
                queues: Vec::new(),
                pairs: Vec::new(),
            })
        })
    }

    /// Begins to read a directory, unless a reading is under way.
    pub(super) fn begin_reading(&mut self, directory: DirectoryIndex, now: Instant) {
        let known = &mut self.directories[directory];
        if known.reading.is_none() {
            known.reread = known.directory.is_some();
            known.reading = Some(begin(self.kept, &known.which, now));
        }
    }

    fn resolve(&mut self) -> Resolved {
        let pairs = self.pairs;
        let mut waits_for = IndexList::<QueueIndex, _>::with_capacity(pairs.queues.len());
        let mut queues = IndexList::with_capacity(pairs.queues.len());
        for queue in pairs.queues.indices() {
            let (id, directory) = match self.queue_id(queue) {
                Lookup::Id(id) => (Ok(id), None),
                Lookup::Failed(failure) => (Err(failure), None),
                Lookup::Waits(directory) => {
                    self.directories[directory].queues.push(queue);
                    (Err(self.unread.clone()), Some(directory))
                }
            };
            queues.push(id);
            waits_for.push(directory);
        }
        let mut addresses = IndexList::with_capacity(pairs.pairs.len());
        for (number, pair) in pairs.pairs.indexed() {
            let address = match self.address_id(number) {
                Lookup::Id(id) => Ok(id),
                Lookup::Failed(failure) => Err(failure),
                Lookup::Waits(directory) => {
                    // A pair waits for its queue first, and does not wait if its queue cannot be found.
                    if waits_for[pair.queue()].is_none() && queues[pair.queue()].is_ok() {
                        self.wait(number, directory);
                    }
                    Err(self.unread.clone())
                }
            };
            if let Some(directory) = waits_for[pair.queue()] {
                self.wait(number, directory);
            }
            addresses.push(address);
        }
        Resolved { queues, addresses }
    }

    /// Looks up the queues and pairs that wait for a directory. Some of them then wait for another directory, or go on
    /// waiting for this one.
    fn sort_out(&mut self, directory: DirectoryIndex) -> Found {
        let known = &mut self.directories[directory];
        let (queues, pairs) = (std::mem::take(&mut known.queues), std::mem::take(&mut known.pairs));
        let mut found = Found::default();
        for queue in queues {
            match self.queue_id(queue) {
                Lookup::Id(id) => found.queues.push((queue, Ok(id))),
                Lookup::Failed(failure) => found.queues.push((queue, Err(failure))),
                Lookup::Waits(directory) => self.directories[directory].queues.push(queue),
            }
        }
        for pair in pairs {
            let id = match (self.queue_id(self.pairs.pairs[pair].queue()), self.address_id(pair)) {
                (Lookup::Failed(failure), _) | (Lookup::Id(_), Lookup::Failed(failure)) => Err(failure),
                (Lookup::Waits(directory), _) | (Lookup::Id(_), Lookup::Waits(directory)) => {
                    self.wait(pair, directory);
                    continue;
                }
                (Lookup::Id(_), Lookup::Id(id)) => Ok(id),
            };
            found.pairs.push((pair, id));
        }
        found
    }

    fn queue_id(&self, queue: QueueIndex) -> Lookup<QueueId> {
        let queue = &self.pairs.queues[queue];
        self.id(&queue.instance, Kind::Queues, queue.queue.as_ref())
    }

    fn address_id(&self, pair: PairIndex) -> Lookup<EmailAddressId> {
        let pair = &self.pairs.pairs[pair];
        self.id(&self.pairs.queues[pair.queue()].instance, Kind::EmailAddresses, pair.address())
    }

    fn id<Of: Clone>(
        &self,
        instance: &InstanceId,
        kind: Kind,
        named: Named<&Id<Of>, &Arc<str>>,
    ) -> Lookup<Id<Of>> {
        let name = match named {
            Named::Id(id) => return Lookup::Id(id.clone()),
            Named::Name(name) => name,
        };
        let Some(number) = self.indices.get(&(instance.clone(), kind)).copied() else {
            return Lookup::Failed(self.unread.clone());
        };
        let known = &self.directories[number];
        let directory = known.directory.as_deref();
        let ids = directory.map_or(&[][..], |directory| directory.find(name));
        let so_far = known.reading.as_ref().filter(|reading| reading.goes_ahead).map(Reading::so_far);
        let ids_so_far = so_far.map_or(&[][..], |directory| directory.find(name));
        match (ids, &known.failure) {
            ([id], _) => Lookup::Id(Id::listed(id.clone())),
            _ if known.reading.is_some() => match ids_so_far {
                [id] => Lookup::Id(Id::listed(id.clone())),
                _ => Lookup::Waits(number),
            },
            (_, Some(failure)) => Lookup::Failed(failure.clone()),
            ([], None) => Lookup::Failed(Arc::new(not_found(kind, instance, name, directory))),
            (several, None) => Lookup::Failed(Arc::new(ambiguous(kind, instance, several.len()))),
        }
    }
}

/// Continues an interrupted reading of a directory, or begins a new one.
fn begin(kept: &Directories, which: &Which, now: Instant) -> Reading {
    match kept.take_unfinished(which, now) {
        Some(reading) => reading.resumed(),
        None => Reading::new(which.clone()),
    }
}

/// Every name of the invocation, with the directory that holds it.
fn all_names(pairs: &Pairs) -> impl Iterator<Item = (Which, &str)> {
    let queues = pairs.queues.iter().filter_map(|queue| match &queue.queue {
        Named::Name(name) => Some(((queue.instance.clone(), Kind::Queues), &**name)),
        Named::Id(_) => None,
    });
    let addresses = pairs.pairs.iter().filter_map(|pair| match pair.address() {
        Named::Name(name) => {
            Some(((pairs.queues[pair.queue()].instance.clone(), Kind::EmailAddresses), &**name))
        }
        Named::Id(_) => None,
    });
    queues.chain(addresses)
}
