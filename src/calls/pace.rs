//! Pace: how fast the process calls one operation.
//!
//! # Why not retry and hope?
//!
//! The quota is 2 calls a second for the whole account (Administrator Guide, "Amazon Connect service quotas"). A
//! client that sends as fast as it can and backs off when refused spends its attempts on refusals, and those of
//! everybody else who shares the quota. This one starts at the configured rate and asks before each attempt.
//!
//! # What it does when it is throttled all the same
//!
//! Then the quota is lower than configured, or shared. The pace is cut once for each episode: answers to calls
//! begun before the last cut say nothing new. At a throttling answer the server's bucket is empty; between two of
//! them, what it let through divided by the time is therefore the rate at which it fills, and the pace is cut to a
//! share of that. The bucket fills meanwhile, so what is not asked for now can be asked for later. Success raises the
//! pace: evenly at first, by the same amount for every process, so that those that share a quota come to share it
//! alike; then faster and faster up to the ceiling, and never above.
//!
//! Time is an argument. [`Pace::take`] answers at once, with a turn or with the time to ask again; nothing is
//! taken by asking. Waiting happens in one place, the loop that makes the calls.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The cut at the first sign of throttling, which may be one call's bad luck.
const FIRST_CUT: f64 = 0.85;
/// The cut while too few calls got through since the last one to measure anything.
const BLIND_CUT: f64 = 0.7;
/// How far such cuts go, as a share of the ceiling. A process that shares the quota with one that is at its ceiling
/// finds the bucket empty each time until it happens to come first: it must go on asking often enough.
const BLIND_FLOOR: f64 = 0.3;
/// Calls that must have got through since the last cut for their rate to mean something.
const MEASURABLE: u32 = 5;
/// Where the pace begins again, as a share of the measured rate. The bucket fills meanwhile, so nothing is lost.
const BELOW: f64 = 0.8;
/// How fast the pace rises at first: this share of the ceiling in the time that one call takes at the ceiling. It is
/// the same for every process, so that those that share a quota come to share it alike.
const RISE: f64 = 0.004;
/// How fast it rises later, with the third power of that time: where the limit seems to be gone.
const SURGE: f64 = 3e-7;
/// The slowest pace, as a share of the ceiling: a probe that finds out when the limit has passed.
const FLOOR: f64 = 0.05;

/// The rate and burst that a process may use of an operation's quota.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allowance {
    /// Calls a second, above 0.
    pub rate: f64,
    /// Calls at once, at least 1.
    pub burst: f64,
}

/// The pace of one operation, shared by everything in the process that calls it.
#[derive(Debug)]
pub struct Pace {
    allowance: Allowance,
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
    /// Calls a second at the moment.
    rate: f64,
    tokens: f64,
    refilled: Instant,
    slowed: Option<Slowed>,
}

/// What is known since the last cut.
#[derive(Debug, Clone, Copy)]
struct Slowed {
    at: Instant,
    /// The pace that was cut to.
    from: f64,
    /// Calls begun after the cut that succeeded.
    successes: u32,
    /// Time since the cut in which nobody wanted to call.
    idle: Duration,
}

impl Pace {
    /// A pace that begins at its ceiling.
    ///
    /// One token of the burst is kept back: a client that spends exactly the burst and then exactly the rate is
    /// throttled by its own jitter.
    pub fn new(allowance: Allowance, now: Instant) -> Self {
        let mut pace = Pace {
            allowance,
            state: Mutex::new(State { rate: allowance.rate, tokens: 0.0, refilled: now, slowed: None }),
        };
        let capacity =
            pace.capacity(&State { rate: allowance.rate, tokens: 0.0, refilled: now, slowed: None });
        pace.state.get_mut().unwrap_or_else(PoisonError::into_inner).tokens = capacity;
        pace
    }

    /// Takes a turn, or tells when to ask again.
    ///
    /// # Errors
    /// The time at which there will be a turn, if nobody else takes it.
    pub fn take(&self, now: Instant) -> Result<Turn, Instant> {
        let mut state = self.lock();
        self.refill(&mut state, now);
        // A shortfall that no clock can measure would make the caller ask again without end.
        if state.tokens >= 1.0 - 1e-9 {
            state.tokens -= 1.0;
            return Ok(Turn { begun: now });
        }
        let wait = Duration::from_secs_f64((1.0 - state.tokens) / state.rate);
        Err(now + wait.max(Duration::from_nanos(1)))
    }

    /// The call of a turn was answered, and not by throttling.
    pub fn succeeded(&self, turn: Turn, now: Instant) {
        let mut state = self.lock();
        self.refill(&mut state, now);
        let Some(slowed) = &mut state.slowed else { return };
        if turn.begun <= slowed.at {
            return;
        }
        slowed.successes += 1;
        // Time in units of a call at the ceiling.
        let time = now.duration_since(slowed.at).as_secs_f64() * self.allowance.rate;
        let rate = slowed.from + self.allowance.rate * (RISE * time + SURGE * time.powi(3));
        // Success never slows.
        state.rate = state.rate.max(rate).min(self.allowance.rate);
        if state.rate >= self.allowance.rate {
            state.slowed = None;
        }
    }

    /// The call of a turn was refused by throttling.
    pub fn throttled(&self, turn: Turn, now: Instant) {
        let mut state = self.lock();
        self.refill(&mut state, now);
        let from = match &state.slowed {
            // The answer to a call of the episode that was cut already. At the moment of a cut nothing can begin any more.
            Some(slowed) if turn.begun <= slowed.at => return,
            Some(slowed) if slowed.successes >= MEASURABLE => {
                let busy = now.duration_since(slowed.at).saturating_sub(slowed.idle).as_secs_f64();
                let measured = f64::from(slowed.successes) / busy.max(1e-3);
                measured.clamp(state.rate * BLIND_CUT, state.rate) * BELOW
            }
            Some(_) => (state.rate * BLIND_CUT).max(self.allowance.rate * BLIND_FLOOR).min(state.rate),
            None => state.rate * FIRST_CUT,
        };
        state.rate = from.max(self.allowance.rate * FLOOR);
        state.tokens = state.tokens.min(0.0);
        state.slowed = Some(Slowed { at: now, from: state.rate, successes: 0, idle: Duration::ZERO });
    }

    /// Calls a second at the moment.
    pub fn rate(&self) -> f64 {
        self.lock().rate
    }

    /// How many tokens gather while nobody calls. While slowed the server's bucket is near empty, and a burst
    /// would be refused.
    fn capacity(&self, state: &State) -> f64 {
        match state.slowed {
            None => (self.allowance.burst - 1.0).max(1.0),
            Some(_) => 1.0,
        }
    }

    fn refill(&self, state: &mut State, now: Instant) {
        let passed = now.saturating_duration_since(state.refilled);
        state.refilled = state.refilled.max(now);
        let capacity = self.capacity(state);
        let tokens = state.tokens + passed.as_secs_f64() * state.rate;
        let overflow = Duration::from_secs_f64(((tokens - capacity) / state.rate).max(0.0));
        // An overflowing bucket is one that nobody drew from.
        if let Some(slowed) = &mut state.slowed {
            slowed.idle += overflow;
        }
        state.tokens = tokens.min(capacity);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves numbers, never a half-made state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
