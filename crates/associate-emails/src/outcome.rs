//! Prints the result on standard output at the end, and determines the exit code.

use std::fmt::Display;
use std::io::{self, Write};

use queue_email_associator::answer::{Answer, Counts, InvocationError, Report, Status};
use queue_email_associator::associate::pace::Allowance;
use queue_email_associator::connect::Class;
use queue_email_associator::invocation::Completed;
use queue_email_associator::requests::Intent;
use queue_email_associator::settle::FailureEntry;
use serde_json::json;

use crate::args::RunArgs;
use crate::aws::SIGN_IN_AGAIN;
use crate::printable::{print_error, printable_json};
use crate::signals::Signal;
use crate::tables;
use crate::workload::{count, time_of, words};

/// The service that was called, which determines the closing note of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Aws,
    /// A simulation, which contains exactly the queues and addresses in the file.
    Simulation,
}

/// Returns the closing note of simulated runs and dry runs. A live run on AWS has none.
pub(crate) fn closing_note(backend: Backend, intent: Option<Intent>) -> Option<&'static str> {
    match (backend, intent) {
        (Backend::Aws, None | Some(Intent::Associate)) => None,
        (Backend::Aws, Some(Intent::Check)) => Some(READ_ONLY),
        (Backend::Aws, Some(Intent::Plan)) => Some(
            "This was a dry run: nothing was changed. Names were looked up; identifiers were not checked.",
        ),
        (Backend::Simulation, None | Some(Intent::Associate)) => Some(
            "This was a simulation: nothing was changed in AWS, and the queues and email addresses were not checked there. \
             Use --aws to associate them in AWS.",
        ),
        (Backend::Simulation, Some(Intent::Check)) => Some(
            "This was a dry run on a simulation in which the file's addresses exist and all queues are empty: nothing was \
             changed. Use --aws to read the queues and addresses in AWS.",
        ),
        (Backend::Simulation, Some(Intent::Plan)) => Some(
            "This was a dry run without AWS: nothing was changed, and the queues and email addresses were not checked. Use \
             --aws to look up names.",
        ),
    }
}

/// The closing note of a dry run that read the queues.
pub(crate) const READ_ONLY: &str = "This was a dry run: the queues were read, and nothing was changed.";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything is done, or planned.
    Done,
    Failed,
    /// The file, an option or a setting is invalid, or nothing was started for another reason.
    NothingStarted,
    OutputFailed,
    Interrupted(Signal),
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::NothingStarted => 2,
            Exit::OutputFailed => 3,
            Exit::Interrupted(signal) => signal.exit_code(),
        }
    }
}

/// How to print the result of a command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    /// Print the response as JSON, without tables.
    pub(crate) json: bool,
    pub(crate) backend: Backend,
    /// The pace, from which the time of a plan is estimated.
    pub(crate) allowance: Allowance,
    /// For each item of the payload, its line in the file.
    pub(crate) lines: Option<&'a [u64]>,
    /// The width of the terminal, if standard output is one.
    pub(crate) width: Option<u16>,
}

/// Returns the width of the terminal, if standard output is one.
pub(crate) fn terminal_width() -> Option<u16> {
    let terminal = console::Term::stdout();
    terminal.is_term().then(|| terminal.size_checked().map(|(_, columns)| columns)).flatten()
}

/// Prints a one-line error: nothing was started.
pub(crate) fn usage_error(message: impl Display) -> Exit {
    print_error(&format!("associate-emails: {message}"));
    Exit::NothingStarted
}

/// Prints why the function would reject the whole payload.
pub(crate) fn invalid_payload(error: &InvocationError, json: bool) -> Exit {
    let exit = usage_error(format_args!("{}: {error}", error.error_type()));
    if json { print(&error_json(error), exit) } else { exit }
}

/// Prints what a command had done before a signal ended it, for example that 2 pairs had been associated.
pub(crate) fn print_interrupted(signal: Signal, pairs: usize, done: &str, note: Option<&str>) -> Exit {
    print_error(&format!(
        "associate-emails: interrupted after {} had been {done}; calls in flight may have succeeded; it is safe to run the \
         command again with the same file",
        count(pairs, "pair")
    ));
    note.into_iter().for_each(print_error);
    Exit::Interrupted(signal)
}

/// Prints the result of a complete invocation. `nothing_was_valid` means that no pair in the file was valid.
pub(crate) fn print_completed(
    completed: &Completed,
    nothing_was_valid: bool,
    args: &RunArgs,
    view: View<'_>,
) -> Exit {
    let (report, exit) = (&completed.report, exit_for(completed.report.counts.failed, nothing_was_valid));
    let json = || response_json(&completed.answer);
    let note = closing_note(view.backend, args.intent());
    print_result(view, &report.failures, json, || text(completed, args, view), note, exit)
}

/// Prints the result of a command that made its calls, and the closing note. Next to JSON, the note is on standard error.
pub(crate) fn print_result(
    view: View<'_>,
    failures: &[FailureEntry],
    json: impl FnOnce() -> String,
    text: impl FnOnce() -> String,
    note: Option<&str>,
    exit: Exit,
) -> Exit {
    if view.backend == Backend::Aws && failures.iter().any(rejected_credentials) {
        print_error(&format!(
            "associate-emails: AWS rejected the credentials; {SIGN_IN_AGAIN}, then run the command again"
        ));
    }
    if !view.json {
        return print(format!("{}\n{}", text(), note.unwrap_or_default()).trim_end(), exit);
    }
    let exit = print(&json(), exit);
    note.into_iter().for_each(print_error);
    exit
}

