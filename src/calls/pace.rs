//! Pace: how fast the process calls one operation.
//!
//! # Why not retry and hope?
//!
//! The quota is 2 calls a second for the whole account (Administrator Guide, "Amazon Connect service quotas"). A
//! client that sends as fast as it can and backs off when refused spends its attempts on refusals, and those of
//! everybody else who shares the quota. A pace starts at the quota instead, and every attempt draws a turn from it.
//!
//! # What several processes do with one quota
//!
//! Each of them may use all of it. They do not talk to each other, so each finds its share by being throttled. `share` says
//! how fast the process may call, and `tokens` when the next turn comes.
//!
//! Time is an argument. [`Pace::take`] answers at once, with a turn or with the time to ask again. Asking takes
//! nothing. Waiting happens in one place, the loop that makes the calls.

mod allowance;
mod share;
mod tokens;

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use share::Share;
use tokens::Tokens;

pub use allowance::Allowance;

/// The pace of one operation, shared by everything in the process that calls it.
#[derive(Debug)]
pub struct Pace {
    /// Held for a few instructions and never across an await.
    state: Mutex<State>,
}

/// Leave to begin one call, now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    begun: Instant,
}

#[derive(Debug)]
struct State {
    share: Share,
    tokens: Tokens,
}

impl Pace {
    /// A pace that begins at the whole quota.
    pub fn new(allowance: Allowance, now: Instant) -> Self {
        Pace::seeded(allowance, now, fastrand::u64(..))
    }

    /// A pace whose jitter follows from a seed.
    fn seeded(allowance: Allowance, now: Instant, seed: u64) -> Self {
        let share = Share::new(allowance, now);
        let tokens = Tokens::new(allowance, now, seed);
        Pace { state: Mutex::new(State { share, tokens }) }
    }

    /// Takes a turn, or tells when to ask again.
    ///
    /// # Errors
    /// The time at which there will be a turn, if nobody else takes it.
    pub fn take(&self, now: Instant) -> Result<Turn, Instant> {
        let mut state = self.lock();
        state.refill(now);
        let rate = state.share.rate();
        state.tokens.take(now, rate).map(|()| Turn { begun: now })
    }

    /// The call of a turn was answered, and not by throttling.
    pub fn succeeded(&self, turn: Turn, now: Instant) {
        let mut state = self.lock();
        state.refill(now);
        state.share.succeeded(turn.begun, now);
        if !state.share.was_throttled() {
            state.tokens.release();
        }
    }

    /// The call of a turn was refused by throttling.
    pub fn throttled(&self, turn: Turn, now: Instant) {
        let mut state = self.lock();
        state.refill(now);
        if state.share.throttled(turn.begun, now) {
            state.tokens.empty();
        }
    }

    /// Calls a second at the moment.
    pub fn rate(&self) -> f64 {
        self.lock().share.rate()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves numbers, never a half-made state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn refill(&mut self, now: Instant) {
        self.tokens.refill(now, self.share.rate(), self.share.is_slowed());
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod tests;
