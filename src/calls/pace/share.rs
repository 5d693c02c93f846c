//! Share: how fast the process may call, by how many processes seem to share the quota.
//!
//! The process keeps a guess of how many processes call, itself included, and calls at its part of the quota.
//!
//! - A throttling answer adds one to the guess, once for each episode: answers to calls begun before the last throttling
//!   say nothing new. It adds nothing if many calls succeeded since the last one, because processes that share a quota
//!   evenly are refused now and then.
//! - A while without throttling halves the guess, so the rate rises. That is a probe. If throttling follows soon, the guess
//!   goes back, and the next probe waits longer.
//! - A probe of the share of two begins faster than that share. If the quota is in use, the process that probes is then
//!   refused sooner, and those beside it are refused less often.
//! - The more processes share the quota, the sooner each of them probes. A process that guesses too many therefore
//!   catches up with one that guesses too few, and all come to the same share.
//! - The guess passes `CONNECT_WORKERS`, taken as two at least, only if throttling comes again after two successes at most.
//!   Then the quota may be lower than configured.
//! - A process that has had the whole quota for long passes over one refusal, because it may be bad luck.
//!
//! The constants were chosen with the model in `model`; `docs/decisions/one-pace.md` says what else was tried.

use std::time::Duration;

use tokio::time::Instant;

use super::allowance::Allowance;

/// The first guess of a process that may share the quota.
const AT_FIRST: u32 = 2;
/// Successes after which the first guess becomes one.
const SEEMS_ALONE: u32 = 3;
/// The guess at the first throttling answer, if `CONNECT_WORKERS` is not less.
const FIRST_THROTTLED: u32 = 3;
/// Successes after which a raise has held, and is no probe any more.
const HELD: u32 = 10;
/// Throttling adds to the guess only if fewer calls succeeded since the last throttling than this, divided by the square of
/// the guess, or than `REPEATED_AT_ONCE` if that is more.
const REPEATED: u32 = 126;
/// Where the guess would pass `CONNECT_WORKERS`, throttling adds to it only if fewer calls than this succeeded.
const REPEATED_AT_ONCE: u32 = 3;
/// Successes until which a probe of the share of two goes faster than that.
const BEGINNING: u32 = 3;
/// How fast it goes until then, as a part of the quota.
const FASTER: f64 = 0.68;
/// The guess is at most this, or twice `CONNECT_WORKERS` if that is more. A process that the server refuses for minutes
/// must go on asking often enough to find out when that has passed.
const MOST: u32 = 10;
/// Successes at the whole quota after which one refusal is passed over.
const BAD_LUCK: u32 = 24;

/// The rate of one process.
#[derive(Debug)]
pub(super) struct Share {
    quota: f64,
    workers: u32,
    /// How many processes seem to share the quota, this one included; at least 1.
    sharers: u32,
    /// When throttling last came.
    throttled: Option<Instant>,
    /// When throttling last came, or when the last probe began.
    quiet_since: Instant,
    /// Successes since then, of calls begun after the last throttling.
    successes: u32,
    /// Successes at the whole quota since the last throttling.
    unhindered: u32,
    /// The guess before the probe that is under way.
    before_probe: Option<u32>,
    /// The factor on the wait for the next probe.
    patience: f64,
}

impl Share {
    /// The share of a process that has called nothing yet.
    pub(super) fn new(allowance: Allowance, now: Instant) -> Self {
        Share {
            quota: allowance.rate,
            // Somebody whom nobody counted may share the quota of a process that is said to be the only one.
            workers: allowance.workers.max(2),
            sharers: allowance.workers.clamp(1, AT_FIRST),
            throttled: None,
            quiet_since: now,
            successes: 0,
            unhindered: 0,
            before_probe: None,
            patience: 1.0,
        }
    }

    /// Calls a second.
    pub(super) fn rate(&self) -> f64 {
        let begins_probe = self.before_probe.is_some() && self.successes < BEGINNING;
        if self.sharers == 2 && begins_probe {
            self.quota * FASTER
        } else {
            self.quota / f64::from(self.sharers)
        }
    }

    /// How many processes seem to share the quota, this one included.
    #[cfg(test)]
    pub(super) fn sharers(&self) -> u32 {
        self.sharers
    }

    /// Whether throttling has made the process call slower than the quota.
    pub(super) fn is_slowed(&self) -> bool {
        self.was_throttled() && self.sharers > 1
    }

    /// Whether a throttling answer ever came.
    pub(super) fn was_throttled(&self) -> bool {
        self.throttled.is_some()
    }

    /// A call begun at that time succeeded.
    pub(super) fn succeeded(&mut self, begun: Instant, now: Instant) {
        if self.throttled.is_some_and(|throttled| begun <= throttled) {
            return;
        }
        self.successes = self.successes.saturating_add(1);
        if self.before_probe.is_some() && self.successes > HELD {
            self.probe_held();
        }
        if self.sharers == 1 {
            self.unhindered = self.unhindered.saturating_add(1);
        } else if !self.was_throttled() {
            if self.successes >= SEEMS_ALONE {
                self.sharers = 1;
            }
        } else if now.saturating_duration_since(self.quiet_since) >= self.quiet_before_probe() {
            self.probe(now);
        }
    }

    /// A call begun at that time was throttled. Tells whether a new episode begins with it.
    pub(super) fn throttled(&mut self, begun: Instant, now: Instant) -> bool {
        if self.throttled.is_some_and(|throttled| begun <= throttled) {
            return false;
        }
        self.sharers = self.guess_of_throttled();
        self.throttled = Some(now);
        self.quiet_since = now;
        self.successes = 0;
        self.unhindered = 0;
        true
    }

    fn guess_of_throttled(&mut self) -> u32 {
        if self.unhindered >= BAD_LUCK {
            self.before_probe = None;
            return self.sharers;
        }
        if !self.was_throttled() {
            return FIRST_THROTTLED.min(self.workers);
        }
        if let Some(before) = self.before_probe.take() {
            self.patience = patience_after(before);
            return before;
        }
        let (successes, most) = if self.sharers < self.workers {
            let repeated = REPEATED / (self.sharers * self.sharers);
            (repeated.max(REPEATED_AT_ONCE), self.workers)
        } else {
            (REPEATED_AT_ONCE, self.most())
        };
        if self.successes < successes { (self.sharers + 1).min(most) } else { self.sharers }
    }

    fn most(&self) -> u32 {
        self.workers.saturating_mul(2).max(MOST)
    }

    fn quiet_before_probe(&self) -> Duration {
        Duration::from_secs_f64(quiet(self.sharers) * self.patience / self.quota)
    }

    fn probe(&mut self, now: Instant) {
        if self.before_probe.is_some() {
            self.probe_held();
        }
        self.before_probe = Some(self.sharers);
        self.sharers = self.sharers.div_ceil(2);
        self.quiet_since = now;
        self.successes = 0;
    }

    fn probe_held(&mut self) {
        self.before_probe = None;
        self.patience = 1.0;
    }
}

/// The time without throttling before a process with that guess probes, in calls at the quota, because the server's bucket
/// fills and empties in such time.
fn quiet(sharers: u32) -> f64 {
    match sharers {
        ..=2 => 24.0,
        3 => 9.3,
        4 => 4.4,
        _ => 9.0 / f64::from(sharers),
    }
}

/// The factor on that time after a process with that guess has probed, and the probe has failed.
fn patience_after(sharers: u32) -> f64 {
    match sharers {
        ..=2 => 2.3,
        3 => 11.0,
        _ => 13.0,
    }
}
