//! Reasons: each reason for failures, kept once for all of them.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;

use crate::text::{one_line, shortened};

/// The longest message that is kept, in bytes: the cause of a failed execution may have 32,768 characters.
const MAX_MESSAGE: usize = 1_000;

/// The longest name of an error that is kept, in bytes.
const MAX_ERROR: usize = 256;

/// The reason for a failure.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Reason {
    /// The error's name.
    pub error: String,
    /// One line: the fault, and perhaps the remedy.
    pub message: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
}

impl Reason {
    /// A reason, on one line of bounded length.
    pub(crate) fn new(error: &str, message: &str, retryable: bool) -> Self {
        Reason {
            error: shortened(one_line(error), MAX_ERROR),
            message: shortened(one_line(message), MAX_MESSAGE),
            retryable,
        }
    }
}

/// The reasons met so far. Few faults occur, each for many rows. A copy for each row would take memory of rows times
/// the length of a message.
#[derive(Debug, Default)]
pub(super) struct Reasons(HashSet<Arc<Reason>>);

impl Reasons {
    /// The one copy of a reason.
    pub(super) fn shared(&mut self, reason: Reason) -> Arc<Reason> {
        if let Some(known) = self.0.get(&reason) {
            return known.clone();
        }
        let reason = Arc::new(reason);
        self.0.insert(reason.clone());
        reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_is_bounded_in_bytes() {
        let reason = Reason::new("E", &"ü".repeat(32_768), true);
        assert_eq!(reason.message.len(), MAX_MESSAGE + "…".len());
    }
}
