//! The operations of the Connect API that the function calls, what they are asked and what they answer.

use std::fmt;
use std::sync::Arc;

/// An operation of the Connect API. Each has a quota of its own (Administrator Guide, "Amazon Connect service
/// quotas"), and so a pace of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// AssociateQueueEmailAddresses
    Associate,
    /// ListQueueEmailAddresses
    List,
    /// SearchQueues
    SearchQueues,
    /// SearchEmailAddresses
    SearchEmailAddresses,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Operation; 4] =
        [Operation::Associate, Operation::List, Operation::SearchQueues, Operation::SearchEmailAddresses];
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operation::Associate => "AssociateQueueEmailAddresses",
            Operation::List => "ListQueueEmailAddresses",
            Operation::SearchQueues => "SearchQueues",
            Operation::SearchEmailAddresses => "SearchEmailAddresses",
        })
    }
}

/// A call that associates addresses with a queue: all of them, or none. A retry is the same call, `ClientToken`
/// included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssociateCall {
    /// The instance's identifier.
    pub instance: Arc<str>,
    /// The queue's identifier.
    pub queue: Arc<str>,
    /// At most 50 identifiers of addresses, each once.
    pub addresses: Vec<Arc<str>>,
    /// Makes the call idempotent.
    pub client_token: String,
}

/// A call that reads a page of the addresses that are on a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListCall {
    /// The instance's identifier.
    pub instance: Arc<str>,
    /// The queue's identifier.
    pub queue: Arc<str>,
    /// Where the page begins, if it is not the first.
    pub next_token: Option<String>,
}

/// A call that reads a page of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchCall {
    /// The instance's identifier.
    pub instance: Arc<str>,
    /// Which of the instance's directories.
    pub directory: Directory,
    /// Where the page begins, if it is not the first.
    pub next_token: Option<String>,
}

/// What an instance lists by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Directory {
    /// Its standard queues.
    Queues,
    /// Its email addresses.
    EmailAddresses,
}

impl Directory {
    /// The operation that reads it.
    pub fn operation(self) -> Operation {
        match self {
            Directory::Queues => Operation::SearchQueues,
            Directory::EmailAddresses => Operation::SearchEmailAddresses,
        }
    }
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next_token: Option<String>,
}

/// An address that is on a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAddress {
    /// Its identifier.
    pub id: String,
    /// Whether it is the queue's default outbound address, which does not count against the limit of 49.
    pub is_default: bool,
}

/// A queue or an email address in an instance's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The queue's name, or the address itself.
    pub name: String,
    /// Its identifier.
    pub id: String,
}
