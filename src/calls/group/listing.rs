//! Listing: reading what is on a queue, page by page, to understand why a set was refused.

use std::collections::HashMap;

use super::super::operation::{ListedAddress, Page};
use super::super::refusal::Refusal;
use super::suspects::Set;

/// The readings of a queue's list.
#[derive(Debug, Default)]
pub(super) struct Listing {
    open: Option<Open>,
    asked: bool,
}

/// A reading that has not come to its end.
#[derive(Debug)]
struct Open {
    next_token: Option<String>,
    on_queue: OnQueue,
    refused: RefusedSet,
}

/// The set whose refusal is to be understood.
#[derive(Debug)]
pub(super) struct RefusedSet {
    pub(super) set: Set,
    pub(super) refusal: Refusal,
}

/// The addresses that are on a queue.
#[derive(Debug, Default)]
pub(super) struct OnQueue {
    /// Whether each is the queue's default one.
    addresses: HashMap<String, bool>,
}

impl OnQueue {
    pub(super) fn holds(&self, id: &str) -> bool {
        self.addresses.contains_key(id)
    }

    /// How many count against the queue's limit: all but the default one.
    pub(super) fn additional(&self) -> usize {
        self.addresses.values().filter(|is_default| !**is_default).count()
    }
}

impl Listing {
    /// Begins to read the list.
    pub(super) fn open(&mut self, set: Set, refusal: Refusal) {
        self.asked = true;
        let refused = RefusedSet { set, refusal };
        self.open = Some(Open { next_token: None, on_queue: OnQueue::default(), refused });
    }

    /// Stops reading, and gives back what it was read for.
    pub(super) fn close(&mut self) -> Option<RefusedSet> {
        self.open.take().map(|open| open.refused)
    }

    /// Whether the list was asked for before, with or without success.
    pub(super) fn was_asked(&self) -> bool {
        self.asked
    }

    /// How urgent the next page is, if one is wanted.
    pub(super) fn urgency(&self) -> Option<usize> {
        self.open.as_ref().map(|open| open.refused.set.urgency)
    }

    /// The token of the next page, if one is wanted; the first page has none.
    pub(super) fn next_page(&self) -> Option<Option<String>> {
        self.open.as_ref().map(|open| open.next_token.clone())
    }

    /// Adds a page. With the last one the list is complete.
    pub(super) fn add(&mut self, page: Page<ListedAddress>) -> Option<(OnQueue, RefusedSet)> {
        let open = self.open.as_mut()?;
        open.on_queue
            .addresses
            .extend(page.items.into_iter().map(|address| (address.id, address.is_default)));
        open.next_token = page.next_token;
        if open.next_token.is_some() {
            return None;
        }
        self.open.take().map(|open| (open.on_queue, open.refused))
    }
}
