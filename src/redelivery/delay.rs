//! After how long a listed message comes again, as a function of why it is listed and how often it came before.

use std::time::Duration;

/// What was just created is found by then (see [`crate::failure::Retry::FirstDelivery`]).
const GRACE: Duration = Duration::from_secs(60);
/// SQS hides a message for at most 12 hours from when it was received (SQS Developer Guide, "Amazon SQS visibility
/// timeout"). A Lambda invocation takes at most 15 minutes of them, and a batching window at most five.
const LONGEST: Duration = Duration::from_secs(12 * 3_600 - 20 * 60);
/// Messages that were listed together come apart by up to this share of the delay, in both directions.
const JITTER: f64 = 0.2;

/// How long a message waits that may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    /// After the first delivery; it doubles with each delivery. Whole seconds.
    pub initial: Duration,
    /// At most, jitter included. Whole seconds.
    pub max: Duration,
}

/// Why a message is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Only time was short.
    Time,
    /// Only what it names was not found, on its first delivery.
    Grace,
    /// Anything else, alone or beside one of the others.
    Other,
}

impl Reason {
    /// The reason of a message that has two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == other { self } else { Reason::Other }
    }
}

impl Delays {
    /// The delay of a message, in whole seconds. `receive_count` says how often SQS has delivered it, this delivery
    /// included; `random`, a number from 0 to 1, chooses the jitter.
    pub fn of(self, reason: Reason, receive_count: u32, random: f64) -> Duration {
        match reason {
            Reason::Time => Duration::ZERO,
            Reason::Grace => GRACE,
            Reason::Other => {
                let doublings = receive_count.saturating_sub(1).min(31);
                let doubled = self.initial.saturating_mul(1 << doublings).min(self.max);
                let jittered = doubled.mul_f64(1.0 - JITTER + 2.0 * JITTER * random);
                Duration::from_secs(jittered.min(self.max).min(LONGEST).as_secs_f64().round() as u64)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAYS: Delays = Delays { initial: Duration::from_secs(30), max: Duration::from_secs(900) };

    #[test]
    fn delay_follows_from_reason_and_receive_count() {
        let table = [
            (Reason::Time, 1, 0),
            (Reason::Time, 9, 0),
            (Reason::Grace, 1, 60),
            (Reason::Other, 0, 30),
            (Reason::Other, 1, 30),
            (Reason::Other, 2, 60),
            (Reason::Other, 3, 120),
            (Reason::Other, 4, 240),
            (Reason::Other, 5, 480),
            (Reason::Other, 6, 900),
            (Reason::Other, u32::MAX, 900),
        ];
        for (reason, receive_count, seconds) in table {
            let delay = DELAYS.of(reason, receive_count, 0.5);
            assert_eq!(delay, Duration::from_secs(seconds), "{reason:?} {receive_count}");
        }
    }

    #[test]
    fn jitter_goes_both_ways_but_not_above_the_maximum() {
        let table = [(1, 0.0, 24), (1, 0.25, 27), (1, 1.0, 36), (5, 1.0, 576), (6, 0.0, 720), (6, 1.0, 900)];
        for (receive_count, random, seconds) in table {
            let delay = DELAYS.of(Reason::Other, receive_count, random);
            assert_eq!(delay, Duration::from_secs(seconds), "{receive_count} {random}");
        }
    }

    #[test]
    fn longest_delay_leaves_the_twelve_hours_that_sqs_allows_since_the_message_was_received() {
        let day = Duration::from_secs(43_200);
        let delays = Delays { initial: day, max: day };
        assert_eq!(delays.of(Reason::Other, 1, 1.0), Duration::from_secs(42_000));
    }

    #[test]
    fn two_reasons_are_another() {
        assert_eq!(Reason::Time.and(Reason::Time), Reason::Time);
        assert_eq!(Reason::Grace.and(Reason::Grace), Reason::Grace);
        assert_eq!(Reason::Time.and(Reason::Grace), Reason::Other);
        assert_eq!(Reason::Other.and(Reason::Time), Reason::Other);
    }
}
