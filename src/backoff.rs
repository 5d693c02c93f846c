//! Determines the wait before each retry of a call. The wait doubles each time and has jitter.
//!
//! Only this module uses the crate `backoff`, which is unmaintained (RUSTSEC-2025-0012). `docs/decisions/backoff.md`
//! explains why it stays. The crate only supplies the intervals. The loop that makes the calls decides whether to retry
//! and checks the deadline.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;

/// The bounds of waits that double each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitBounds {
    /// The first wait, before jitter.
    pub(crate) initial: Duration,
    /// The longest wait, jitter included.
    pub(crate) max: Duration,
}

/// The waits of one call. Each is twice the one before.
#[derive(Debug)]
pub(crate) struct Backoff {
    intervals: ExponentialBackoff,
}

impl Backoff {
    pub(crate) fn new(settings: WaitBounds) -> Self {
        Backoff {
            intervals: ExponentialBackoff {
                current_interval: settings.initial,
                initial_interval: settings.initial,
                multiplier: 2.0,
                randomization_factor: 0.5,
                max_interval: settings.max,
                // By default the crate gives up after 15 minutes.
                max_elapsed_time: None,
                ..ExponentialBackoff::default()
            },
        }
    }

    /// The next wait: between half and one and a half of the doubled interval, never above the maximum.
    pub(crate) fn next_wait(&mut self) -> Duration {
        // The crate adds its jitter above the maximum too, so its answer is clamped.
        let max = self.intervals.max_interval;
        self.intervals.next_backoff().map_or(max, |wait| wait.min(max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_with_jitter_and_stay_below_the_maximum() {
        let (initial, max) = (Duration::from_millis(200), Duration::from_millis(2_000));
        for _ in 0..200 {
            let mut backoff = Backoff::new(WaitBounds { initial, max });
            for interval in [200, 400, 800, 1_600, 2_000, 2_000, 2_000] {
                let interval = Duration::from_millis(interval);
                let wait = backoff.next_wait();
                assert!(wait >= interval / 2 && wait <= (interval * 3 / 2).min(max), "{interval:?} {wait:?}");
            }
        }
    }

    #[test]
    fn two_calls_do_not_wait_the_same() {
        let settings = WaitBounds { initial: Duration::from_secs(1), max: Duration::from_secs(1_000_000) };
        let waits: std::collections::HashSet<Duration> =
            (0..20).map(|_| Backoff::new(settings).next_wait()).collect();
        assert!(waits.len() > 10, "{waits:?}");
    }
}
