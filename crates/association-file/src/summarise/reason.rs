//! Stores each distinct reason for failures once.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;

use crate::text::{one_line, shortened};

/// Maximum length of a stored message in bytes. The cause of a failed execution may have 32,768 characters.
const MAX_MESSAGE: usize = 1_000;

/// Maximum size in bytes of the messages in the file of failed rows, and so of the distinct reasons. It limits the messages
/// of a file with more than 67,000 pairs to fewer than 1,000 bytes.
const MAX_MESSAGES: usize = 64 << 20;

/// Maximum length of a stored error name in bytes.
const MAX_ERROR: usize = 100;

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

/// The distinct reasons so far. There are usually few, each for many rows. With a copy in each row, memory would grow with
/// the number of rows times the length of a message.
#[derive(Debug)]
pub(super) struct Reasons {
    distinct: HashSet<Arc<Reason>>,
    max_message: usize,
}

impl Reasons {
    /// Returns a set without reasons, for a file with this number of pairs.
    pub(super) fn new(pairs: usize) -> Self {
        Reasons { distinct: HashSet::new(), max_message: MAX_MESSAGES / pairs.max(1) }
    }

    /// Returns the shared copy of a reason.
    pub(super) fn shared(&mut self, mut reason: Reason) -> Arc<Reason> {
        reason.message = shortened(reason.message, self.max_message);
        if let Some(earlier) = self.distinct.get(&reason) {
            return earlier.clone();
        }
        let reason = Arc::new(reason);
        self.distinct.insert(reason.clone());
        reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_a_large_file_are_shorter() {
        for (pairs, length) in [(0, 1_000), (67_000, 1_000), (250_000, 268)] {
            let reason = Reasons::new(pairs).shared(Reason::new("E", &"m".repeat(2_000), true));
            assert_eq!(reason.message.len(), length + "…".len(), "{pairs}");
        }
    }
}
