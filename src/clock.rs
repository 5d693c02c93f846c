//! The wall clock: the one place that reads it.
//!
//! Everything else is given instants of Tokio's clock, which tests can pause.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// A moment of the wall clock, such as the deadline that Lambda gives, on the clock that waits are made with.
pub fn instant_of(moment: SystemTime) -> Instant {
    Instant::now() + moment.duration_since(now()).unwrap_or(Duration::ZERO)
}

/// Milliseconds since 1970, as CloudWatch wants a metric's time.
pub fn epoch_millis() -> u64 {
    let since = now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[allow(clippy::disallowed_methods, reason = "this is the place")]
fn now() -> SystemTime {
    SystemTime::now()
}
