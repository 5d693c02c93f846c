//! Progress: what is shown on standard error while calls are made.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use queue_email_associator::calls::Observer;
use queue_email_associator::calls::pace::Allowance;
use queue_email_associator::connect::{Class, Operation, Refusal};
use tokio::time::Instant;

use crate::workload::{Workload, count, time_left, time_of, words};

/// Between two lines, where there is no terminal to draw a bar on.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Shows the calls as they end.
pub(crate) struct Progress {
    allowance: Allowance,
    counted: Mutex<Counted>,
    view: View,
}

enum View {
    Nothing,
    /// The time of the last line.
    Lines(Mutex<Instant>),
    Bar(ProgressBar),
}

/// What has been seen so far.
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
}

impl Counted {
    /// Counts a call. One that leaves as many to be made as before was beside the plan: a look-up, a list, an attempt
    /// that will be repeated, a chunk that will be narrowed.
    fn add(&mut self, operation: Operation, addresses: usize, result: Result<(), &Refusal>) {
        self.calls += 1;
        match (operation, result) {
            (Operation::Associate, Ok(())) => self.pairs += addresses,
            (Operation::Associate, Err(refusal)) => {
                self.throttled += usize::from(refusal.class == Class::Throttled);
                let narrowed = refusal.class.blames_content() && addresses > 1;
                let goes_on = refusal.class.is_retried() || refusal.class == Class::Limit || narrowed;
                self.expected += usize::from(goes_on);
            }
            (_, result) => {
                let throttled = result.is_err_and(|refusal| refusal.class == Class::Throttled);
                self.throttled += usize::from(throttled);
                self.expected += 1;
            }
        }
        // A narrowed chunk takes more calls than is known when it begins to be.
        self.expected = self.expected.max(self.calls);
    }

    fn time_left(&self, allowance: Allowance) -> Duration {
        time_left(self.expected - self.calls, allowance)
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counted { pairs, asked, throttled, .. } = self;
        write!(f, "{pairs}/{asked} pairs")?;
        match throttled {
            0 => Ok(()),
            _ => write!(f, ", {throttled} throttled"),
        }
    }
}

impl Progress {
    /// Begins, with a line that says what is to be done.
    pub(crate) fn begin(workload: Workload, allowance: Allowance, quiet: bool) -> Self {
        let counted = Counted { expected: workload.calls, asked: workload.pairs, ..Counted::default() };
        let view = if quiet || workload.pairs == 0 {
            View::Nothing
        } else if io::stderr().is_terminal() {
            View::Bar(bar(workload.calls))
        } else {
            View::Lines(Mutex::new(Instant::now()))
        };
        let progress = Progress { allowance, counted: Mutex::new(counted), view };
        if !matches!(progress.view, View::Nothing) {
            progress.say(&begin_line(workload, allowance));
        }
        progress
    }

    /// Ends, with what was counted.
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
                bar.set_message(format!(", {counted}, {} left", words(counted.time_left(self.allowance))));
            }
            View::Lines(last) => {
                let mut last = lock(last);
                if now.duration_since(*last) < BETWEEN_LINES {
                    return;
                }
                *last = now;
                let left = words(counted.time_left(self.allowance));
                self.say(&format!("{}/{} calls, {counted}, {left} left", counted.calls, counted.expected));
            }
        }
    }

    /// Nobody to read a line is no reason to stop calling.
    fn say(&self, line: &str) {
        match &self.view {
            View::Bar(bar) => bar.println(line),
            View::Lines(_) | View::Nothing => {
                let _ = writeln!(io::stderr(), "{line}");
            }
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

fn begin_line(workload: Workload, allowance: Allowance) -> String {
    format!(
        "{} on {}: {} at {} a second, {}",
        count(workload.pairs, "pair"),
        count(workload.queues, "queue"),
        count(workload.calls, "call"),
        allowance.rate,
        words(time_of(workload.calls, allowance)),
    )
}

fn bar(calls: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(calls as u64), ProgressDrawTarget::stderr());
    // The default style is as good, should the template ever not parse.
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} calls{msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// What a panic elsewhere leaves behind is a whole count.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWANCE: Allowance = Allowance { rate: 2.0, burst: 5.0 };

    fn refusal(class: Class) -> Refusal {
        Refusal { class, code: "Code".to_owned(), message: "message".to_owned(), retry_after: None }
    }

    #[test]
    fn calls_beside_the_plan_make_it_longer() {
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
            assert_eq!(
                counted,
                Counted { calls, expected, pairs, asked: 60, throttled },
                "{operation} {addresses} {class:?}"
            );
        }
    }

    #[test]
    fn more_calls_than_expected_are_no_time_left() {
        let mut counted = Counted::default();
        counted.add(Operation::Associate, 1, Err(&refusal(Class::Denied)));
        assert_eq!(counted.time_left(ALLOWANCE), Duration::ZERO);
    }

    #[test]
    fn lines_say_what_an_operator_wants_to_know() {
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
