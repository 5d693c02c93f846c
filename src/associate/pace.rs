//! The rate at which the process calls one operation.
//!
//! The quota is 2 calls per second for the whole account (Administrator Guide, "Amazon Connect service quotas"). A client
//! that calls as fast as it can and backs off when it is throttled wastes its own attempts and the attempts of every other
//! client of the account. Therefore each attempt takes a slot, and slots become available at the rate of the quota.
//!
//! Several processes may share a quota without knowing of each other. Each finds its share through throttling: `share`
//! decides how fast the process calls, and `tokens` when the next slot is available.
//!
//! Time is an argument. `Pace::take` returns immediately, with a slot or with the time of the next one.

mod allowance;
mod share;
mod tokens;

use std::sync::{Mutex, MutexGuard, PoisonError};

use fastrand::Rng;
use tokio::time::Instant;

use share::Share;
use tokens::Tokens;

pub use allowance::Allowance;

/// The pace of one operation, shared by all invocations of the process.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Locked for a few instructions and never across an await.
    state: Mutex<State>,
}

/// Permission to start one call immediately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    started: Instant,
}

#[derive(Debug)]
struct State {
    share: Share,
    tokens: Tokens,
}

impl Pace {
    /// A pace that starts at the whole quota.
    pub(crate) fn new(allowance: Allowance, now: Instant) -> Self {
        let share = Share::new(allowance, now);
        let tokens = Tokens::new(allowance, now, Rng::new());
        Pace { state: Mutex::new(State { share, tokens }) }
    }

    /// Takes a slot, or returns the time of the next one. Another caller may take that slot first.
    pub(crate) fn take(&self, now: Instant) -> Result<Slot, Instant> {
        let mut state = self.lock();
        state.refill(now);
        let rate = state.share.rate();
        state.tokens.take(now, rate).map(|()| Slot { started: now })
    }

    pub(crate) fn not_throttled(&self, slot: Slot, now: Instant) {
        let mut state = self.lock();
        state.refill(now);
        state.share.succeeded(slot.started, now);
        if !state.share.was_throttled() {
            state.tokens.release();
        }
    }

    pub(crate) fn throttled(&self, slot: Slot, now: Instant) {
        let mut state = self.lock();
        state.refill(now);
        if state.share.throttled(slot.started, now) {
            state.tokens.empty();
        }
    }

    #[cfg(test)]
    fn rate(&self) -> f64 {
        self.lock().share.rate()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is valid after every statement, so a panic elsewhere cannot corrupt it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn refill(&mut self, now: Instant) {
        self.tokens.refill(now, self.share.rate(), self.share.is_slowed());
    }
}

#[cfg(test)]
mod tests;
