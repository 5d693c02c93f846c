//! Unconfirmed addresses: the API refused each of them alone, but the queue's list may still explain why.

use crate::connect::Refusal;
use crate::index::AddressIndex;

/// An address that fails for good unless the queue's list shows it.
#[derive(Debug)]
pub(super) struct Unconfirmed {
    pub(super) member: AddressIndex,
    /// Number of the planned chunk that the address belongs to.
    pub(super) planned: usize,
    pub(super) refusal: Refusal,
}
