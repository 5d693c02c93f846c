//! The clock of the measurement.

use std::time::Instant;

/// This moment.
#[allow(clippy::disallowed_methods, reason = "a benchmark measures real time, and in one place")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
