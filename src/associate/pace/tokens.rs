//! A client-side token bucket, which decides when the next call may start at a given rate.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use super::allowance::Allowance;

/// Maximum delay of a slot, as a share of the interval between two slots.
///
/// Processes that call at regular intervals can lock in step: one of them finds each token that the server adds, and the
/// other finds the bucket empty each time. A late slot loses nothing, because its token stays and the next slot comes
/// sooner.
const JITTER: f64 = 0.7;

#[derive(Debug)]
pub(super) struct Tokens {
    tokens: f64,
    /// The jitter once it applies. It never exceeds what the server's bucket can store for late slots.
    max_jitter: f64,
    /// Maximum delay of a slot, as a share of the interval between two slots.
    jitter: f64,
    /// Tokens that the next slot needs.
    needed: f64,
    /// Tokens of the burst that no success has released yet.
    withheld: f64,
    /// Maximum number of tokens that accumulate while the process does not call.
    capacity: f64,
    refilled: Instant,
    random: Rng,
}

impl Tokens {
    /// A bucket with the first tokens.
    ///
    /// A process that is the only one has its whole burst immediately, and its slots are on time until it is throttled.
    /// Any other process starts with one token, and each success releases one more. It may find the server's bucket
    /// empty, and would have its whole burst throttled.
    ///
    /// One token of the burst is never used: a client that spends exactly the burst and then exactly the rate is throttled
    /// because of network jitter.
    pub(super) fn new(allowance: Allowance, now: Instant, random: Rng) -> Self {
        let capacity = (allowance.burst - 1.0).max(1.0);
        let max_jitter = JITTER.min(capacity - 1.0);
        let (jitter, tokens) = if allowance.workers == 1 { (0.0, capacity) } else { (max_jitter, 1.0) };
        Tokens {
            tokens,
            max_jitter,
            jitter,
            needed: 1.0,
            withheld: (capacity - tokens - jitter).max(0.0),
            capacity,
            refilled: now,
            random,
        }
    }

    /// Takes a token, or returns the time at which one is available at this rate.
    pub(super) fn take(&mut self, now: Instant, rate: f64) -> Result<(), Instant> {
        // Ignore a shortfall below the clock's resolution. Otherwise the caller would spin.
        if self.tokens < self.needed - 1e-9 {
            let wait = Duration::from_secs_f64((self.needed - self.tokens) / rate);
            return Err(now + wait.max(Duration::from_nanos(1)));
        }
        self.tokens -= 1.0;
        self.needed = 1.0 + self.jitter * self.random.f64();
        Ok(())
    }

    /// Adds the tokens that have accumulated since the last refill.
    ///
    /// While the process is slowed, the server's bucket is nearly empty and would throttle a burst, so at most one slot
    /// accumulates.
    pub(super) fn refill(&mut self, now: Instant, rate: f64, is_slowed: bool) {
        let elapsed = now.saturating_duration_since(self.refilled);
        self.refilled = self.refilled.max(now);
        let capacity = if is_slowed { self.one_slot() } else { self.released() };
        self.tokens = (self.tokens + elapsed.as_secs_f64() * rate).min(capacity);
    }

    /// Releases one token of the burst after a success.
    pub(super) fn release(&mut self) {
        let released = self.withheld.min(1.0);
        self.withheld -= released;
        self.tokens += released;
    }

    /// Drops the accumulated tokens, because the server's bucket is empty. From now on the withheld tokens may
    /// accumulate, and slots are late, because another client seems to call.
    pub(super) fn empty(&mut self) {
        self.tokens = self.tokens.min(0.0);
        self.withheld = 0.0;
        self.jitter = self.max_jitter;
    }

    /// Tokens that the latest possible slot needs.
    fn one_slot(&self) -> f64 {
        1.0 + self.jitter
    }

    /// The part of the capacity that is not withheld.
    fn released(&self) -> f64 {
        (self.capacity - self.withheld).max(self.one_slot())
    }
}
