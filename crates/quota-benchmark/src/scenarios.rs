//! Scenarios: what the quota truly is while everybody believes it to be as configured.

use std::ops::Range;
use std::time::Duration;

use clap::ValueEnum;

use crate::setup::{BURST, Setup};

/// The share of the quota that somebody else takes in [`Scenario::Taken`].
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
    /// The quota is a fifth of what is configured, and its burst a quarter
    Fifth,
    /// As the template deploys it: one process calls
    Alone,
    /// As the template deploys it: two processes call at once
    Two,
    /// As the template deploys it: every process that the template counts calls at once
    All,
    /// As the template deploys it: one more process calls, such as one for a second single request
    More,
    /// As the template deploys it: of two processes one has a fifth of the work, and ends while the other goes on
    Ends,
    /// As the template deploys it: of two processes one starts after three tenths of the time
    Joins,
}

/// A rate that holds from a time on, in seconds and calls a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    pub(crate) from: f64,
    pub(crate) rate: f64,
}

/// One process's part of the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) queues: Range<usize>,
    /// How long after the first it starts.
    pub(crate) starts: Duration,
}

/// The bounds that the function must keep.
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
            Scenario::Fifth => "fifth",
            Scenario::Alone => "alone",
            Scenario::Two => "two",
            Scenario::All => "all",
            Scenario::More => "more",
            Scenario::Ends => "ends",
            Scenario::Joins => "joins",
        }
    }

    /// The story of the scenario in a line.
    pub(crate) fn story(self) -> &'static str {
        match self {
            Scenario::Matched => "the quota is as configured",
            Scenario::Half => "the quota is half of what is configured",
            Scenario::Shared => "two processes share the quota, and neither knows",
            Scenario::Dip => "the quota is halved for a while",
            Scenario::Taken => "somebody else takes 30 % of the quota",
            Scenario::Fifth => "the quota is a fifth of what is configured, and its burst a quarter",
            Scenario::Alone => "as deployed, one process",
            Scenario::Two => "as deployed, two processes",
            Scenario::All => "as deployed, every process that the template counts",
            Scenario::More => "as deployed, one more process than the template counts",
            Scenario::Ends => "as deployed, one of two processes ends while the other goes on",
            Scenario::Joins => "as deployed, one of two processes starts later",
        }
    }

    /// How its limit is calculated, for `n` calls, burst `b` and configured rate `r`.
    pub(crate) fn formula(self) -> &'static str {
        match self {
            Scenario::Matched
            | Scenario::Shared
            | Scenario::Alone
            | Scenario::Two
            | Scenario::All
            | Scenario::More
            | Scenario::Ends
            | Scenario::Joins => "(n - b) / r",
            Scenario::Fifth => "(n - b) / r, where r and b are what is there and not what is configured",
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
            Scenario::Matched
            | Scenario::Shared
            | Scenario::Fifth
            | Scenario::Alone
            | Scenario::Two
            | Scenario::All
            | Scenario::More
            | Scenario::Ends
            | Scenario::Joins => steady(rate),
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

    /// The quota that each process is configured with: calls a second, and the burst.
    pub(crate) fn told(self, setup: Setup) -> (f64, f64) {
        match self {
            Scenario::Fifth => (5.0 * setup.rate(), 4.0 * BURST),
            _ => (setup.rate(), BURST),
        }
    }

    /// How many processes the function is told of (`CONNECT_WORKERS`), where the template says `deployed`.
    pub(crate) fn workers(self, deployed: u32) -> u32 {
        match self {
            Scenario::Matched | Scenario::Half | Scenario::Shared | Scenario::Dip | Scenario::Taken => 1,
            _ => deployed,
        }
    }

    /// The processes that share the work.
    pub(crate) fn processes(self, setup: Setup, deployed: u32) -> Vec<Process> {
        let of = |count: usize| (0..count).map(|number| (setup.part(number, count), 0.0)).collect();
        let processes: Vec<(Range<usize>, f64)> = match self {
            Scenario::Shared | Scenario::Two => of(2),
            Scenario::All => of(deployed as usize),
            Scenario::More => of(deployed as usize + 1),
            Scenario::Ends => vec![(0..setup.queues * 4 / 5, 0.0), (setup.queues * 4 / 5..setup.queues, 0.0)],
            Scenario::Joins => vec![(setup.part(0, 2), 0.0), (setup.part(1, 2), 0.3 * setup.ideal())],
            _ => of(1),
        };
        processes
            .into_iter()
            .map(|(queues, starts)| Process { queues, starts: Duration::from_secs_f64(starts) })
            .collect()
    }

    /// The least time, in seconds, from the first call to the last one that the work needs.
    pub(crate) fn limit(self, setup: Setup) -> f64 {
        time_for(setup.queues as f64, BURST, &self.quota(setup))
    }

    /// The bounds that the function must keep.
    pub(crate) fn target(self) -> Target {
        match self {
            Scenario::Matched | Scenario::Alone => Target { makespan: 1.03, throttled: 0.01 },
            Scenario::Two | Scenario::All | Scenario::More | Scenario::Ends | Scenario::Joins => {
                Target { makespan: 1.10, throttled: 0.10 }
            }
            Scenario::Fifth => Target { makespan: 1.15, throttled: 0.20 },
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
    fn every_queue_is_the_work_of_one_process() {
        let setup = Setup { scale: 20.0, queues: 303 };
        for scenario in Scenario::value_variants() {
            let processes = scenario.processes(setup, 5);
            let queues: Vec<usize> = processes.into_iter().flat_map(|process| process.queues).collect();
            assert_eq!(queues, (0..303).collect::<Vec<_>>(), "{scenario:?}");
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
