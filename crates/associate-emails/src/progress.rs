//! Shows progress on standard error.

use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use queue_email_associator::associate::Observer;
use queue_email_associator::associate::pace::Allowance;
use queue_email_associator::connect::{Class, Operation, Rejection};
use tokio::time::Instant;

use crate::printable::print_error;
use crate::signals::{Signal, Stop};
use crate::workload::{Workload, count, time_after_burst, time_of, words};

/// Time between two lines, if standard error is not a terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Progress in steps: a bar on a terminal, or else a line every few seconds.
pub(crate) struct Progress {
    noun: &'static str,
    /// Hidden if standard error is not a terminal.
    bar: ProgressBar,
    /// The time of the last line, if lines are printed.
    last_line: Option<Mutex<Instant>>,
}

impl Progress {
    /// Starts to show the steps, which are counted with a plural noun.
    pub(crate) fn start(noun: &'static str, steps: usize, quiet: bool) -> Self {
        if quiet || steps == 0 {
            return Progress { noun, bar: ProgressBar::hidden(), last_line: None };
        }
        let style = ProgressStyle::with_template(&format!("{{bar:30}} {{pos}}/{{len}} {noun}{{msg}}"));
        let bar = ProgressBar::new(steps as u64);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let last_line = (!io::stderr().is_terminal()).then(|| Mutex::new(Instant::now()));
        Progress { noun, bar, last_line }
    }

    /// Shows the completed and the expected number of steps, and the details after a comma.
    pub(crate) fn show(&self, done: usize, expected: usize, details: &str) {
        let (expected, comma) = (expected.max(done), if details.is_empty() { "" } else { ", " });
        self.bar.set_length(expected as u64);
        self.bar.set_position(done as u64);
        self.bar.set_message(format!("{comma}{details}"));
        if let Some(last) = &self.last_line {
            let (mut last, now) = (lock(last), Instant::now());
            if now.duration_since(*last) >= BETWEEN_LINES {
                *last = now;
                print_error(&format!("{done}/{expected} {}{comma}{details}", self.noun));
            }
        }
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// Progress of calls, towards the planned number.
pub(crate) struct CallProgress {
    allowance: Allowance,
    started: Instant,
    counts: Mutex<CallCounts>,
    progress: Progress,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct CallCounts {
    calls: usize,
    /// Expected total number of calls.
    expected: usize,
    /// Pairs that calls associated or removed.
    pairs: usize,
    /// Pairs to associate or remove.
    requested: usize,
    throttled: usize,
}

impl CallCounts {
    /// Counts a call. A call that is not in the plan adds one to the expected number: a look-up, a list, an attempt that
    /// will be retried, a chunk that will be narrowed.
    fn add(&mut self, operation: Operation, addresses: usize, result: Result<(), &Rejection>) {
        self.calls += 1;
        self.throttled += usize::from(result.is_err_and(|rejection| rejection.class == Class::Throttled));
        let is_planned = match operation {
            // The plan of a command without pairs consists of lists.
            Operation::List => self.requested == 0,
            Operation::Associate | Operation::Disassociate => self.requested > 0,
            Operation::SearchQueues | Operation::SearchEmailAddresses => false,
        };
        let needs_another = match result {
            _ if !is_planned => true,
            Ok(()) => {
                self.pairs += addresses;
                false
            }
            Err(Rejection { class, .. }) => {
                let is_narrowed = class.blames_content() && addresses > 1;
                class.is_retried() || *class == Class::Limit || is_narrowed
            }
        };
        self.expected += usize::from(needs_another);
        // Narrowing takes more calls than planned.
        self.expected = self.expected.max(self.calls);
    }

    /// Estimates the remaining time: at the configured pace, or at the speed until now if that is slower.
    fn time_left(&self, allowance: Allowance, elapsed: Duration) -> Duration {
        let left = self.expected - self.calls;
        let at_same_speed = elapsed.mul_f64(left as f64 / self.calls.max(1) as f64);
        time_after_burst(left, allowance).max(at_same_speed)
    }
}

impl fmt::Display for CallCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.requested {
            0 => write!(f, "reading queues")?,
            requested => write!(f, "{}/{requested} pairs", self.pairs)?,
        }
        match self.throttled {
            0 => Ok(()),
            throttled => write!(f, ", {throttled} throttled"),
        }
    }
}

impl CallProgress {
    /// Starts, and prints the size of the workload.
    pub(crate) fn start(workload: Workload, allowance: Allowance, quiet: bool) -> Self {
        if !quiet && workload.calls > 0 {
            print_error(&start_line(workload, allowance));
        }
        let counts =
            CallCounts { expected: workload.calls, requested: workload.pairs, ..CallCounts::default() };
        let progress = Progress::start("calls", workload.calls, quiet);
        CallProgress { allowance, started: Instant::now(), counts: Mutex::new(counts), progress }
    }

