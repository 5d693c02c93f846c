//! Reads a directory page by page.

use tokio::time::Instant;

use crate::connect::{DirectoryEntry, Page, Pages, RejectedCall, SearchCall};

use super::directory::{Directory, DirectoryKey, NameAndId, comparable};

/// A directory whose last page has not been read yet.
#[derive(Debug)]
pub(super) struct DirectoryReading {
    key: DirectoryKey,
    /// When the call for the first page started.
    read_at: Instant,
    pages: Pages,
    pages_read: usize,
    entries: Vec<NameAndId>,
}

impl DirectoryReading {
    pub(super) fn new(key: DirectoryKey, now: Instant) -> Self {
        DirectoryReading { key, read_at: now, pages: Pages::default(), pages_read: 0, entries: Vec::new() }
    }

    /// The call for the next page.
    pub(super) fn call(&self) -> SearchCall {
        let DirectoryKey { instance, kind } = self.key.clone();
        SearchCall { instance, directory: kind, next_token: self.pages.next_token().map(str::to_owned) }
    }

    /// Records that the call for the next page starts.
    pub(super) fn start_page(&mut self, now: Instant) {
        if self.pages_read == 0 {
            self.read_at = now;
        }
    }

    /// Number of pages read so far.
    pub(super) fn pages_read(&self) -> usize {
        self.pages_read
    }

    /// Adds a page. Returns the directory after its last page.
    ///
    /// # Errors
    /// Returns an error if the pages never end.
    pub(super) fn add(&mut self, page: Page<DirectoryEntry>) -> Result<Option<Directory>, RejectedCall> {
        let kind = self.key.kind;
        self.pages_read += 1;
        let entry = |entry: &DirectoryEntry| (comparable(kind, &entry.name).into(), entry.id.as_str().into());
        self.entries.extend(page.items.iter().map(entry));
        let is_last = self.pages.add(kind.operation(), page.next_token)?;
        Ok(is_last
            .then(|| Directory::new(kind, std::mem::take(&mut self.entries), self.read_at, self.pages_read)))
    }
}
