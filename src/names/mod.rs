//! Names: finds the identifiers of queues and email addresses that callers name by name.
//!
//! The process reads a whole directory and keeps it for five minutes. The names of 10,000 queues take 20 calls that
//! way. A search for each name would take 10,000 calls. A kept directory may be out of date. An invocation reads it
//! again, at most once, if a name is missing from it or not unique in it. It also does so if the API refuses an
//! identifier from it.
//!
//! [`Names`] makes no calls. It asks for pages, takes them, and returns pairs as it finds them.

mod directory;
mod existing;
mod found;
mod kept;
mod lookup;
mod reading;
mod reread;
mod similar;
mod unresolved;

pub use found::{Found, Identifier, Resolved};
pub(crate) use kept::Directories;
pub use lookup::Names;
pub(crate) use reread::Reread;
