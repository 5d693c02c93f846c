//! Tokens: when the next turn comes, at a given rate.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use super::allowance::Allowance;

/// How much later than due a turn may come, as a share of the time between two.
///
/// Processes that call at regular times can lock in step. One of them then finds each token that the server makes, and
/// the other one finds the bucket empty each time. A late turn loses nothing: its token stays, so the next turn comes
/// sooner.
const JITTER: f64 = 0.7;
/// Tokens at the start of a process that may share the quota.
const AT_FIRST: f64 = 1.5;
/// Number of tokens that one success adds to those that may gather, up to the burst. A process that starts while others
/// run finds the server's bucket empty and would have its whole burst refused. A process that is alone soon has all of it.
const RELEASE: f64 = 0.5;

/// A token bucket of the client's own.
#[derive(Debug)]
pub(super) struct Tokens {
    tokens: f64,
    /// How much later than due a turn may come, as a share of the time between two.
    jitter: f64,
    /// How many tokens the next turn needs.
    needed: f64,
    /// Tokens of the burst that no success has released yet.
    withheld: f64,
    /// Tokens that gather at most while nobody calls.
    most: f64,
    refilled: Instant,
    random: Rng,
}

impl Tokens {
    /// A bucket with the first tokens.
    ///
    /// A process that shares the quota with nobody has all of the burst at once, and its turns are on time until it is
    /// throttled.
    ///
    /// One token of the burst is kept back for good: a client that spends exactly the burst and then exactly the rate is
    /// throttled by the jitter of the network.
    pub(super) fn new(allowance: Allowance, now: Instant, seed: u64) -> Self {
        let most = (allowance.burst - 1.0).max(1.0);
        let random = Rng::with_seed(seed);
        let (jitter, tokens) =
            if allowance.workers == 1 { (0.0, most) } else { (JITTER, most.min(AT_FIRST)) };
        Tokens { tokens, jitter, needed: 1.0, withheld: most - tokens, most, refilled: now, random }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// When there will be one at this rate.
    pub(super) fn take(&mut self, now: Instant, rate: f64) -> Result<(), Instant> {
        // A shortfall that no clock can measure would make the caller ask again without end.
        if self.tokens < self.needed - 1e-9 {
            let wait = Duration::from_secs_f64((self.needed - self.tokens) / rate);
            return Err(now + wait.max(Duration::from_nanos(1)));
        }
        self.tokens -= 1.0;
        self.needed = 1.0 + self.jitter * self.random.f64();
        Ok(())
    }

    /// Adds the tokens that have gathered since the last time.
    ///
    /// While the process is slowed, the server's bucket is near empty and would refuse a burst. So no more than one turn
    /// gathers.
    pub(super) fn refill(&mut self, now: Instant, rate: f64, is_slowed: bool) {
        let passed = now.saturating_duration_since(self.refilled);
        self.refilled = self.refilled.max(now);
        let one_turn = 1.0 + self.jitter;
        let most = if is_slowed { one_turn } else { (self.most - self.withheld).max(one_turn) };
        self.tokens = (self.tokens + passed.as_secs_f64() * rate).min(most);
    }

    /// Releases a part of the burst, because a call succeeded.
    pub(super) fn release(&mut self) {
        let released = self.withheld.min(RELEASE);
        self.withheld -= released;
        self.tokens += released;
    }

    /// Drops the tokens that have gathered, because the server's bucket is empty. The withheld tokens may gather from now
    /// on. Turns are late from now on, because somebody else seems to call.
    pub(super) fn empty(&mut self) {
        self.tokens = self.tokens.min(0.0);
        self.withheld = 0.0;
        self.jitter = JITTER;
    }
}
