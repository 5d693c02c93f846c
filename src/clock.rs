//! Reads the wall clock. No other module does.
//!
//! Other modules get instants of Tokio's clock, which tests can pause.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Converts a wall-clock time, such as the deadline from Lambda, to an instant of Tokio's clock.
pub(crate) fn instant_of(moment: SystemTime) -> Instant {
    Instant::now() + moment.duration_since(now()).unwrap_or(Duration::ZERO)
}

/// Milliseconds since 1970. CloudWatch expects a metric's time in this unit.
pub fn epoch_millis() -> u64 {
    let since = now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[allow(clippy::disallowed_methods, reason = "this is the place")]
fn now() -> SystemTime {
    SystemTime::now()
}
