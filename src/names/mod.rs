//! Names: queues and email addresses that were named by name, found in their instance's directory.
//!
//! A directory is read whole, once, and kept for five minutes: 10,000 queues are 20 calls, where asking for each
//! name would be 10,000. It may be out of date, so it is read again, at most once an invocation, when a name is
//! missing from it or not unique in it, or when the API refuses an identifier that came from it.
//!
//! [`Names`] makes no calls. It tells which pages it wants, takes them, and gives away pairs as they are found.

mod directory;
mod lookup;
mod reading;
mod similar;

use std::sync::Arc;

use crate::failure::Failure;

pub use directory::Directories;
pub use lookup::{Names, Reread};

/// The identifiers behind the names of [`Pairs`](crate::pairs::Pairs): for each queue and each pair, or why there is
/// none. A name that is still being looked up has none.
#[derive(Debug)]
pub struct Resolved {
    /// For each of [`Pairs::queues`](crate::pairs::Pairs::queues).
    pub queues: Vec<Result<Arc<str>, Arc<Failure>>>,
    /// For each of [`Pairs::pairs`](crate::pairs::Pairs::pairs), its address.
    pub addresses: Vec<Result<Arc<str>, Arc<Failure>>>,
}

/// What was looked up since the last time, by position in the lists of [`Resolved`].
#[derive(Debug, Default)]
pub struct Found {
    /// Queues.
    pub queues: Vec<(usize, Result<Arc<str>, Arc<Failure>>)>,
    /// Pairs whose queue and address are both known, or which cannot be looked up.
    pub pairs: Vec<(usize, Result<Arc<str>, Arc<Failure>>)>,
}
