//! Pauses: a group waits before its next step.

use std::time::Duration;

/// A wait that makes a step a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// How long the server asked to wait. The wait doubles with each pause of the group as well.
    pub at_least: Duration,
}