/// Returns the exit code of a command that made its calls.
pub(crate) fn exit_for(failed: usize, nothing_was_valid: bool) -> Exit {
    match failed {
        0 => Exit::Done,
        _ if nothing_was_valid => Exit::NothingStarted,
        _ => Exit::Failed,
    }
}

/// Returns whether a pair failed because the credentials expired or are wrong.
fn rejected_credentials(failed: &FailureEntry) -> bool {
    failed.error() == "CredentialsNotLoaded" || Class::of(Some(failed.error()), 0) == Class::Credentials
}

fn text(completed: &Completed, args: &RunArgs, view: View<'_>) -> String {
    let (report, intent) = (&completed.report, args.intent());
    let mut parts = Vec::new();
    let planned = intent.is_some() || report.status == Status::Planned;
    if !report.queues.is_empty() {
        parts.push(match intent {
            Some(Intent::Check) => tables::check(&report.queues, &report.failures, view.width),
            _ if planned => tables::plan(&report.queues, view.width),
            _ => tables::queues(&report.queues, view.width),
        });
    }
    if args.unrequested && report.queues.iter().any(|queue| !queue.unrequested_ids.is_empty()) {
        parts.push(tables::unrequested(&report.queues, view.width));
    }
    if !report.failures.is_empty() {
        parts.push(tables::failures(&report.failures, view.lines, view.width));
    }
    let mut summary = match intent {
        Some(Intent::Check) => check_summary(report),
        _ => summary(report),
    };
    if planned {
        summary.push('\n');
        summary.push_str(&plan_summary(report, view.allowance));
    }
    if let Some(line) = response_line(&completed.answer) {
        summary.push('\n');
        summary.push_str(&line);
    }
    parts.push(summary);
    parts.join("\n\n")
}

fn summary(report: &Report) -> String {
    let Counts { requested, distinct, associated, already_associated, planned, failed, .. } = report.counts;
    let optional = [
        (distinct, "distinct", distinct != requested),
        (associated, "associated", true),
        (already_associated, "already there", already_associated > 0),
        (planned, "planned", planned > 0),
        (failed, "failed", true),
    ];
    let parts = optional.into_iter().filter(|(.., is_shown)| *is_shown);
    let parts: Vec<String> = parts.map(|(number, word, _)| format!("{number} {word}")).collect();
    status_line(report.status, requested, &parts, report.api_calls, report.throttled_calls)
}

/// Returns the summary of a run: its status, its counts and its calls.
pub(crate) fn status_line(
    status: Status,
    requested: usize,
    counts: &[String],
    calls: u64,
    throttled: u64,
) -> String {
    let status = match status {
        Status::Succeeded => "SUCCEEDED",
        Status::Partial => "PARTIAL",
        Status::Failed => "FAILED",
        Status::Planned => "PLANNED",
    };
    let calls = count(usize::try_from(calls).unwrap_or(usize::MAX), "call");
    let counts = counts.join(", ");
    format!("{status}: {requested} requested, {counts}; {calls} to Amazon Connect, {throttled} throttled")
}

/// Returns the totals of a check, in colour on a terminal unless `NO_COLOR` is set.
fn check_summary(report: &Report) -> String {
    let Counts { planned, already_associated, failed, .. } = report.counts;
    let unrequested: usize = report.queues.iter().filter_map(|queue| queue.unrequested).sum();
    let parts = [
        console::style(format!("{planned} to add")).green(),
        console::style(format!("{already_associated} already there")),
        console::style(format!("{failed} would fail")),
        console::style(format!("{unrequested} not in the file")),
    ];
    let [add, there, fail, other] = parts;
    let fail = if failed > 0 { fail.red() } else { fail };
    let calls = count(usize::try_from(report.api_calls).unwrap_or(usize::MAX), "call");
    format!(
        "{add}, {there}, {fail}, {other}; {calls} to read the queues, {} throttled",
        report.throttled_calls
    )
}

fn plan_summary(report: &Report, allowance: Allowance) -> String {
    let calls = report.queues.iter().map(|queue| queue.chunks).sum();
    format!(
        "A run would take {}: {} for {}, at {} per second with a burst of {}",
        words(time_of(calls, allowance)),
        count(calls, "call"),
        count(report.queues.len(), "queue"),
        allowance.rate,
        allowance.burst,
    )
}

/// Returns a line about the function's response, if the report alone does not show it.
fn response_line(answer: &Result<Answer, InvocationError>) -> Option<String> {
    match answer {
        Err(error) => Some(format!("The function would return the error {}", error.error_type())),
        Ok(Answer::Batch(batch)) => {
            let messages = count(batch.batch_item_failures.len(), "message");
            Some(format!("The function would list {messages} to be redelivered"))
        }
        Ok(_) => None,
    }
}

fn response_json(answer: &Result<Answer, InvocationError>) -> String {
    match answer {
        // Serializing a response cannot fail.
        Ok(answer) => printable_json(&serde_json::to_string_pretty(answer).unwrap_or_default()),
        Err(error) => error_json(error),
    }
}

fn error_json(error: &InvocationError) -> String {
    let error = json!({ "errorType": error.error_type(), "errorMessage": error.to_string() });
    printable_json(&format!("{error:#}"))
}

/// Prints text on standard output, and returns the exit code, which changes if the text could not be written. A reader
/// that closed the pipe has read what it needs, so this is not an error.
pub(crate) fn print(text: &str, exit: Exit) -> Exit {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            print_error(&format!("associate-emails: cannot write to standard output: {error}"));
            Exit::OutputFailed
        }
        _ => exit,
    }
}
