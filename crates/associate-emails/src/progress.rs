//! Shows progress on standard error while calls are made.

use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use queue_email_associator::associate::Observer;
use queue_email_associator::associate::pace::Allowance;
use queue_email_associator::connect::{Class, Operation, Rejection};
use tokio::time::Instant;

use crate::outcome::print_error;
use crate::workload::{Workload, count, time_left, time_of, words};

/// Number of planned calls that must be complete before the remaining time is estimated.
const MIN_SAMPLE: usize = 3;

/// Time between two lines, if standard error is not a terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Shows the progress of a run.
pub(crate) struct Progress {
    allowance: Allowance,
    started: Instant,
    counts: Mutex<CallCounts>,
    view: View,
}

enum View {
    Nothing,
    /// The time of the last line.
    Lines(Mutex<Instant>),
    Bar(ProgressBar),
}

/// The current counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct CallCounts {
    /// Completed calls.
    calls: usize,
    /// Expected total number of calls.
    expected: usize,
    /// Pairs that calls associated.
    pairs: usize,
    /// Pairs to associate.
    requested: usize,
    /// Throttled calls.
    throttled: usize,
    /// Planned calls that need no follow-up call.
    done: usize,
    /// True while reading a list of unknown length.
    reading: bool,
    /// True for a check, whose plan consists of list calls.
    checking: bool,
}

impl CallCounts {
    /// Counts a call. A call that is not in the plan adds one to the expected number: a look-up, a list, an attempt that
    /// will be retried, a chunk that will be narrowed.
    fn add(&mut self, operation: Operation, addresses: usize, result: Result<(), &Rejection>) {
        self.calls += 1;
        let is_planned = match operation {
            Operation::List => self.checking,
            Operation::Associate | Operation::Disassociate => !self.checking,
            Operation::SearchQueues | Operation::SearchEmailAddresses => false,
        };
        self.reading = !is_planned;
        let planned_before = self.expected;
        match result {
            Ok(()) if is_planned => self.pairs += addresses,
            Err(refusal) if is_planned => {
                self.throttled += usize::from(refusal.class == Class::Throttled);
                let narrowed = refusal.class.blames_content() && addresses > 1;
                let needs_another = refusal.class.is_retried() || refusal.class == Class::Limit || narrowed;
                self.expected += usize::from(needs_another);
            }
            _ => {
                let throttled = result.is_err_and(|refusal| refusal.class == Class::Throttled);
                self.throttled += usize::from(throttled);
                self.expected += 1;
            }
        }
        self.done += usize::from(self.expected == planned_before);
        // Narrowing takes more calls than planned.
        self.expected = self.expected.max(self.calls);
    }

    /// Estimates the remaining time. Returns `None` while reading a list of unknown length, and until a few calls are
    /// complete.
    fn time_left(&self, allowance: Allowance, elapsed: Duration) -> Option<Duration> {
        let left = self.expected - self.calls;
        if self.reading || self.done < MIN_SAMPLE || left == 0 {
            return None;
        }
        let as_before = elapsed.mul_f64(left as f64 / self.done as f64);
        Some(time_left(left, allowance).max(as_before))
    }
}

impl fmt::Display for CallCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CallCounts { pairs, requested, throttled, checking, .. } = self;
        if *checking {
            write!(f, "reading queues")?;
        } else {
            write!(f, "{pairs}/{requested} pairs")?;
        }
        match throttled {
            0 => Ok(()),
            _ => write!(f, ", {throttled} throttled"),
        }
    }
}

impl Progress {
    /// Starts, and prints the size of the workload.
    pub(crate) fn start(workload: Workload, allowance: Allowance, quiet: bool) -> Self {
        let counts = CallCounts {
            expected: workload.calls,
            requested: workload.pairs,
            checking: workload.pairs == 0,
            ..CallCounts::default()
        };
        let view = if quiet || workload.calls == 0 {
            View::Nothing
        } else if io::stderr().is_terminal() {
            View::Bar(bar(workload.calls))
        } else {
            View::Lines(Mutex::new(Instant::now()))
        };
        let progress = Progress { allowance, started: Instant::now(), counts: Mutex::new(counts), view };
        if !matches!(progress.view, View::Nothing) {
            progress.print_line(&start_line(workload, allowance));
        }
        progress
    }

    /// Ends, and prints the counts.
    pub(crate) fn end(&self) {
        let counts = *lock(&self.counts);
        match &self.view {
            View::Nothing => {}
            View::Bar(bar) => bar.finish_and_clear(),
            View::Lines(_) => self.print_line(&format!("{}, {counts}", count(counts.calls, "call"))),
        }
    }

    /// Returns the number of pairs that were associated so far.
    pub(crate) fn pairs(&self) -> usize {
        lock(&self.counts).pairs
    }

    fn show(&self, counts: &CallCounts, now: Instant) {
        match &self.view {
            View::Nothing => {}
            View::Bar(bar) => {
                bar.set_length(counts.expected as u64);
                bar.set_position(counts.calls as u64);
                bar.set_message(format!(", {}", self.state(counts, now)));
            }
            View::Lines(last) => {
                let mut last = lock(last);
                if now.duration_since(*last) < BETWEEN_LINES {
                    return;
                }
                *last = now;
                let state = self.state(counts, now);
                self.print_line(&format!("{}/{} calls, {state}", counts.calls, counts.expected));
            }
        }
    }

