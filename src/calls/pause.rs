//! Pause: the wait of a group before its next step.

use std::time::Duration;

/// A wait before a step. The pause makes the step a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pause {
    /// The wait that the server asks for. The wait also doubles with each pause of the group.
    pub(crate) at_least: Duration,
}
