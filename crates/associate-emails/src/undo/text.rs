//! The plan and the outcome of a removal as a person reads them.

use queue_email_associator::answer::Status;
use queue_email_associator::associate::CHUNK;
use queue_email_associator::associate::pace::Allowance;
use queue_email_associator::removal::{RemovalCounts, RemovalReport, RemovalRow};

use crate::outcome::Backend;
use crate::tables::{self, Column};
use crate::workload::{count, time_of, words};

/// How to show a removal.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    /// The service that the calls go to.
    pub(super) backend: Backend,
    /// The pace, for the time that the calls take.
    pub(super) allowance: Allowance,
    /// For each item of the payload, the line of the file.
    pub(super) lines: Option<&'a [u64]>,
    /// The width of the terminal, if the output goes to one.
    pub(super) width: Option<u16>,
}

/// What would be removed.
pub(super) fn plan(report: &RemovalReport, view: View<'_>) -> String {
    let RemovalCounts { planned, not_on_queue, default_addresses, kept, failed, .. } = report.counts;
    let mut parts = vec![format!("{planned} to remove"), format!("{not_on_queue} not on their queue")];
    parts.extend((default_addresses > 0).then(|| stay(default_addresses)));
    parts.extend((kept > 0).then(|| format!("{kept} kept")));
    parts.push(format!("{failed} unknown"));
    let calls = calls(report);
    let summary = format!(
        "{}; {} at {} a second with a burst of {}, {}",
        parts.join(", "),
        count(calls, "call"),
        view.allowance.rate,
        view.allowance.burst,
        words(time_of(calls, view.allowance)),
    );
    let planned = Column::number("to remove", &report.queues, |row| row.counts.planned);
    let unknown = Column::number("unknown", &report.queues, |row| row.counts.failed);
    text(report, [planned, unknown], summary, view)
}

/// What was removed.
pub(super) fn outcome(report: &RemovalReport, view: View<'_>) -> String {
    let RemovalCounts { requested, removed, not_on_queue, default_addresses, kept, failed, .. } =
        report.counts;
    let status = match report.status {
        Status::Succeeded => "SUCCEEDED",
        Status::Partial => "PARTIAL",
        Status::Failed => "FAILED",
        Status::Planned => "PLANNED",
    };
    let mut parts = vec![format!("{status}: {requested} requested"), format!("{removed} removed")];
    parts.extend((not_on_queue > 0).then(|| format!("{not_on_queue} not on their queue")));
    parts.extend((default_addresses > 0).then(|| stay(default_addresses)));
    parts.extend((kept > 0).then(|| format!("{kept} kept")));
    parts.push(format!("{failed} failed"));
    let api_calls = count(usize::try_from(report.api_calls).unwrap_or(usize::MAX), "call");
    let summary =
        format!("{}; {api_calls} to Amazon Connect, {} throttled", parts.join(", "), report.throttled_calls);
    let removed = Column::number("removed", &report.queues, |row| row.counts.removed);
    let failed = Column::number("failed", &report.queues, |row| row.counts.failed);
    text(report, [removed, failed], summary, view)
}

/// The last line of an outcome that changed nothing in AWS.
pub(super) fn caveat(backend: Backend, dry_run: bool) -> Option<&'static str> {
    match (backend, dry_run) {
        (Backend::Aws, false) => None,
        (Backend::Aws, true) => Some("This was a dry run: the queues were read, and nothing was changed."),
        (Backend::Simulation, _) => Some(
            "This was a simulation, in which every pair of the file was on its queue: nothing was read or changed in AWS. \
             Give --aws to undo the file.",
        ),
    }
}

/// The number of removal calls, if nothing fails.
pub(super) fn calls(report: &RemovalReport) -> usize {
    report.queues.iter().map(|row| row.counts.planned.div_ceil(CHUNK)).sum()
}

fn stay(count: usize) -> String {
    match count {
        1 => "1 default address that stays".to_owned(),
        _ => format!("{count} default addresses that stay"),
    }
}

/// The queues, the failures and the summary. The first and the last column of the queues differ between the plan and the
/// outcome.
fn text(report: &RemovalReport, [first, last]: [Column; 2], summary: String, view: View<'_>) -> String {
    let rows = &report.queues;
    let mut parts = Vec::new();
    if !rows.is_empty() {
        let queue = |row: &RemovalRow| {
            let name = row.queue_name.as_deref().or(row.queue_id.as_deref());
            name.unwrap_or_default().to_owned()
        };
        let mut columns = vec![
            Column::text("instance", rows, |row: &RemovalRow| row.instance_id.to_string()),
            Column::text("queue", rows, queue),
        ];
        columns.push(first);
        columns.push(Column::number("not there", rows, |row| row.counts.not_on_queue));
        if report.counts.default_addresses > 0 {
            columns.push(Column::number("default, stays", rows, |row| row.counts.default_addresses));
        }
        if report.counts.kept > 0 {
            columns.push(Column::number("kept", rows, |row| row.counts.kept));
        }
        columns.push(last);
        parts.push(tables::table(columns, view.width));
    }
    if !report.failures.is_empty() {
        parts.push(tables::failures(&report.failures, view.lines, view.width));
    }
    parts.push(summary);
    parts.join("\n\n")
}
