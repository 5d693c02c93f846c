//! Deadline: until when calls are begun, and how long one may take.

use std::time::Duration;

use tokio::time::Instant;

/// A call is begun only while this much is left for it.
const SHORTEST_CALL: Duration = Duration::from_secs(1);

/// The time of an invocation, with what must stay free at its end taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// When the last answer must be there.
    end: Instant,
}

impl Deadline {
    /// The deadline of an invocation, less what is `kept` free at its end.
    pub fn new(invocation_ends: Instant, kept: Duration, now: Instant) -> Self {
        // An instant before now cannot always be written; now is as good, as nothing is begun at it.
        Deadline { end: invocation_ends.checked_sub(kept).unwrap_or(now) }
    }

    /// The last moment at which a call may begin.
    pub fn last_begin(self) -> Option<Instant> {
        self.end.checked_sub(SHORTEST_CALL)
    }

    /// Whether a call may begin at a time.
    pub fn allows(self, begin: Instant) -> bool {
        begin + SHORTEST_CALL <= self.end
    }

    /// How long calls may still begin and end.
    pub fn time_left(self, now: Instant) -> Duration {
        self.end.saturating_duration_since(now)
    }

    /// How long a call may take that begins at a time.
    pub fn time_for_call(self, begin: Instant, at_most: Duration) -> Duration {
        self.end.saturating_duration_since(begin).min(at_most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_begins_only_with_a_second_left() {
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
