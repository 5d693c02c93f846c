//! Listing: reading what is on a queue, page by page, to understand why a set was refused.

use std::collections::HashMap;

use crate::connect::{ListedAddress, Page, Refusal};

use super::suspects::Set;

/// A reading of a queue's list that has not come to its end.
#[derive(Debug)]
pub struct Listing {
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
    /// A reading that begins with the first page.
    pub(super) fn new(set: Set, refusal: Refusal) -> Self {
        Listing { next_token: None, on_queue: OnQueue::default(), refused: RefusedSet { set, refusal } }
    }

    /// How urgent the next page is.
    pub fn urgency(&self) -> usize {
        self.refused.set.urgency
    }

    /// The token of the next page; the first page has none.
    pub fn next_token(&self) -> Option<&str> {
        self.next_token.as_deref()
    }

    /// Gives back what the list was read for.
    pub(super) fn into_refused(self) -> RefusedSet {
        self.refused
    }

    /// Adds a page. With the last one the list is complete.
    ///
    /// # Errors
    /// The reading, while there are more pages.
    pub(super) fn add(mut self, page: Page<ListedAddress>) -> Result<(OnQueue, RefusedSet), Self> {
        self.on_queue
            .addresses
            .extend(page.items.into_iter().map(|address| (address.id, address.is_default)));
        self.next_token = page.next_token;
        match self.next_token {
            Some(_) => Err(self),
            None => Ok((self.on_queue, self.refused)),
        }
    }
}
