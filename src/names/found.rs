//! Found: the identifiers behind the names of an invocation.

use std::sync::Arc;

use crate::failure::Failure;
use crate::index::{IndexList, PairIndex, QueueIndex};
use crate::requests::{EmailAddressId, QueueId};

/// An identifier, or the failure to find it.
pub type Identifier<Id> = Result<Id, Arc<Failure>>;

/// The identifiers behind the names of [`Pairs`](crate::pairs::Pairs). Each queue and each pair has an identifier or a
/// failure. A name that is still being looked up has a failure.
#[derive(Debug)]
pub struct Resolved {
    /// The identifier of each of [`Pairs::queues`](crate::pairs::Pairs::queues).
    pub queues: IndexList<QueueIndex, Identifier<QueueId>>,
    /// The address identifier of each of [`Pairs::pairs`](crate::pairs::Pairs::pairs).
    pub addresses: IndexList<PairIndex, Identifier<EmailAddressId>>,
}

/// The queues and pairs that were decided since the last call of [`Names`](super::Names), by position in the lists of
/// [`Resolved`].
#[derive(Debug, Default)]
pub struct Found {
    /// Queues.
    pub queues: Vec<(QueueIndex, Identifier<QueueId>)>,
    /// Pairs whose queue and address are both known, or whose look-up failed.
    pub pairs: Vec<(PairIndex, Identifier<EmailAddressId>)>,
}
