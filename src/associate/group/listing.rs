//! Reads the list of a queue's addresses page by page.

use std::collections::HashMap;

use crate::connect::{ListedAddress, Operation, Page, Pages, RejectedCall, Rejection};

use super::narrowing::Chunk;

/// The list of a queue, read up to some page.
#[derive(Debug)]
pub(crate) struct Listing {
    pages: Pages,
    pub(super) on_queue: OnQueue,
    pub(super) purpose: Purpose,
}

#[derive(Debug)]
pub(super) enum Purpose {
    /// To find out why the API rejected the content of this chunk.
    ExplainRejection(Chunk, Box<Rejection>),
    /// To find out how many addresses fit, because the API rejected this chunk with a LimitExceededException.
    FindRoom(Chunk, Box<Rejection>),
    /// To decide the addresses that requests only check. The number is the smallest request's number of calls.
    Check { request_calls: usize },
    /// To confirm that addresses fail permanently. Another process may have changed the queue since the list was read.
    Confirm { request_calls: usize },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ListStatus {
    /// The list was not read to its end yet.
    Unread,
    /// The list was read to its end at least once.
    Read,
    /// The function has no permission to read the list.
    Denied,
    /// The list could not be read to explain a rejection for content, and is not read again for that.
    Unreadable(Box<RejectedCall>),
}

#[derive(Debug, Default)]
pub(crate) struct OnQueue {
    /// For each identifier, whether it is the queue's default address.
    addresses: HashMap<String, bool>,
}

impl OnQueue {
    pub(crate) fn add(&mut self, addresses: Vec<ListedAddress>) {
        self.addresses.extend(addresses.into_iter().map(|address| (address.id, address.is_default)));
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.addresses.contains_key(id)
    }

    /// Whether the address is on the queue and counts against the queue's limit.
    pub(crate) fn has_additional(&self, id: &str) -> bool {
        self.addresses.get(id).is_some_and(|is_default| !is_default)
    }

    /// The addresses that count against the queue's limit.
    pub(super) fn without_default(&self) -> impl Iterator<Item = &str> {
        self.addresses.iter().filter(|(_, is_default)| !**is_default).map(|(id, _)| id.as_str())
    }

    /// How many more addresses fit on the queue, which accepts `limit` in addition to its default one.
    pub(super) fn room(&self, limit: usize) -> usize {
        limit.saturating_sub(self.additional())
    }

    /// Number of addresses that count against the queue's limit.
    pub(super) fn additional(&self) -> usize {
        self.without_default().count()
    }
}

impl Listing {
    pub(super) fn new(purpose: Purpose) -> Self {
        Listing { pages: Pages::default(), on_queue: OnQueue::default(), purpose }
    }

    /// As for [`Chunk::request_calls`].
    pub(crate) fn request_calls(&self) -> usize {
        match &self.purpose {
            Purpose::ExplainRejection(chunk, _) | Purpose::FindRoom(chunk, _) => chunk.request_calls,
            Purpose::Confirm { request_calls } | Purpose::Check { request_calls } => *request_calls,
        }
    }

    pub(super) fn explains_rejection(&self) -> bool {
        matches!(self.purpose, Purpose::ExplainRejection(..))
    }

    pub(crate) fn next_token(&self) -> Option<&str> {
        self.pages.next_token()
    }

    /// Adds a page. Returns whether it was the last one, or an error if the pages do not end.
    pub(super) fn add(&mut self, page: Page<ListedAddress>) -> Result<bool, RejectedCall> {
        self.on_queue.add(page.items);
        self.pages.add(Operation::List, page.next_token)
    }
}
