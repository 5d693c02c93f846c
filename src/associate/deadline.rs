//! Deadline: the end of the time for calls, and the time that one call may take.

use std::time::Duration;

use tokio::time::Instant;

/// A call begins only if at least this much time remains.
const SHORTEST_CALL: Duration = Duration::from_secs(1);

/// The time of an invocation, without the time that must stay free at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// The time by which the last answer must arrive.
    end: Instant,
}

impl Deadline {
    /// Ends `kept` before the invocation does.
    pub fn new(invocation_ends: Instant, kept: Duration, now: Instant) -> Self {
        // The subtraction fails if the clock cannot represent the result. `now` serves as well, because no call begins
        // at it.
        Deadline { end: invocation_ends.checked_sub(kept).unwrap_or(now) }
    }

    /// The last moment at which a call may begin.
    pub(crate) fn last_begin(self) -> Option<Instant> {
        self.end.checked_sub(SHORTEST_CALL)
    }

    /// Whether a call may begin at this time.
    pub fn allows(self, begin: Instant) -> bool {
        begin + SHORTEST_CALL <= self.end
    }

    /// The remaining time for calls.
    pub fn time_left(self, now: Instant) -> Duration {
        self.end.saturating_duration_since(now)
    }

    /// The time that a call may take if it begins at `begin`.
    pub(crate) fn time_for_call(self, begin: Instant, at_most: Duration) -> Duration {
        self.end.saturating_duration_since(begin).min(at_most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_begins_only_with_a_second_left() {
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
