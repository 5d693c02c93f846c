//! Progress: lines on standard error while calls are made.

use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use queue_email_associator::calls::Observer;
use queue_email_associator::calls::pace::Allowance;
use queue_email_associator::connect::{Class, Operation, Refusal};
use tokio::time::Instant;

use crate::outcome::complain;
use crate::workload::{Workload, count, time_left, time_of, words};

/// Number of planned calls that must end before the program estimates the time left.
const ENOUGH: usize = 3;

/// The time between two lines, if there is no terminal to draw a bar on.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Shows the calls as they end.
pub(crate) struct Progress {
    allowance: Allowance,
    begun: Instant,
    counted: Mutex<Counted>,
    view: View,
}

enum View {
    Nothing,
    /// The time of the last line.
    Lines(Mutex<Instant>),
    Bar(ProgressBar),
}

/// The counts up to now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counted {
    /// Calls that ended.
    calls: usize,
    /// Calls that there will be, as far as is known now.
    expected: usize,
    /// Pairs that calls associated.
    pairs: usize,
    /// Pairs that are to be associated.
    asked: usize,
    /// Calls that were refused by throttling.
    throttled: usize,
    /// Calls that were part of the plan and need no other.
    done: usize,
    /// The last call read something whose length nobody knows.
    reading: bool,
    /// A check reads the queues' lists, so its plan consists of list calls.
    checking: bool,
}

impl Counted {
    /// Counts a call. A call that leaves the number of planned calls unchanged is beside the plan: a look-up, a list,
    /// an attempt that will be repeated, a chunk that will be narrowed.
    fn add(&mut self, operation: Operation, addresses: usize, result: Result<(), &Refusal>) {
        self.calls += 1;
        let planned = if self.checking { Operation::List } else { Operation::Associate };
        self.reading = operation != planned;
        let to_do = self.expected;
        match result {
            Ok(()) if operation == planned => self.pairs += addresses,
            Err(refusal) if operation == planned => {
                self.throttled += usize::from(refusal.class == Class::Throttled);
                let narrowed = refusal.class.blames_content() && addresses > 1;
                let goes_on = refusal.class.is_retried() || refusal.class == Class::Limit || narrowed;
                self.expected += usize::from(goes_on);
            }
            _ => {
                let throttled = result.is_err_and(|refusal| refusal.class == Class::Throttled);
                self.throttled += usize::from(throttled);
                self.expected += 1;
            }
        }
        self.done += usize::from(self.expected == to_do);
        // Narrowing takes more calls than the plan has.
        self.expected = self.expected.max(self.calls);
    }

    /// An estimate of the remaining time. `None` while the program reads a list or directory of unknown length, and
    /// before a few calls have shown their pace.
    fn time_left(&self, allowance: Allowance, elapsed: Duration) -> Option<Duration> {
        let left = self.expected - self.calls;
        if self.reading || self.done < ENOUGH || left == 0 {
            return None;
        }
        let as_before = elapsed.mul_f64(left as f64 / self.done as f64);
        Some(time_left(left, allowance).max(as_before))
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counted { pairs, asked, throttled, checking, .. } = self;
        if *checking {
            write!(f, "reading queues")?;
        } else {
            write!(f, "{pairs}/{asked} pairs")?;
        }
        match throttled {
            0 => Ok(()),
            _ => write!(f, ", {throttled} throttled"),
        }
    }
}

impl Progress {
    /// Begins with a line that tells the size of the workload.
    pub(crate) fn begin(workload: Workload, allowance: Allowance, quiet: bool) -> Self {
        let counted = Counted {
            expected: workload.calls,
            asked: workload.pairs,
            checking: workload.pairs == 0,
            ..Counted::default()
        };
        let view = if quiet || workload.calls == 0 {
            View::Nothing
        } else if io::stderr().is_terminal() {
            View::Bar(bar(workload.calls))
        } else {
            View::Lines(Mutex::new(Instant::now()))
        };
        let progress = Progress { allowance, begun: Instant::now(), counted: Mutex::new(counted), view };
        if !matches!(progress.view, View::Nothing) {
            progress.say(&begin_line(workload, allowance));
        }
        progress
    }

    /// Ends with the counts.
    pub(crate) fn end(&self) {
        let counted = *lock(&self.counted);
        match &self.view {
            View::Nothing => {}
            View::Bar(bar) => bar.finish_and_clear(),
            View::Lines(_) => self.say(&format!("{}, {counted}", count(counted.calls, "call"))),
        }
    }

    /// Pairs that calls have associated so far.
    pub(crate) fn pairs(&self) -> usize {
        lock(&self.counted).pairs
    }

