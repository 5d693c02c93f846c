//! The state that all invocations of the process share.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::connect::Operation;

use super::pace::{Allowance, Pace};

/// The state that all invocations of the process share: the pace of each operation, and the calls in flight.
#[derive(Debug)]
pub struct Shared {
    paces: [Pace; Operation::ALL.len()],
    /// Each call in flight has one.
    pub(super) permits: Arc<Semaphore>,
    /// Calls that read directories need one of these too. There are half as many, so that the other half is free for
    /// pairs given by identifiers if all directory calls hang.
    pub(super) directory_permits: Arc<Semaphore>,
    pub(super) max_concurrent_calls: usize,
}

impl Shared {
    /// Starts every pace at its ceiling.
    pub fn new(allowance: Allowance, max_concurrent_calls: usize, now: Instant) -> Self {
        Shared {
            paces: Operation::ALL.map(|_| Pace::new(allowance, now)),
            permits: Arc::new(Semaphore::new(max_concurrent_calls)),
            directory_permits: Arc::new(Semaphore::new((max_concurrent_calls / 2).max(1))),
            max_concurrent_calls,
        }
    }

    /// The pace of an operation.
    pub fn pace(&self, operation: Operation) -> &Pace {
        &self.paces[operation as usize]
    }
}
