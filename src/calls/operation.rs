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

/// One call to make. A retry is the same call, `ClientToken` included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Associate addresses with a queue: all of them, or none.
    Associate {
        /// The instance's identifier.
        instance: Arc<str>,
        /// The queue's identifier.
        queue: Arc<str>,
        /// At most 50 identifiers of addresses, each once.
        addresses: Vec<Arc<str>>,
        /// Makes the call idempotent.
        client_token: String,
    },
    /// Read a page of the addresses that are on a queue.
    List {
        /// The instance's identifier.
        instance: Arc<str>,
        /// The queue's identifier.
        queue: Arc<str>,
        /// Where the page begins, if it is not the first.
        next_token: Option<String>,
    },
    /// Read a page of an instance's queues.
    SearchQueues {
        /// The instance's identifier.
        instance: Arc<str>,
        /// Where the page begins, if it is not the first.
        next_token: Option<String>,
    },
    /// Read a page of an instance's email addresses.
    SearchEmailAddresses {
        /// The instance's identifier.
        instance: Arc<str>,
        /// Where the page begins, if it is not the first.
        next_token: Option<String>,
    },
}

impl Call {
    /// The operation that this calls.
    pub fn operation(&self) -> Operation {
        match self {
            Call::Associate { .. } => Operation::Associate,
            Call::List { .. } => Operation::List,
            Call::SearchQueues { .. } => Operation::SearchQueues,
            Call::SearchEmailAddresses { .. } => Operation::SearchEmailAddresses,
        }
    }
}

/// What a call that succeeded answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Every address of the call is on the queue.
    Associated,
    /// A page of a queue's addresses.
    Listed(Page<ListedAddress>),
    /// A page of an instance's queues or email addresses.
    Found(Page<Entry>),
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
