//! Stores each distinct reason for failures once.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;

use crate::text::{one_line, shortened};

/// Maximum length of a stored message in bytes. The cause of a failed execution may have 32,768 characters.
const MAX_MESSAGE: usize = 1_000;

/// Maximum length of a stored error name in bytes.
const MAX_ERROR: usize = 256;

/// The reason for a failure.
#[derive(Debug, PartialEq, Eq, Hash, Serialize)]
pub(crate) struct Reason {
    /// The error's name.
    pub(crate) error: String,
    /// One line with the fault, and possibly the remedy.
    pub(crate) message: String,
    /// Whether the same request may succeed later.
    pub(crate) retryable: bool,
}

impl Reason {
    /// Returns a reason on one line of limited length.
    pub(crate) fn new(error: &str, message: &str, retryable: bool) -> Self {
        Reason {
            error: shortened(one_line(error), MAX_ERROR),
            message: shortened(one_line(message), MAX_MESSAGE),
            retryable,
        }
    }
}

/// The distinct reasons so far. There are few, each for many rows. With a copy in each row, memory would grow with the
/// number of rows times the length of a message.
#[derive(Debug, Default)]
pub(super) struct Reasons(HashSet<Arc<Reason>>);

impl Reasons {
    /// Returns the shared copy of a reason.
    pub(super) fn shared(&mut self, reason: Reason) -> Arc<Reason> {
        if let Some(earlier) = self.0.get(&reason) {
            return earlier.clone();
        }
        let reason = Arc::new(reason);
        self.0.insert(reason.clone());
        reason
    }
}
