//! Names: queues and email addresses that were named by name, found in their instance's directory.
//!
//! A directory is read whole, once, and kept for five minutes: 10,000 queues are 20 calls, where asking for each
//! name would be 10,000. It may be out of date, so it is read again, at most once an invocation, when a name is
//! missing from it or the API refuses an identifier that came from it.

mod directory;
mod reading;
mod resolve;

pub use directory::Directories;
pub use reading::Reading;
pub use resolve::Resolver;
