//! Accused addresses: the API refused each alone, and nobody has said yet that it is at fault.

use crate::connect::Refusal;

/// An address that fails for good unless it is found on the queue.
#[derive(Debug)]
pub(super) struct Accused {
    pub(super) member: usize,
    /// The chunk of the address.
    pub(super) chunk: usize,
    pub(super) refusal: Refusal,
}
