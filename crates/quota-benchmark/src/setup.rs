//! Setup: the work, the quota, and how much faster than at AWS time passes.

use std::ops::Range;
use std::time::Duration;

/// Calls a second that AWS allows by default (Amazon Connect service quotas, "API throttling quotas").
pub(crate) const AWS_RATE: f64 = 2.0;
/// Calls at once that AWS allows by default.
pub(crate) const BURST: f64 = 5.0;
/// Pairs on each queue: one call a queue for who groups, five for who does not.
pub(crate) const PAIRS_PER_QUEUE: usize = 5;
/// Calls in flight at once, the function's default (`MAX_CONCURRENT_CALLS`) and everybody's here.
pub(crate) const AT_ONCE: usize = 8;
/// The instance of all pairs.
pub(crate) const INSTANCE: &str = "11111111-2222-3333-4444-555555555555";

/// How long the simulator takes to answer, in AWS's time. With what client and socket add in a debug build, at
/// most some ten milliseconds (0.2 s of AWS's time at the default scale), a call takes the 0.1 to 0.4 s of a call to
/// a control plane, and at the full rate less than one is in flight on the average, as at AWS.
const LATENCY: f64 = 0.2;
/// The longest a Lambda function may run, in AWS's time.
const LONGEST_INVOCATION: f64 = 900.0;

/// The setup that is the same for every scenario and contestant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Setup {
    /// How many seconds of AWS's time pass in one of ours. Rates are multiplied by it and times divided; the burst,
    /// which is a number of calls, stays.
    pub(crate) scale: f64,
    /// Queues: the number of calls that the work needs.
    pub(crate) queues: usize,
}

impl Setup {
    /// Calls a second that everybody is told of.
    pub(crate) fn rate(self) -> f64 {
        AWS_RATE * self.scale
    }

    /// Seconds of AWS's time, as they pass here.
    pub(crate) fn scaled(self, seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds / self.scale)
    }

    /// How long the simulator takes to answer.
    pub(crate) fn latency(self) -> Duration {
        self.scaled(LATENCY)
    }

    /// When everybody is stopped.
    pub(crate) fn time(self) -> Duration {
        self.scaled(LONGEST_INVOCATION)
    }

    /// How long the work takes at the full rate: nothing for the burst, and one interval for each call more.
    pub(crate) fn ideal(self) -> f64 {
        ((self.queues as f64 - BURST) / self.rate()).max(0.0)
    }

    /// The queues of one of so many processes.
    pub(crate) fn part(self, process: usize, processes: usize) -> Range<usize> {
        self.queues * process / processes..self.queues * (process + 1) / processes
    }
}

/// The function's environment as it is deployed.
const TEMPLATE: &str = include_str!("../../../template.yaml");

/// How many processes the template tells the function of.
pub(crate) fn deployed_workers() -> Option<u32> {
    TEMPLATE.lines().find_map(|line| line.trim().strip_prefix("CONNECT_WORKERS:")?.trim().parse().ok())
}

/// The identifier of a queue.
pub(crate) fn queue_id(queue: usize) -> String {
    format!("queue-{queue}")
}

/// The identifiers of the addresses that a queue is to get.
pub(crate) fn address_ids(queue: usize) -> Vec<String> {
    (0..PAIRS_PER_QUEUE).map(|address| format!("address-{queue}-{address}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_faster_and_the_burst_stays() {
        let setup = Setup { scale: 20.0, queues: 300 };
        assert_eq!(setup.rate(), 40.0);
        assert_eq!(setup.latency(), Duration::from_millis(10));
        assert_eq!(setup.time(), Duration::from_secs(45));
        assert_eq!(setup.ideal(), 295.0 / 40.0);
    }

    #[test]
    fn template_gives_the_number_of_processes() {
        assert!(deployed_workers().is_some_and(|workers| workers >= 2));
    }

    #[test]
    fn processes_share_the_queues() {
        let setup = Setup { scale: 20.0, queues: 5 };
        assert_eq!((setup.part(0, 2), setup.part(1, 2)), (0..2, 2..5));
        assert_eq!(setup.part(0, 1), 0..5);
    }
}