    /// Returns the counts, and the remaining time if it is known.
    fn state(&self, counts: &CallCounts, now: Instant) -> String {
        match counts.time_left(self.allowance, now.duration_since(self.started)) {
            Some(left) => format!("{counts}, {} left", words(left)),
            None if counts.reading => format!("{counts}, reading names or lists"),
            None => counts.to_string(),
        }
    }

    fn print_line(&self, line: &str) {
        match &self.view {
            View::Bar(bar) => bar.println(line),
            View::Lines(_) | View::Nothing => print_error(line),
        }
    }
}

impl Observer for Progress {
    fn attempt_ended(&self, operation: Operation, addresses: usize, result: Result<(), &Rejection>) {
        let counts = {
            let mut counts = lock(&self.counts);
            counts.add(operation, addresses, result);
            *counts
        };
        self.show(&counts, Instant::now());
    }
}

/// Progress in equal steps, such as dead letters that are read.
pub(crate) struct Steps {
    noun: &'static str,
    expected: usize,
    view: View,
}

impl Steps {
    /// Starts. `expected` is the approximate number of steps.
    pub(crate) fn start(noun: &'static str, expected: usize, quiet: bool) -> Self {
        let view = if quiet || expected == 0 {
            View::Nothing
        } else if io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(Some(expected as u64), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template(&format!("{{bar:30}} {{pos}}/{{len}} {noun}"));
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            View::Bar(bar)
        } else {
            View::Lines(Mutex::new(Instant::now()))
        };
        Steps { noun, expected, view }
    }

    /// Shows the number of completed steps.
    pub(crate) fn show(&self, done: usize) {
        match &self.view {
            View::Nothing => {}
            View::Bar(bar) => {
                bar.set_length(self.expected.max(done) as u64);
                bar.set_position(done as u64);
            }
            View::Lines(last) => {
                let (mut last, now) = (lock(last), Instant::now());
                if now.duration_since(*last) >= BETWEEN_LINES {
                    *last = now;
                    print_error(&format!("{done}/{} {}", self.expected.max(done), self.noun));
                }
            }
        }
    }

    /// Ends.
    pub(crate) fn end(&self) {
        if let View::Bar(bar) = &self.view {
            bar.finish_and_clear();
        }
    }
}

fn start_line(workload: Workload, allowance: Allowance) -> String {
    let task = match workload.pairs {
        0 => format!("{} to read", count(workload.queues, "queue")),
        pairs => format!("{} on {}", count(pairs, "pair"), count(workload.queues, "queue")),
    };
    format!(
        "{task}: {} at {} a second, {}",
        count(workload.calls, "call"),
        allowance.rate,
        words(time_of(workload.calls, allowance)),
    )
}

fn bar(calls: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(calls as u64), ProgressDrawTarget::stderr());
    // If the template cannot be parsed, use the default style.
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} calls{msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Locks, even after a panic elsewhere, because the counts are always consistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWANCE: Allowance = Allowance { rate: 2.0, burst: 5.0, workers: 1 };

    fn refusal(class: Class) -> Rejection {
        Rejection { class, code: "Code".to_owned(), message: "message".to_owned(), retry_after: None }
    }

    #[test]
    fn calls_outside_the_plan_lengthen_it() {
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
        for (operation, addresses, class, (calls, expected, pairs, throttled)) in table {
            let mut counts = CallCounts { expected: 2, requested: 60, ..CallCounts::default() };
            let refusal = class.map(refusal);
            counts.add(operation, addresses, refusal.as_ref().map_or(Ok(()), Err));
            let met = (counts.calls, counts.expected, counts.pairs, counts.throttled);
            assert_eq!(met, (calls, expected, pairs, throttled), "{operation} {addresses} {class:?}");
        }
    }

    #[test]
    fn time_left_is_shown_only_if_known() {
        let second = Duration::from_secs(1);
        let mut counts = CallCounts { expected: 13, ..CallCounts::default() };
        let page = |counts: &mut CallCounts| counts.add(Operation::SearchQueues, 0, Ok(()));
        let associate = |counts: &mut CallCounts| counts.add(Operation::Associate, 1, Ok(()));
        page(&mut counts);
        assert_eq!((counts.reading, counts.time_left(ALLOWANCE, second)), (true, None));
        associate(&mut counts);
        counts.add(Operation::Associate, 1, Err(&refusal(Class::Throttled)));
        associate(&mut counts);
        assert_eq!(counts.time_left(ALLOWANCE, second), None);
        associate(&mut counts);
        // Ten calls at two a second; three took longer than that.
        assert_eq!(counts.time_left(ALLOWANCE, second), Some(Duration::from_secs(5)));
        assert_eq!(counts.time_left(ALLOWANCE, 30 * second), Some(Duration::from_secs(100)));
        page(&mut counts);
        assert_eq!(counts.time_left(ALLOWANCE, second), None);
        let mut counts = CallCounts { expected: 3, ..CallCounts::default() };
        (0..3).for_each(|_| associate(&mut counts));
        assert_eq!(counts.time_left(ALLOWANCE, second), None);
    }

    #[test]
    fn progress_lines_show_pairs_calls_and_time() {
        let workload = Workload { pairs: 120, queues: 1, calls: 3 };
        assert_eq!(
            start_line(workload, ALLOWANCE),
            "120 pairs on 1 queue: 3 calls at 2 a second, less than a second"
        );
        let counts = CallCounts { pairs: 50, requested: 120, ..CallCounts::default() };
        assert_eq!(counts.to_string(), "50/120 pairs");
        assert_eq!(CallCounts { throttled: 2, ..counts }.to_string(), "50/120 pairs, 2 throttled");
    }
}
