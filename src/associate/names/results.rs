//! The identifiers that were found for the names of an invocation.

use std::sync::Arc;

use crate::failure::Failure;
use crate::index::{IndexList, PairIndex, QueueIndex};
use crate::requests::{EmailAddressId, QueueId};

/// An identifier, or the failure to find it.
pub(crate) type Resolution<Id> = Result<Id, Arc<Failure>>;

/// The identifier of each queue and each pair of [`Pairs`](crate::pairs::Pairs), or its failure. A name that is still
/// being looked up has a failure.
#[derive(Debug)]
pub struct Resolutions {
    /// The identifier of each of [`Pairs::queues`](crate::pairs::Pairs::queues).
    pub queues: IndexList<QueueIndex, Resolution<QueueId>>,
    /// The address identifier of each of [`Pairs::pairs`](crate::pairs::Pairs::pairs).
    pub addresses: IndexList<PairIndex, Resolution<EmailAddressId>>,
}

/// The queues and pairs that [`Names`](super::Names) decided in one step.
#[derive(Debug, Default)]
pub(crate) struct LookupResults {
    /// Queues.
    pub queues: Vec<(QueueIndex, Resolution<QueueId>)>,
    /// Pairs whose queue and address are both known, or whose look-up failed.
    pub pairs: Vec<(PairIndex, Resolution<EmailAddressId>)>,
}
