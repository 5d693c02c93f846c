//! Finds the identifiers of the queues and email addresses that callers give by name.
//!
//! The API finds identifiers by searching, and one search for each name of 10,000 queues would take 10,000 calls.
//! Reading the whole directory of an instance takes 20. Only a directory that was read from its first page to its last
//! resolves names, because only then a name is known to be unique.
//!
//! The process caches a directory for five minutes (`cache`). So a name may be new, and an identifier may be out of date.
//! Before a pair fails permanently because of that, the invocation reads the directory again, at most once.
//!
//! [`Names`] makes no calls. It returns the next page to read, takes the page, and returns the pairs that it found.

mod cache;
mod directories;
mod directory;
mod failure;
mod lookup;
mod similar;
mod state;

pub(crate) use cache::DirectoryCache;
pub(crate) use directories::LookupError;
pub(crate) use lookup::{LookupResults, Names};
