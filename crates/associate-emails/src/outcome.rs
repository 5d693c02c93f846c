//! Outcome: the text on standard output at the end, and the exit code.

use std::io::{self, Write};

use queue_email_associator::answer::{Answer, Counts, InvocationError, Report, Status};
use queue_email_associator::calls::pace::Allowance;
use queue_email_associator::invocation::Completed;
use queue_email_associator::requests::Intent;
use serde_json::json;

use crate::printable::printable;
use crate::signals::Signal;
use crate::tables;
use crate::workload::{count, time_of, words};

/// The Connect that was called. It decides which caveat the outcome carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Called {
    /// Amazon Connect.
    Aws,
    /// A simulation, which holds exactly the names in the file.
    Simulation,
}

/// The last line of a run that left something unknown or not done. A live run on AWS needs none.
fn caveat(called: Called, intent: Option<Intent>) -> Option<&'static str> {
    match (called, intent) {
        (Called::Aws, None | Some(Intent::Associate)) => None,
        (Called::Aws, Some(Intent::Check)) => {
            Some("This was a dry run: the queues were read, and nothing was changed.")
        }
        (Called::Aws, Some(Intent::Plan)) => Some(
            "This was a dry run: nothing was changed. Names were looked up; whether what is named by an identifier \
             exists was not checked.",
        ),
        (Called::Simulation, None | Some(Intent::Associate)) => Some(
            "This was a simulation: nothing was changed in AWS, and whether the queues and email addresses exist there \
             was not checked. Give --aws to associate for real.",
        ),
        (Called::Simulation, Some(Intent::Check)) => Some(
            "This was a dry run on a simulation, which holds exactly what the file names and has empty queues: nothing was \
             changed. Give --aws to read the queues and addresses that exist.",
        ),
        (Called::Simulation, Some(Intent::Plan)) => Some(
            "This was a dry run without AWS: nothing was changed, and whether the queues and email addresses exist was \
             not checked. Give --aws too, and names are looked up.",
        ),
    }
}

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything is done, or planned.
    Done,
    /// Something failed.
    Failed,
    /// The file, an option or a setting cannot be used.
    Unusable,
    /// The outcome could not be written.
    Unwritten,
    /// A signal ended the run.
    Interrupted(Signal),
}

impl Exit {
    /// Returns the code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Unusable => 2,
            Exit::Unwritten => 3,
            Exit::Interrupted(signal) => signal.exit_code(),
        }
    }
}

/// How to show an outcome.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a> {
    /// As JSON: the function's answer alone.
    pub(crate) json: bool,
    /// The Connect that the calls went to.
    pub(crate) called: Called,
    /// The intent that applied to every request.
    pub(crate) intent: Option<Intent>,
    /// Addresses that nobody asks for are shown one by one.
    pub(crate) unrequested: bool,
    /// The pace, for the time that a plan takes.
    pub(crate) allowance: Allowance,
    /// For each item of the payload, the line of the file.
    pub(crate) lines: Option<&'a [u64]>,
    /// The width of the terminal, if the output goes to one.
    pub(crate) width: Option<u16>,
}

/// The width of the terminal that standard output goes to, if it does.
pub(crate) fn terminal_width() -> Option<u16> {
    let terminal = console::Term::stdout();
    terminal.is_term().then(|| terminal.size_checked().map(|(_, columns)| columns)).flatten()
}

/// Something that cannot be used, in one line.
pub(crate) fn unusable(message: &str) -> Exit {
    complain(&format!("associate-emails: {message}"));
    Exit::Unusable
}

/// A payload of which nothing could be read.
pub(crate) fn refused(error: &InvocationError, json: bool) -> Exit {
    let unusable = unusable(&format!("{}: {error}", error.error_type()));
    if json { written(&error_json(error), unusable) } else { unusable }
}

/// An invocation that was ended while it called.
pub(crate) fn interrupted(signal: Signal, pairs: usize, called: Called) -> Exit {
    complain(&format!(
        "associate-emails: interrupted; {} associated by then, and calls under way may have been carried out; it is \
         safe to run the same file again",
        match pairs {
            1 => "1 pair was".to_owned(),
            _ => format!("{pairs} pairs were"),
        }
    ));
    if let Some(caveat) = caveat(called, None) {
        complain(caveat);
    }
    Exit::Interrupted(signal)
}

/// An invocation that came to its end. `nothing_valid` tells that no pair of it could be read.
pub(crate) fn completed(completed: &Completed, nothing_valid: bool, shown: Shown<'_>) -> Exit {
    let exit = match completed.report.counts.failed {
        0 => Exit::Done,
        _ if nothing_valid => Exit::Unusable,
        _ => Exit::Failed,
    };
    let caveat = caveat(shown.called, shown.intent).unwrap_or_default();
    if !shown.json {
        let text = text(completed, shown);
        return written(format!("{text}\n{caveat}").trim_end(), exit);
    }
    let exit = written(&answer_json(&completed.answer), exit);
    if !caveat.is_empty() {
        complain(caveat);
    }
    exit
}