    fn show(&self, counted: &Counted, now: Instant) {
        match &self.view {
            View::Nothing => {}
            View::Bar(bar) => {
                bar.set_length(counted.expected as u64);
                bar.set_position(counted.calls as u64);
                bar.set_message(format!(", {}", self.state(counted, now)));
            }
            View::Lines(last) => {
                let mut last = lock(last);
                if now.duration_since(*last) < BETWEEN_LINES {
                    return;
                }
                *last = now;
                let state = self.state(counted, now);
                self.say(&format!("{}/{} calls, {state}", counted.calls, counted.expected));
            }
        }
    }

    /// The counts, and the remaining time where it is known.
    fn state(&self, counted: &Counted, now: Instant) -> String {
        match counted.time_left(self.allowance, now.duration_since(self.begun)) {
            Some(left) => format!("{counted}, {} left", words(left)),
            None if counted.reading => format!("{counted}, reading names or lists"),
            None => counted.to_string(),
        }
    }

    /// A closed standard error is no reason to stop calling.
    fn say(&self, line: &str) {
        match &self.view {
            View::Bar(bar) => bar.println(line),
            View::Lines(_) | View::Nothing => complain(line),
        }
    }
}

impl Observer for Progress {
    fn attempt_ended(&self, operation: Operation, addresses: usize, result: Result<(), &Refusal>) {
        let counted = {
            let mut counted = lock(&self.counted);
            counted.add(operation, addresses, result);
            *counted
        };
        self.show(&counted, Instant::now());
    }
}

/// Progress of something that goes in equal steps, such as letters that are read.
pub(crate) struct Steps {
    noun: &'static str,
    expected: usize,
    view: View,
}

impl Steps {
    /// Begins. `expected` is the approximate number of steps.
    pub(crate) fn begin(noun: &'static str, expected: usize, quiet: bool) -> Self {
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

    /// Shows how many there were.
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
                    complain(&format!("{done}/{} {}", self.expected.max(done), self.noun));
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

fn begin_line(workload: Workload, allowance: Allowance) -> String {
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
    // If the template ever fails to parse, the default style does as well.
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} calls{msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Locks, also after a panic elsewhere, because every count stays whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWANCE: Allowance = Allowance { rate: 2.0, burst: 5.0, workers: 1 };

    fn refusal(class: Class) -> Refusal {
        Refusal { class, code: "Code".to_owned(), message: "message".to_owned(), retry_after: None }
    }

    #[test]
    fn calls_beside_the_plan_lengthen_it() {
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
            let mut counted = Counted { expected: 2, asked: 60, ..Counted::default() };
            let refusal = class.map(refusal);
            counted.add(operation, addresses, refusal.as_ref().map_or(Ok(()), Err));
            let met = (counted.calls, counted.expected, counted.pairs, counted.throttled);
            assert_eq!(met, (calls, expected, pairs, throttled), "{operation} {addresses} {class:?}");
        }
    }

    #[test]
    fn time_left_is_shown_only_if_known() {
        let second = Duration::from_secs(1);
        let mut counted = Counted { expected: 13, ..Counted::default() };
        let page = |counted: &mut Counted| counted.add(Operation::SearchQueues, 0, Ok(()));
        let associate = |counted: &mut Counted| counted.add(Operation::Associate, 1, Ok(()));
        page(&mut counted);
        assert_eq!((counted.reading, counted.time_left(ALLOWANCE, second)), (true, None));
        associate(&mut counted);
        counted.add(Operation::Associate, 1, Err(&refusal(Class::Throttled)));
        associate(&mut counted);
        assert_eq!(counted.time_left(ALLOWANCE, second), None);
        associate(&mut counted);
        // Ten calls at two a second; three took longer than that.
        assert_eq!(counted.time_left(ALLOWANCE, second), Some(Duration::from_secs(5)));
        assert_eq!(counted.time_left(ALLOWANCE, 30 * second), Some(Duration::from_secs(100)));
        page(&mut counted);
        assert_eq!(counted.time_left(ALLOWANCE, second), None);
        let mut counted = Counted { expected: 3, ..Counted::default() };
        (0..3).for_each(|_| associate(&mut counted));
        assert_eq!(counted.time_left(ALLOWANCE, second), None);
    }

    #[test]
    fn progress_lines_show_pairs_calls_and_time() {
        let workload = Workload { pairs: 120, queues: 1, calls: 3 };
        assert_eq!(
            begin_line(workload, ALLOWANCE),
            "120 pairs on 1 queue: 3 calls at 2 a second, less than a second"
        );
        let counted = Counted { pairs: 50, asked: 120, ..Counted::default() };
        assert_eq!(counted.to_string(), "50/120 pairs");
        assert_eq!(Counted { throttled: 2, ..counted }.to_string(), "50/120 pairs, 2 throttled");
    }
}
