//! Listing: reading what is on a queue, page by page.

use std::collections::HashMap;

use crate::connect::{ListedAddress, Operation, Page, Pages, Refusal, Refused};

use super::narrowing::Chunk;

/// A reading of a queue's list that has not come to its end.
#[derive(Debug)]
pub struct Listing {
    pages: Pages,
    on_queue: OnQueue,
    purpose: Purpose,
}

/// The reason for reading the list.
#[derive(Debug)]
pub(super) enum Purpose {
    /// To understand why this set was refused.
    Explain(Chunk, Box<Refusal>),
    /// To decide the addresses that are only checked.
    Check {
        /// How urgent the addresses are.
        urgency: usize,
    },
    /// To look once more before addresses fail for good, because another process may have changed the queue since the
    /// list was read.
    Confirm {
        /// How urgent the addresses are.
        urgency: usize,
    },
}

/// Where a reading stands after a page.
#[derive(Debug)]
pub(super) enum Read {
    /// Another page is wanted.
    More(Listing),
    /// The list was read to its end.
    Whole(OnQueue, Purpose),
    /// The list has no end.
    Endless(Listing, Refused),
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

    /// Whether the address is on the queue and counts against the queue's limit.
    pub(super) fn holds_beside_default(&self, id: &str) -> bool {
        self.addresses.get(id).is_some_and(|is_default| !is_default)
    }

    /// The addresses that count against the queue's limit.
    pub(super) fn beside_default(&self) -> impl Iterator<Item = &str> {
        self.addresses.iter().filter(|(_, is_default)| !**is_default).map(|(id, _)| id.as_str())
    }

    /// How many count against the queue's limit: all but the default one.
    pub(super) fn additional(&self) -> usize {
        self.beside_default().count()
    }
}

impl Listing {
    /// A reading that begins with the first page.
    pub(super) fn new(purpose: Purpose) -> Self {
        Listing { pages: Pages::default(), on_queue: OnQueue::default(), purpose }
    }

    /// How urgent the next page is.
    pub fn urgency(&self) -> usize {
        match &self.purpose {
            Purpose::Explain(chunk, _) => chunk.urgency,
            Purpose::Confirm { urgency } | Purpose::Check { urgency } => *urgency,
        }
    }

    /// The token of the next page; the first page has none.
    pub fn next_token(&self) -> Option<&str> {
        self.pages.next_token()
    }

    /// Gives back what the list was read for.
    pub(super) fn into_purpose(self) -> Purpose {
        self.purpose
    }

    /// Adds a page.
    pub(super) fn add(mut self, page: Page<ListedAddress>) -> Read {
        self.on_queue
            .addresses
            .extend(page.items.into_iter().map(|address| (address.id, address.is_default)));
        match self.pages.turn(Operation::List, page.next_token) {
            Ok(true) => Read::Whole(self.on_queue, self.purpose),
            Ok(false) => Read::More(self),
            Err(endless) => Read::Endless(self, endless),
        }
    }
}