/// The tables, and the line that sums them up.
fn text(completed: &Completed, shown: Shown<'_>) -> String {
    let report = &completed.report;
    let mut parts = Vec::new();
    let planned = shown.intent.is_some() || report.status == Status::Planned;
    if !report.queues.is_empty() {
        parts.push(match shown.intent {
            Some(Intent::Check) => tables::check(&report.queues, &report.failures, shown.width),
            _ if planned => tables::plan(&report.queues, shown.width),
            _ => tables::queues(&report.queues, shown.width),
        });
    }
    if shown.unrequested && report.queues.iter().any(|queue| !queue.unrequested_ids.is_empty()) {
        parts.push(tables::unrequested(&report.queues, shown.width));
    }
    if !report.failures.is_empty() {
        parts.push(tables::failures(&report.failures, shown.lines, shown.width));
    }
    let mut summary = match shown.intent {
        Some(Intent::Check) => check_summary(report),
        _ => summary(report),
    };
    if planned {
        summary.push('\n');
        summary.push_str(&plan_summary(report, shown.allowance));
    }
    if let Some(answer) = answer_line(&completed.answer) {
        summary.push('\n');
        summary.push_str(&answer);
    }
    parts.push(summary);
    parts.join("\n\n")
}

fn summary(report: &Report) -> String {
    let Counts { requested, distinct, associated, already_associated, planned, failed, .. } = report.counts;
    let status = match report.status {
        Status::Succeeded => "SUCCEEDED",
        Status::Partial => "PARTIAL",
        Status::Failed => "FAILED",
        Status::Planned => "PLANNED",
    };
    let mut parts = vec![format!("{status}: {requested} requested")];
    let optional = [
        (distinct, "distinct", distinct != requested),
        (associated, "associated", true),
        (already_associated, "already there", already_associated > 0),
        (planned, "planned", planned > 0),
        (failed, "failed", true),
    ];
    let wanted = optional.into_iter().filter(|(_, _, wanted)| *wanted);
    parts.extend(wanted.map(|(number, word, _)| format!("{number} {word}")));
    let calls = count(usize::try_from(report.api_calls).unwrap_or(usize::MAX), "call");
    format!("{}; {calls} to Amazon Connect, {} throttled", parts.join(", "), report.throttled_calls)
}

/// The totals of a check, in colour on a terminal unless NO_COLOR is set.
fn check_summary(report: &Report) -> String {
    let Counts { planned, already_associated, failed, .. } = report.counts;
    let not_asked_for: usize = report.queues.iter().filter_map(|queue| queue.unrequested).sum();
    let parts = [
        console::style(format!("{planned} to add")).green(),
        console::style(format!("{already_associated} already there")),
        console::style(format!("{failed} would fail")),
        console::style(format!("{not_asked_for} not asked for")),
    ];
    let [add, there, fail, other] = parts;
    let fail = if failed > 0 { fail.red() } else { fail };
    let calls = count(usize::try_from(report.api_calls).unwrap_or(usize::MAX), "call");
    format!("{add}, {there}, {fail}, {other}; {calls} to read them, {} throttled", report.throttled_calls)
}

fn plan_summary(report: &Report, allowance: Allowance) -> String {
    let calls = report.queues.iter().map(|queue| queue.chunks).sum();
    format!(
        "To associate them: {} on {}, {} at {} a second with a burst of {}",
        count(calls, "call"),
        count(report.queues.len(), "queue"),
        words(time_of(calls, allowance)),
        allowance.rate,
        allowance.burst,
    )
}

/// The function's answer, if the report alone does not tell it.
fn answer_line(answer: &Result<Answer, InvocationError>) -> Option<String> {
    match answer {
        Err(error) => Some(format!("The function's answer is the error {}", error.error_type())),
        Ok(Answer::Batch(batch)) => {
            let messages = count(batch.batch_item_failures.len(), "message");
            Some(format!("The function's answer lists {messages} to be delivered again"))
        }
        Ok(_) => None,
    }
}

fn answer_json(answer: &Result<Answer, InvocationError>) -> String {
    match answer {
        // Nothing in an answer can fail to be written.
        Ok(answer) => serde_json::to_string_pretty(answer).unwrap_or_default(),
        Err(error) => error_json(error),
    }
}

fn error_json(error: &InvocationError) -> String {
    format!("{:#}", json!({ "errorType": error.error_type(), "errorMessage": error.to_string() }))
}

/// Prints on standard output, and gives the exit code. The code is another one if the text was lost. A reader that
/// closed the pipe lost nothing, because it has seen enough.
pub(crate) fn written(text: &str, exit: Exit) -> Exit {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("associate-emails: the outcome cannot be written to standard output: {error}"));
            Exit::Unwritten
        }
        _ => exit,
    }
}

/// Prints a line on standard error. A closed standard error is no reason to stop.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{}", printable(line));
}
