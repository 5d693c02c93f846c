//! What names lead to.

use std::sync::Arc;

use crate::failure::Failure;

/// An identifier, or why there is none.
pub type Identifier = Result<Arc<str>, Arc<Failure>>;

/// The identifiers behind the names of [`Pairs`](crate::pairs::Pairs): for each queue and each pair, or why there is
/// none. A name that is still being looked up has none.
#[derive(Debug)]
pub struct Resolved {
    /// For each of [`Pairs::queues`](crate::pairs::Pairs::queues).
    pub queues: Vec<Identifier>,
    /// For each of [`Pairs::pairs`](crate::pairs::Pairs::pairs), its address.
    pub addresses: Vec<Identifier>,
}

/// What was looked up since the last time, by position in the lists of [`Resolved`].
#[derive(Debug, Default)]
pub struct Found {
    /// Queues.
    pub queues: Vec<(usize, Identifier)>,
    /// Pairs whose queue and address are both known, or which cannot be looked up.
    pub pairs: Vec<(usize, Identifier)>,
}
