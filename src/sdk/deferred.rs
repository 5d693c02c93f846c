//! An AWS client that is created when it is first needed.
//!
//! The SDK reads its list of partitions and compiles their regular expressions for each client. That is half of all the
//! work of a cold start, and the first poll does not need a client.

use std::fmt;
use std::sync::{Arc, LazyLock};

type Make<Client> = Box<dyn FnOnce() -> Client + Send>;

/// A client that the first caller creates. It is created at most once.
pub struct Deferred<Client>(Arc<LazyLock<Client, Make<Client>>>);

impl<Client> Deferred<Client> {
    /// Wraps the function that creates the client.
    pub fn new(make: impl FnOnce() -> Client + Send + 'static) -> Self {
        Deferred(Arc::new(LazyLock::new(Box::new(make))))
    }

    /// Returns the client. Waits if another thread is creating it.
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
