//! A client of an AWS service that is made when it is first needed.
//!
//! The SDK reads its list of partitions, and compiles their regular expressions, for each client that it makes: half of
//! all the work of a cold start, which a first poll does not need.

use std::fmt;
use std::sync::{Arc, LazyLock};

type Make<Client> = Box<dyn FnOnce() -> Client + Send>;

/// A client that is made at most once, by the first caller that needs it.
pub struct Deferred<Client>(Arc<LazyLock<Client, Make<Client>>>);

impl<Client> Deferred<Client> {
    /// A client that `make` makes.
    pub fn new(make: impl FnOnce() -> Client + Send + 'static) -> Self {
        Deferred(Arc::new(LazyLock::new(Box::new(make))))
    }

    /// The client. Where another thread is making it, this waits for it.
    pub fn get(&self) -> &Client {
        &self.0
    }
}

impl<Client> Clone for Deferred<Client> {
    fn clone(&self) -> Self {
        Deferred(self.0.clone())
    }
}

impl<Client> fmt::Debug for Deferred<Client> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deferred").finish_non_exhaustive()
    }
}
