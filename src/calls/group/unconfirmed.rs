//! Unconfirmed addresses: the API refused each alone, and nobody has said yet that it is at fault.

use crate::connect::Refusal;

/// An address that fails for good unless it is found on the queue.
#[derive(Debug)]
pub(super) struct Unconfirmed {
    pub(super) member: usize,
    /// Number of the planned chunk that the address belongs to.
    pub(super) planned: usize,
    pub(super) refusal: Refusal,
}
