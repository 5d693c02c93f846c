//! Names: queues and email addresses that were named by name, found in their instance's directory.
//!
//! A directory is read whole, once, and kept for five minutes: 10,000 queues are 20 calls, where asking for each
//! name would be 10,000. It may be out of date, so it is read again, at most once an invocation, when a name is
//! missing from it or not unique in it, or when the API refuses an identifier that came from it.
//!
//! [`Names`] makes no calls. It tells which pages it wants, takes them, and gives away pairs as they are found.

mod directory;
mod existing;
mod found;
mod kept;
mod lookup;
mod reading;
mod similar;

pub use found::{Found, Identifier, Resolved};
pub use kept::Directories;
pub use lookup::{Names, Reread};
