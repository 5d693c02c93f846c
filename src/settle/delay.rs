//! Computes how long a redelivered message stays hidden, from its reason and its number of deliveries.

use std::time::Duration;

use crate::failure::Retry;
use crate::settings::Delays;

use super::{FailureEntry, Subject};

/// How long it may take until the API finds a new resource (see [`Retry::FirstDelivery`]).
const NEW_RESOURCE_DELAY: Duration = Duration::from_secs(60);
/// Maximum delay. SQS hides a message for at most 12 hours after it was received (SQS Developer Guide, "Amazon SQS
/// visibility timeout"). Of those, a Lambda invocation can use up to 15 minutes and a batching window up to five.
const MAX_DELAY: Duration = Duration::from_secs(12 * 3_600 - 20 * 60);
/// The delay varies by up to this share in both directions, so that messages that failed together are not retried
/// together.
const JITTER: f64 = 0.2;

/// The reason why a message is redelivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The invocation ran out of time, and nothing else failed.
    OutOfTime,
    /// A resource was not found on the first delivery. It may be new.
    MaybeNew,
    /// Another reason, or several.
    Other,
}

impl Reason {
    /// Returns the reason of a failure.
    pub(super) fn of(entry: &FailureEntry) -> Self {
        match (entry.subject, entry.failure.retry) {
            (Subject::Pair { .. }, Retry::NextInvocation) => Reason::OutOfTime,
            (Subject::Pair { .. }, Retry::FirstDelivery) => Reason::MaybeNew,
            (Subject::Pair { .. } | Subject::Invalid(_), _) => Reason::Other,
        }
    }

    /// Combines two reasons of one message.
    #[must_use]
    pub(super) fn and(self, other: Self) -> Self {
        if self == other { self } else { Reason::Other }
    }
}

impl Delays {
    /// The delay of a message, in whole seconds. `receive_count` is the number of deliveries, this one included.
    /// `random` is a number from 0 to 1 that sets the jitter.
    pub(crate) fn of(self, reason: Reason, receive_count: u32, random: f64) -> Duration {
        match reason {
            Reason::OutOfTime => Duration::ZERO,
            Reason::MaybeNew => NEW_RESOURCE_DELAY,
            Reason::Other => {
                let doublings = receive_count.saturating_sub(1).min(31);
                let doubled = self.initial.saturating_mul(1 << doublings).min(self.max);
                let jittered = doubled.mul_f64(1.0 - JITTER + 2.0 * JITTER * random);
                Duration::from_secs(jittered.min(self.max).min(MAX_DELAY).as_secs_f64().round() as u64)
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
            (Reason::OutOfTime, 1, 0),
            (Reason::OutOfTime, 9, 0),
            (Reason::MaybeNew, 1, 60),
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
    fn longest_delay_stays_within_twelve_hours_of_receipt() {
        let twelve_hours = Duration::from_secs(43_200);
        let delays = Delays { initial: twelve_hours, max: twelve_hours };
        assert_eq!(delays.of(Reason::Other, 1, 1.0), Duration::from_secs(42_000));
    }

    #[test]
    fn different_reasons_combine_to_other() {
        assert_eq!(Reason::OutOfTime.and(Reason::OutOfTime), Reason::OutOfTime);
        assert_eq!(Reason::MaybeNew.and(Reason::MaybeNew), Reason::MaybeNew);
        assert_eq!(Reason::OutOfTime.and(Reason::MaybeNew), Reason::Other);
        assert_eq!(Reason::Other.and(Reason::OutOfTime), Reason::Other);
    }
}