    /// Waits for the calls, unless a signal arrives before, and prints the counts at the end.
    pub(crate) async fn wait<T>(&self, calls: impl Future<Output = T>, stop: &mut Stop) -> Result<T, Signal> {
        let result = tokio::select! {
            completed = calls => Ok(completed),
            signal = stop.requested() => Err(signal),
        };
        let counts = *lock(&self.counts);
        self.progress.end();
        if self.progress.last_line.is_some() {
            print_error(&format!("{}, {counts}", count(counts.calls, "call")));
        }
        result
    }

    /// Returns the number of pairs that were associated or removed so far.
    pub(crate) fn pairs(&self) -> usize {
        lock(&self.counts).pairs
    }
}

impl Observer for CallProgress {
    fn attempt_ended(&self, operation: Operation, addresses: usize, result: Result<(), &Rejection>) {
        let counts = {
            let mut counts = lock(&self.counts);
            counts.add(operation, addresses, result);
            *counts
        };
        let left = words(counts.time_left(self.allowance, self.started.elapsed()));
        self.progress.show(counts.calls, counts.expected, &format!("{counts}, {left} left"));
    }
}

fn start_line(workload: Workload, allowance: Allowance) -> String {
    let task = match workload.pairs {
        0 => format!("{} to read", count(workload.queues, "queue")),
        pairs => format!("{} on {}", count(pairs, "pair"), count(workload.queues, "queue")),
    };
    format!(
        "{task}: {} at {} per second, {}",
        count(workload.calls, "call"),
        allowance.rate,
        words(time_of(workload.calls, allowance)),
    )
}

/// Locks, even after a panic elsewhere, because the counts are always consistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unplanned_calls_raise_the_expected_number() {
        let (associate, list) = (Operation::Associate, Operation::List);
        let table = [
            (associate, 50, None, (1, 2, 50, 0)),
            (associate, 50, Some(Class::Throttled), (1, 3, 0, 1)),
            (associate, 50, Some(Class::Unavailable), (1, 3, 0, 0)),
            (associate, 50, Some(Class::Content), (1, 3, 0, 0)),
            (associate, 1, Some(Class::Content), (1, 2, 0, 0)),
            (associate, 50, Some(Class::Limit), (1, 3, 0, 0)),
            (associate, 50, Some(Class::Denied), (1, 2, 0, 0)),
            (list, 0, None, (1, 3, 0, 0)),
            (list, 0, Some(Class::Throttled), (1, 3, 0, 1)),
        ];
        for (operation, addresses, class, expected) in table {
            let mut counts = CallCounts { expected: 2, requested: 60, ..CallCounts::default() };
            let rejection = class.map(|class| Rejection {
                class,
                code: "Code".to_owned(),
                message: "message".to_owned(),
                retry_after: None,
            });
            counts.add(operation, addresses, rejection.as_ref().map_or(Ok(()), Err));
            let found = (counts.calls, counts.expected, counts.pairs, counts.throttled);
            assert_eq!(found, expected, "{operation} {addresses} {class:?}");
        }
    }

    #[test]
    fn time_left_is_at_the_pace_or_at_a_lower_speed() {
        let allowance = Allowance { rate: 2.0, burst: 5.0, workers: 1 };
        let counts = CallCounts { calls: 3, expected: 13, ..CallCounts::default() };
        for (elapsed, left) in [(1, 5), (30, 100)] {
            let left = Duration::from_secs(left);
            assert_eq!(counts.time_left(allowance, Duration::from_secs(elapsed)), left);
        }
    }
}
