//! The result of one pair, as the calls decide it.
//!
//! A failed pair is a value, not an error, because an error concerns the invocation as a whole.

use std::sync::Arc;

use crate::failure::Failure;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A call associated the pair. The queue may have had the address before, because the API accepts such a call too.
    Associated,
    /// The function found the address on the queue.
    AlreadyAssociated,
    /// Only dry runs requested the pair.
    Planned,
    /// The pair was not associated. Many pairs may share one failure.
    Failed(Arc<Failure>),
}

#[derive(Debug)]
pub(crate) struct GroupOutcomes {
    /// The outcome of each address, in the order of the plan.
    pub by_address: Vec<Outcome>,
    /// Addresses on the queue that no request contains, without the queue's default address. Known only if the queue was
    /// checked.
    pub unrequested: Option<Vec<String>>,
}
