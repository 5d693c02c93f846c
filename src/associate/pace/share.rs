//! The share of the quota that a process uses, derived from a guess of how many processes use it.
//!
//! The rate is the quota divided by the guess, which includes this process.
//!
//! - Each throttling episode adds one to the guess. An episode is one throttled call and every call that was already in
//!   flight, because six throttled calls out of six in flight are one piece of evidence.
//! - After a quiet time, the process takes one off the guess. This is a probe. Throttling soon after it restores the
//!   guess and lengthens the next quiet time. Enough successes confirm it.
//! - The larger the guess, the shorter the quiet time. A process that guesses too high therefore probes before the
//!   others do, and all processes converge on the same share.
//!
//! `docs/decisions/one-pace.md` has the figures of this rule.

use std::time::Duration;

use tokio::time::Instant;

use super::allowance::Allowance;

/// The guess after the first throttling, or two if `CONNECT_WORKERS` is less. Processes that start together are usually
/// more than two, and a high guess costs less than a low one.
const FIRST_GUESS: u32 = 3;
/// The highest guess, or twice `CONNECT_WORKERS` if that is more. A process that is throttled for minutes must still
/// call often enough to notice when it no longer is.
const MAX_GUESS: u32 = 10;
/// Length of the quiet time before a probe, in calls at the quota, divided by the guess. The server's bucket fills and
/// empties in such times.
const QUIET_CALLS: f64 = 30.0;
/// Successes that confirm a probe.
const CONFIRMING_SUCCESSES: u32 = 10;
/// Factor on the next quiet time after a probe that failed, so that processes that share a quota rarely disturb each
/// other.
const PROBE_BACKOFF: f64 = 4.0;

#[derive(Debug)]
pub(super) struct Share {
    quota: f64,
    workers: u32,
    /// Estimated number of processes that use the quota, this one included; at least 1.
    estimated_processes: u32,
    last_throttled: Option<Instant>,
    /// The last throttling or the start of the last probe.
    quiet_since: Instant,
    /// Factor on the quiet time.
    probe_backoff: f64,
    /// Successes of the probe that is in progress.
    probe_successes: Option<u32>,
}

impl Share {
    /// The share of a process that has made no calls: the whole quota.
    pub(super) fn new(allowance: Allowance, now: Instant) -> Self {
        Share {
            quota: allowance.rate,
            // A client that `CONNECT_WORKERS` does not count may share the quota.
            workers: allowance.workers.max(2),
            estimated_processes: 1,
            last_throttled: None,
            quiet_since: now,
            probe_backoff: 1.0,
            probe_successes: None,
        }
    }

    /// Calls per second.
    pub(super) fn rate(&self) -> f64 {
        self.quota / f64::from(self.estimated_processes)
    }

    /// Whether throttling keeps the rate below the quota.
    pub(super) fn is_slowed(&self) -> bool {
        self.estimated_processes > 1
    }

    pub(super) fn was_throttled(&self) -> bool {
        self.last_throttled.is_some()
    }

    /// Records the success of a call that started at `started`.
    pub(super) fn succeeded(&mut self, started: Instant, now: Instant) {
        if self.last_throttled.is_some_and(|throttled| started <= throttled) {
            return;
        }
        if let Some(successes) = &mut self.probe_successes {
            *successes += 1;
            if *successes >= CONFIRMING_SUCCESSES {
                self.confirm_probe();
            }
        }
        let quiet = QUIET_CALLS / f64::from(self.estimated_processes) * self.probe_backoff / self.quota;
        if self.is_slowed()
            && now.saturating_duration_since(self.quiet_since) >= Duration::from_secs_f64(quiet)
        {
            self.confirm_probe();
            self.estimated_processes -= 1;
            self.probe_successes = Some(0);
            self.quiet_since = now;
        }
    }

    /// Records the throttling of a call that started at `started`. Returns whether it starts a new episode.
    pub(super) fn throttled(&mut self, started: Instant, now: Instant) -> bool {
        if self.last_throttled.is_some_and(|throttled| started <= throttled) {
            return false;
        }
        let highest = self.workers.saturating_mul(2).max(MAX_GUESS);
        self.estimated_processes = match self.last_throttled {
            None => FIRST_GUESS.min(self.workers),
            Some(_) => (self.estimated_processes + 1).min(highest),
        };
        if self.probe_successes.take().is_some() {
            self.probe_backoff = PROBE_BACKOFF;
        }
        self.last_throttled = Some(now);
        self.quiet_since = now;
        true
    }

    fn confirm_probe(&mut self) {
        if self.probe_successes.take().is_some() {
            self.probe_backoff = 1.0;
        }
    }
}
