//! Computes how long a redelivered message stays hidden, from its reason and its number of deliveries.

use std::time::Duration;

use crate::backoff::WaitBounds;
use crate::failure::Retry;

/// How long it may take until the API finds a new resource (see [`Retry::FirstDelivery`]).
const NEW_RESOURCE_DELAY: Duration = Duration::from_secs(60);
/// Maximum delay. SQS hides a message for at most 12 hours after it was received (SQS Developer Guide, "Amazon SQS
/// visibility timeout"). Of those, a Lambda invocation can use up to 15 minutes and a batching window up to five.
const MAX_DELAY: Duration = Duration::from_secs(12 * 3_600 - 20 * 60);
/// The delay varies by up to this share in both directions, so that messages that failed together are not retried
/// together.
const JITTER: f64 = 0.2;

/// The delay of a message whose failures have this retry, in whole seconds. `receive_count` is the number of deliveries,
/// this one included. `random` is a number from 0 to 1 that sets the jitter.
pub(super) fn delay(bounds: WaitBounds, retry: Retry, receive_count: u32, random: f64) -> Duration {
    let WaitBounds { initial, max } = bounds;
    match retry {
        Retry::NextInvocation => Duration::ZERO,
        Retry::FirstDelivery => NEW_RESOURCE_DELAY,
        Retry::MayPass | Retry::Never => {
            let doublings = receive_count.saturating_sub(1).min(31);
            let doubled = initial.saturating_mul(1 << doublings).min(max);
            let jittered = doubled.mul_f64(1.0 - JITTER + 2.0 * JITTER * random);
            Duration::from_secs(jittered.min(max).min(MAX_DELAY).as_secs_f64().round() as u64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: WaitBounds = WaitBounds { initial: Duration::from_secs(30), max: Duration::from_secs(900) };

    #[test]
    fn delay_follows_from_retry_and_receive_count() {
        let table = [
            (Retry::NextInvocation, 1, 0),
            (Retry::NextInvocation, 9, 0),
            (Retry::FirstDelivery, 1, 60),
            (Retry::MayPass, 0, 30),
            (Retry::MayPass, 1, 30),
            (Retry::MayPass, 2, 60),
            (Retry::MayPass, 3, 120),
            (Retry::MayPass, 4, 240),
            (Retry::MayPass, 5, 480),
            (Retry::MayPass, 6, 900),
            (Retry::MayPass, u32::MAX, 900),
            (Retry::Never, 2, 60),
        ];
        for (retry, receive_count, seconds) in table {
            let delay = delay(BOUNDS, retry, receive_count, 0.5);
            assert_eq!(delay, Duration::from_secs(seconds), "{retry:?} {receive_count}");
        }
    }

    #[test]
    fn jitter_goes_both_ways_but_not_above_the_maximum() {
        let table = [(1, 0.0, 24), (1, 0.25, 27), (1, 1.0, 36), (5, 1.0, 576), (6, 0.0, 720), (6, 1.0, 900)];
        for (receive_count, random, seconds) in table {
            let delay = delay(BOUNDS, Retry::MayPass, receive_count, random);
            assert_eq!(delay, Duration::from_secs(seconds), "{receive_count} {random}");
        }
    }

    #[test]
    fn longest_delay_stays_within_twelve_hours_of_receipt() {
        let twelve_hours = Duration::from_secs(43_200);
        let bounds = WaitBounds { initial: twelve_hours, max: twelve_hours };
        assert_eq!(delay(bounds, Retry::MayPass, 1, 1.0), Duration::from_secs(42_000));
    }

    #[test]
    fn different_retries_combine_to_one_that_may_pass() {
        assert_eq!(Retry::NextInvocation.and(Retry::NextInvocation), Retry::NextInvocation);
        assert_eq!(Retry::FirstDelivery.and(Retry::FirstDelivery), Retry::FirstDelivery);
        assert_eq!(Retry::NextInvocation.and(Retry::FirstDelivery), Retry::MayPass);
        assert_eq!(Retry::MayPass.and(Retry::NextInvocation), Retry::MayPass);
    }
}
