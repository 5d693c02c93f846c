//! The operations of the Connect API that the function calls, with their input and output.

use std::fmt;
use std::sync::Arc;

use crate::requests::{EmailAddressId, InstanceId, QueueId};

/// An operation of the Connect API. Each has its own quota (Administrator Guide, "Amazon Connect service quotas"), so
/// each has its own pace.
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
    /// DisassociateQueueEmailAddresses. The function never calls it, and has no permission to.
    Disassociate,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Operation; 5] = [
        Operation::Associate,
        Operation::List,
        Operation::SearchQueues,
        Operation::SearchEmailAddresses,
        Operation::Disassociate,
    ];
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operation::Associate => "AssociateQueueEmailAddresses",
            Operation::List => "ListQueueEmailAddresses",
            Operation::SearchQueues => "SearchQueues",
            Operation::SearchEmailAddresses => "SearchEmailAddresses",
            Operation::Disassociate => "DisassociateQueueEmailAddresses",
        })
    }
}

/// A call that associates addresses with a queue, or removes them from it. It changes all of them or none. A retry repeats
/// the same call, with the same `ClientToken`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueueCall {
    pub instance: InstanceId,
    pub queue: QueueId,
    /// At most 50 identifiers of addresses, each once.
    pub addresses: Vec<EmailAddressId>,
    /// The identifiers of the sources that request the addresses.
    pub sources: Vec<Arc<str>>,
}

/// A call that reads a page of the addresses that are on a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListCall {
    /// The instance's identifier.
    pub instance: InstanceId,
    /// The queue's identifier.
    pub queue: QueueId,
    /// The start of the page. The first page has no token.
    pub next_token: Option<String>,
}

/// A call that reads a page of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchCall {
    /// The instance's identifier.
    pub instance: InstanceId,
    /// The directory to read.
    pub directory: DirectoryKind,
    /// The start of the page. The first page has no token.
    pub next_token: Option<String>,
}

/// A directory of an instance, which lists names and identifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DirectoryKind {
    /// The standard queues of the instance.
    Queues,
    /// The email addresses of the instance.
    EmailAddresses,
}

impl DirectoryKind {
    /// The operation that reads the directory.
    pub fn operation(self) -> Operation {
        match self {
            DirectoryKind::Queues => Operation::SearchQueues,
            DirectoryKind::EmailAddresses => Operation::SearchEmailAddresses,
        }
    }
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries of the page.
    pub items: Vec<T>,
    /// The start of the next page, if there is one.
    pub next_token: Option<String>,
}

impl<T> Page<T> {
    pub(super) fn new(items: impl Iterator<Item = T>, next_token: Option<String>) -> Self {
        Page { items: items.collect(), next_token: next_token.filter(|token| !token.is_empty()) }
    }
}

/// An address that is on a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAddress {
    /// The address's identifier.
    pub id: String,
    /// Whether the address is the queue's default outbound address. The default does not count against the limit of 49.
    pub(crate) is_default: bool,
}

/// A queue or an email address in an instance's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// The queue's name, or the address itself.
    pub name: String,
    /// The identifier of the queue or address.
    pub id: String,
}
