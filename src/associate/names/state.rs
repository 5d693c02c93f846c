//! The state of a directory in an invocation.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::time::Instant;

use crate::connect::{DirectoryEntry, DirectoryKind, Page, Pages, RejectedCall, SearchCall};
use crate::failure::Failure;

use super::directory::{Directory, DirectoryKey, NameAndId, comparable};

#[derive(Debug)]
pub(crate) struct NeededDirectory<'a> {
    pub(super) key: DirectoryKey,
    pub(crate) state: DirectoryState,
    /// Number of calls of the smallest request that needs the directory. Lower goes first, so that a large request does
    /// not delay small ones.
    pub(crate) request_calls: usize,
    /// The identifiers of addresses whose existence requests check.
    checked_ids: HashSet<&'a str>,
}

#[derive(Debug)]
pub(crate) enum DirectoryState {
    /// An earlier invocation read it.
    Cached(Arc<Directory>),
    Reading {
        reading: DirectoryReading,
        /// Resolves each name that is unique in it until the reading ends, and also if the reading fails.
        older: Option<Arc<Directory>>,
        /// The directory was read before, in this invocation or an earlier one.
        is_reread: bool,
    },
    /// It was read in this invocation.
    Read {
        directory: Arc<Directory>,
        is_reread: bool,
    },
    Failed {
        failure: Arc<Failure>,
        older: Option<Arc<Directory>>,
    },
}

/// A directory whose last page has not been read yet.
#[derive(Debug)]
pub(crate) struct DirectoryReading {
    /// When the call for the first page started.
    read_at: Instant,
    pages: Pages,
    pub(super) pages_read: usize,
    entries: Vec<NameAndId>,
}

impl DirectoryState {
    /// The newest complete directory that can resolve names.
    pub(super) fn directory(&self) -> Option<&Directory> {
        match self {
            DirectoryState::Cached(directory) | DirectoryState::Read { directory, .. } => Some(directory),
            DirectoryState::Reading { older, .. } | DirectoryState::Failed { older, .. } => older.as_deref(),
        }
    }

    pub(crate) fn is_reading(&self) -> bool {
        matches!(self, DirectoryState::Reading { .. })
    }
}

impl<'a> NeededDirectory<'a> {
    /// Uses the cached directory, if there is one. Otherwise reads the directory.
    pub(super) fn new(key: DirectoryKey, cached: Option<Arc<Directory>>, now: Instant) -> Self {
        let state = cached.map_or_else(
            || DirectoryState::Reading { reading: DirectoryReading::new(now), older: None, is_reread: false },
            DirectoryState::Cached,
        );
        NeededDirectory { key, state, request_calls: usize::MAX, checked_ids: HashSet::new() }
    }

    /// Records that a request checks whether an address exists.
    pub(super) fn check(&mut self, id: &'a str) {
        if self.key.kind == DirectoryKind::EmailAddresses {
            self.checked_ids.insert(id);
        }
    }

    /// The call for the next page, if the directory is being read.
    pub(crate) fn next_page(&self) -> Option<SearchCall> {
        let DirectoryState::Reading { reading, .. } = &self.state else { return None };
        let DirectoryKey { instance, kind } = self.key.clone();
        let next_token = reading.pages.next_token().map(str::to_owned);
        Some(SearchCall { instance, directory: kind, next_token })
    }

    /// Records that the call for the next page starts.
    pub(crate) fn start_page(&mut self, now: Instant) {
        if let DirectoryState::Reading { reading, .. } = &mut self.state
            && reading.pages_read == 0
        {
            reading.read_at = now;
        }
    }

    /// The entries with this name in the newest complete directory.
    pub(super) fn find(&self, name: &str) -> &[NameAndId] {
        self.state.directory().map_or(&[], |directory| directory.find(name))
    }

    /// Reads the directory again because a name is missing from it or ambiguous in it, or a checked identifier is
    /// missing. A directory that this invocation has read from one page needs no second reading.
    pub(super) fn reread_for_missing(&mut self, now: Instant) {
        match &self.state {
            DirectoryState::Cached(directory) => self.reread(Some(directory.clone()), now),
            DirectoryState::Read { directory, is_reread: false } if !directory.has_one_page() => {
                self.reread(Some(directory.clone()), now);
            }
            DirectoryState::Reading { .. } | DirectoryState::Read { .. } | DirectoryState::Failed { .. } => {}
        }
    }

    /// Reads the directory again because an identifier from it may be out of date. Until then, it resolves no names.
    pub(super) fn reread_for_stale(&mut self, now: Instant) {
        match &mut self.state {
            DirectoryState::Cached(_) | DirectoryState::Read { is_reread: false, .. } => {
                self.reread(None, now);
            }
            DirectoryState::Failed { older, .. } => *older = None,
            DirectoryState::Reading { .. } | DirectoryState::Read { .. } => {}
        }
    }

    fn reread(&mut self, older: Option<Arc<Directory>>, now: Instant) {
        let reading = DirectoryReading::new(now);
        self.state = DirectoryState::Reading { reading, older, is_reread: true };
    }

    /// Reads the directory again if it lacks a checked identifier.
    pub(super) fn reread_for_checks(&mut self, now: Instant) {
        let lacks_one = self
            .state
            .directory()
            .is_some_and(|directory| self.checked_ids.iter().any(|id| !directory.has_id(id)));
        if lacks_one {
            self.reread_for_missing(now);
        }
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        let older = match &mut self.state {
            DirectoryState::Reading { older, .. } | DirectoryState::Failed { older, .. } => older.take(),
            DirectoryState::Cached(directory) | DirectoryState::Read { directory, .. } => {
                Some(directory.clone())
            }
        };
        self.state = DirectoryState::Failed { failure: Arc::new(failure), older };
    }
}

impl DirectoryReading {
    fn new(now: Instant) -> Self {
        DirectoryReading { read_at: now, pages: Pages::default(), pages_read: 0, entries: Vec::new() }
    }

    /// Adds a page. Returns the directory after its last page, or an error if the pages never end.
    pub(super) fn add(
        &mut self,
        kind: DirectoryKind,
        page: Page<DirectoryEntry>,
    ) -> Result<Option<Directory>, RejectedCall> {
        self.pages_read += 1;
        let entry = |entry: &DirectoryEntry| (comparable(kind, &entry.name).into(), entry.id.as_str().into());
        self.entries.extend(page.items.iter().map(entry));
        let is_last = self.pages.add(kind.operation(), page.next_token)?;
        Ok(is_last
            .then(|| Directory::new(kind, std::mem::take(&mut self.entries), self.read_at, self.pages_read)))
    }
}
