//! Scenarios: what the quota truly is while everybody believes it to be as configured.

use clap::ValueEnum;

use crate::setup::{BURST, Setup};

/// What somebody else takes of the quota in [`Scenario::Taken`].
const TAKEN: f64 = 0.3;

/// One way in which the quota may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// The quota is as configured
    Matched,
    /// The quota is half of what is configured
    Half,
    /// Two processes share the quota, and neither knows
    Shared,
    /// The quota is halved after a third of the time, and restored after two thirds
    Dip,
    /// Somebody else takes 30 % of the quota
    Taken,
}

/// A rate that holds from a time on, in seconds and calls a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    pub(crate) from: f64,
    pub(crate) rate: f64,
}

/// What the function is to keep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Target {
    /// The makespan, at most, as a multiple of the limit.
    pub(crate) makespan: f64,
    /// The share of throttled calls, at most.
    pub(crate) throttled: f64,
}

impl Scenario {
    /// Its name on the command line, in the table and in the name of its plot.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Scenario::Matched => "matched",
            Scenario::Half => "half",
            Scenario::Shared => "shared",
            Scenario::Dip => "dip",
            Scenario::Taken => "taken",
        }
    }

    /// What happens, in a line.
    pub(crate) fn story(self) -> &'static str {
        match self {
            Scenario::Matched => "the quota is as configured",
            Scenario::Half => "the quota is half of what is configured",
            Scenario::Shared => "two processes share the quota, and neither knows",
            Scenario::Dip => "the quota is halved for a while",
            Scenario::Taken => "somebody else takes 30 % of the quota",
        }
    }

    /// How its limit is calculated, for `n` calls, burst `b` and configured rate `r`.
    pub(crate) fn formula(self) -> &'static str {
        match self {
            Scenario::Matched | Scenario::Shared => "(n - b) / r",
            Scenario::Half => "(n - b) / (r / 2)",
            Scenario::Dip => {
                "the time t at which b + the integral of the quota from 0 to t is n: with T = (n - b) / r, the quota \
                 is r / 2 from T / 3 to 2 T / 3, which makes t = 7 T / 6"
            }
            Scenario::Taken => "(n - b) / (0.7 r)",
        }
    }

    /// The rate that is there for the contestants.
    pub(crate) fn quota(self, setup: Setup) -> Vec<Step> {
        let (rate, ideal) = (setup.rate(), setup.ideal());
        let steady = |rate| vec![Step { from: 0.0, rate }];
        match self {
            Scenario::Matched | Scenario::Shared => steady(rate),
            Scenario::Half => steady(rate / 2.0),
            Scenario::Taken => steady(rate - self.taken(setup)),
            Scenario::Dip => vec![
                Step { from: 0.0, rate },
                Step { from: ideal / 3.0, rate: rate / 2.0 },
                Step { from: ideal * 2.0 / 3.0, rate },
            ],
        }
    }

    /// Calls a second of somebody else.
    pub(crate) fn taken(self, setup: Setup) -> f64 {
        if self == Scenario::Taken { TAKEN * setup.rate() } else { 0.0 }
    }

    /// Processes that share the work.
    pub(crate) fn processes(self) -> usize {
        if self == Scenario::Shared { 2 } else { 1 }
    }

    /// The least time, in seconds, from the first call to the last one that the work needs.
    pub(crate) fn limit(self, setup: Setup) -> f64 {
        time_for(setup.queues as f64, BURST, &self.quota(setup))
    }

    /// What the function is to keep.
    pub(crate) fn target(self) -> Target {
        match self {
            Scenario::Matched => Target { makespan: 1.03, throttled: 0.01 },
            _ => Target { makespan: 1.15, throttled: 0.10 },
        }
    }
}

/// The time at which a bucket that was full at first, and is never full again, has let so many calls through.
fn time_for(calls: f64, burst: f64, quota: &[Step]) -> f64 {
    let mut left = (calls - burst).max(0.0);
    for (number, step) in quota.iter().enumerate() {
        let end = quota.get(number + 1).map_or(f64::INFINITY, |next| next.from);
        let through = (end - step.from) * step.rate;
        if left <= through {
            return step.from + left / step.rate;
        }
        left -= through;
    }
    f64::INFINITY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_of_the_formulas() {
        let setup = Setup { scale: 20.0, queues: 305 };
        for (scenario, limit) in [
            (Scenario::Matched, 7.5),
            (Scenario::Half, 15.0),
            (Scenario::Shared, 7.5),
            (Scenario::Dip, 7.5 * 7.0 / 6.0),
            (Scenario::Taken, 7.5 / 0.7),
        ] {
            assert!((scenario.limit(setup) - limit).abs() < 1e-9, "{scenario:?} {}", scenario.limit(setup));
        }
    }

    #[test]
    fn time_is_counted_over_the_steps() {
        let steps =
            [Step { from: 0.0, rate: 2.0 }, Step { from: 10.0, rate: 1.0 }, Step { from: 20.0, rate: 4.0 }];
        for (calls, time) in [(3.0, 0.0), (5.0, 0.0), (15.0, 5.0), (25.0, 10.0), (30.0, 15.0), (43.0, 22.0)] {
            assert_eq!(time_for(calls, 5.0, &steps), time, "{calls} calls");
        }
        assert_eq!(time_for(6.0, 5.0, &[]), f64::INFINITY);
    }
}
