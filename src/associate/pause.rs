//! The wait of a group before its next step.

use std::time::Duration;

use crate::connect::Rejection;

/// A wait before a step. The pause makes the step a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pause {
    /// The wait that the server requests. The wait also doubles with each pause of the group.
    pub(crate) at_least: Duration,
}

impl Pause {
    /// The wait before a rejected call is made again.
    pub(super) fn after(rejection: &Rejection) -> Self {
        Pause { at_least: rejection.retry_after.unwrap_or_default() }
    }
}
