//! Share: how fast the process may call, by what it knows of the quota.
//!
//! At first it may use the whole quota. A throttling answer says that the quota is lower than configured, or shared.
//!
//! - The rate is cut once for each episode: answers to calls begun before the last cut say nothing new.
//! - A process that had used the whole quota for some time gives way a little. The refusal may be the bad luck of one
//!   call.
//! - The first cut of any other process goes far, because it knows no more than how many processes there may be. It is the
//!   same for every process, so those that start together go on from the same rate.
//! - Later cuts go to what was measured. At a throttling answer the server's bucket is empty. Between two of them, what
//!   the process got through divided by the time is therefore its part of the rate at which the bucket fills.
//! - Success raises the rate: by the same amount for every process, so that those that share a quota come to share it
//!   alike. The more processes there may be, the slower each of them rises. When no throttling has come for long, the
//!   rate rises faster and faster, because another process seems to have ended.
//!
//! Every constant was chosen with the model in `model`; `docs/decisions/one-pace.md` says what else was tried.

use std::time::Duration;

use tokio::time::Instant;

use super::allowance::Allowance;

/// The first cut divides the rate by the number of processes to this power: between the share of each if all of them
/// call, and that of two.
const FIRST_CUT: f64 = 0.78;
/// The cut while too few calls got through since the last one to measure anything.
const BLIND_CUT: f64 = 0.75;
/// How far such cuts go, as a share of what each process has if all of them call. A process that shares the quota with
/// a faster one may find the bucket empty many times in a row: it must go on asking often enough.
const BLIND_FLOOR: f64 = 0.95;
/// Calls that must have got through since the last cut for their rate to mean something.
const MEASURABLE: u32 = 4;
/// The deepest cut to what was measured, as a share of the rate.
const DEEPEST: f64 = 0.37;
/// Calls at the whole quota after which the process seems to be alone.
const ALONE_CALLS: u32 = 15;
/// What the cut leaves to a process that seemed to be alone.
const ALONE_CUT: f64 = 0.75;
/// The measured rate at which nobody else can have called, as a share of the quota.
const ALONE: f64 = 0.9;
/// How fast the rate rises at first, for two processes: this share of the quota in the time that one call takes at the
/// quota.
const RISE: f64 = 0.0022;
/// How much slower more processes rise.
const RISE_BY_WORKERS: f64 = 0.4;
/// After this many calls without throttling the rate has doubled.
const SURGE_CALLS: f64 = 20.0;
/// How sharply it rises then.
const SURGE_POWER: f64 = 2.6;
/// In which measure those calls are the process's own, rather than its part of what all processes could make.
const SURGE_OWN: f64 = 0.4;
/// The slowest rate, as a share of what each process has if all of them call: a probe that finds out when the limit
/// has passed.
const FLOOR: f64 = 0.05;

/// The rate of one process.
#[derive(Debug)]
pub(super) struct Share {
    quota: f64,
    workers: f64,
    rate: f64,
    /// Calls that succeeded at the whole quota since the last cut.
    unhindered: u32,
    /// What is known since the last cut.
    cut: Option<Cut>,
}

#[derive(Debug, Clone, Copy)]
struct Cut {
    at: Instant,
    /// The rate that was cut to.
    to: f64,
    /// Calls begun after the cut that succeeded.
    successes: u32,
    /// Time since the cut in which nobody wanted to call.
    idle: Duration,
}

impl Share {
    /// The whole quota.
    pub(super) fn new(allowance: Allowance) -> Self {
        // Somebody whom nobody counted may share the quota of a process that is said to be the only one.
        let workers = f64::from(allowance.workers.max(2));
        Share { quota: allowance.rate, workers, rate: allowance.rate, unhindered: 0, cut: None }
    }

    /// Calls a second.
    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    /// Whether the process calls slower than the quota.
    pub(super) fn is_slowed(&self) -> bool {
        self.rate < self.quota
    }

    /// Whether a throttling answer ever came.
    pub(super) fn was_throttled(&self) -> bool {
        self.cut.is_some()
    }

    /// Takes time in which nobody wanted to call out of what is measured.
    pub(super) fn was_idle(&mut self, time: Duration) {
        if let Some(cut) = &mut self.cut {
            cut.idle += time;
        }
    }

    /// A call begun at that time succeeded.
    pub(super) fn succeeded(&mut self, begun: Instant, now: Instant) {
        if !self.is_slowed() {
            self.unhindered = self.unhindered.saturating_add(1);
        }
        let Some(cut) = &mut self.cut else { return };
        if begun <= cut.at {
            return;
        }
        cut.successes = cut.successes.saturating_add(1);
        // Time in units of a call at the quota.
        let time = now.duration_since(cut.at).as_secs_f64() * self.quota;
        let rise = RISE * (2.0 / self.workers).powf(RISE_BY_WORKERS) * time;
        let own = (cut.to / self.quota).powf(SURGE_OWN) * self.workers.powf(SURGE_OWN - 1.0);
        let surge = (own * time / SURGE_CALLS).powf(SURGE_POWER);
        let rate = cut.to + self.quota * rise + cut.to * surge;
        // Success never slows.
        self.rate = self.rate.max(rate).min(self.quota);
    }

    /// A call begun at that time was throttled. Tells whether the rate was cut: not if the call belongs to an episode
    /// that was cut already. At the moment of a cut nothing can begin any more.
    pub(super) fn throttled(&mut self, begun: Instant, now: Instant) -> bool {
        let to = match &self.cut {
            Some(cut) if begun <= cut.at => return false,
            Some(cut) if cut.successes >= MEASURABLE => {
                let measured = cut.measured(now);
                if !self.is_slowed() && measured > self.quota * ALONE {
                    self.first_cut()
                } else {
                    measured.clamp(self.rate * DEEPEST, self.rate)
                }
            }
            Some(_) => {
                let floor = self.quota * BLIND_FLOOR / self.workers.max(3.0);
                (self.rate * BLIND_CUT).max(floor).min(self.rate)
            }
            None => self.first_cut(),
        };
        self.rate = to.max(self.quota * FLOOR / self.workers);
        self.unhindered = 0;
        self.cut = Some(Cut { at: now, to: self.rate, successes: 0, idle: Duration::ZERO });
        true
    }

    fn first_cut(&self) -> f64 {
        let cut = self.workers.powf(-FIRST_CUT);
        self.rate * if self.unhindered >= ALONE_CALLS { cut.max(ALONE_CUT) } else { cut }
    }
}

impl Cut {
    /// Calls a second that got through since the cut.
    fn measured(&self, now: Instant) -> f64 {
        let busy = now.duration_since(self.at).saturating_sub(self.idle);
        f64::from(self.successes) / busy.as_secs_f64().max(1e-3)
    }
}
