//! Limits the calls of all invocations of the process together.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::connect::Operation;

use super::pace::{Allowance, Pace};

/// The pace of each operation and the number of calls in flight, for all invocations of the process.
#[derive(Debug)]
pub(crate) struct ProcessLimits {
    paces: [Pace; Operation::ALL.len()],
    /// One for each call in flight.
    pub(super) permits: Arc<Semaphore>,
    /// One more for each call that reads a directory. There are half as many, so that the other half is available for
    /// pairs given by identifiers if all directory calls hang.
    pub(super) directory_permits: Arc<Semaphore>,
    pub(super) max_concurrent_calls: usize,
}

impl ProcessLimits {
    /// Starts every pace at its ceiling.
    pub(crate) fn new(allowance: Allowance, max_concurrent_calls: usize, now: Instant) -> Self {
        ProcessLimits {
            paces: Operation::ALL.map(|_| Pace::new(allowance, now)),
            permits: Arc::new(Semaphore::new(max_concurrent_calls)),
            directory_permits: Arc::new(Semaphore::new((max_concurrent_calls / 2).max(1))),
            max_concurrent_calls,
        }
    }

    pub(crate) fn pace(&self, operation: Operation) -> &Pace {
        &self.paces[operation as usize]
    }
}
