//! The time by which calls must have ended, and the time that one call can take.

use std::time::Duration;

use tokio::time::Instant;

/// A call starts only if at least this much time remains.
const SHORTEST_CALL: Duration = Duration::from_secs(1);

/// The time by which calls must have ended. The rest of the invocation is reserved for its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadline {
    /// The time at which a call in flight is abandoned.
    end: Instant,
}

impl Deadline {
    /// Reserves the time `reserved` before the invocation ends.
    pub(crate) fn new(invocation_ends: Instant, reserved: Duration, now: Instant) -> Self {
        // The subtraction fails if the clock cannot represent the result. With `now` as the end, no call starts either.
        Deadline { end: invocation_ends.checked_sub(reserved).unwrap_or(now) }
    }

    pub(crate) fn last_start(self) -> Option<Instant> {
        self.end.checked_sub(SHORTEST_CALL)
    }

    /// Whether a call can start at this time.
    pub(crate) fn allows(self, start: Instant) -> bool {
        start + SHORTEST_CALL <= self.end
    }

    pub(crate) fn time_for_call(self, start: Instant, at_most: Duration) -> Duration {
        self.end.saturating_duration_since(start).min(at_most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_starts_only_with_a_second_left() {
        let now = Instant::now();
        let at = |millis| now + Duration::from_millis(millis);
        let deadline = Deadline::new(at(3_000), Duration::from_millis(1_000), now);
        assert!(deadline.allows(at(0)));
        assert!(deadline.allows(at(1_000)));
        assert!(!deadline.allows(at(1_001)));
        assert_eq!(deadline.time_for_call(at(0), Duration::from_secs(5)), Duration::from_secs(2));
        assert_eq!(deadline.time_for_call(at(0), Duration::from_secs(1)), Duration::from_secs(1));
    }
}
