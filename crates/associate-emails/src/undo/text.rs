//! The plan and the outcome of a removal as a person reads them.

use queue_email_associator::associate::CHUNK;
use queue_email_associator::removal::{RemovalCounts, RemovalReport, RemovalRow};

use crate::outcome::{Backend, READ_ONLY, View, status_line};
use crate::tables::{self, Column};
use crate::workload::{count, time_of, words};

pub(super) fn plan(report: &RemovalReport, view: View<'_>) -> String {
    let RemovalCounts { planned, not_on_queue, failed, .. } = report.counts;
    let mut parts = vec![format!("{planned} to remove"), format!("{not_on_queue} not on their queue")];
    parts.extend(exempt_parts(&report.counts));
    parts.push(format!("{failed} unknown"));
    let calls = calls(report);
    let summary = format!(
        "{}; {} at {} per second with a burst of {}, {}",
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

pub(super) fn outcome(report: &RemovalReport, view: View<'_>) -> String {
    let RemovalCounts { requested, removed, not_on_queue, failed, .. } = report.counts;
    let mut parts = vec![format!("{removed} removed")];
    parts.extend((not_on_queue > 0).then(|| format!("{not_on_queue} not on their queue")));
    parts.extend(exempt_parts(&report.counts));
    parts.push(format!("{failed} failed"));
    let summary = status_line(report.status, requested, &parts, report.api_calls, report.throttled_calls);
    let removed = Column::number("removed", &report.queues, |row| row.counts.removed);
    let failed = Column::number("failed", &report.queues, |row| row.counts.failed);
    text(report, [removed, failed], summary, view)
}

/// Returns the closing note of a dry run or a simulation.
pub(super) fn closing_note(backend: Backend, dry_run: bool) -> Option<&'static str> {
    match (backend, dry_run) {
        (Backend::Aws, false) => None,
        (Backend::Aws, true) => Some(READ_ONLY),
        (Backend::Simulation, _) => Some(
            "This was a simulation, in which every pair of the file was on its queue: nothing was read or changed in AWS. \
             Use --aws to undo the file.",
        ),
    }
}

/// Returns the number of removal calls, if nothing fails.
pub(super) fn calls(report: &RemovalReport) -> usize {
    report.queues.iter().map(|row| row.counts.planned.div_ceil(CHUNK)).sum()
}

/// Returns the counts of addresses on their queues that are not removed.
fn exempt_parts(counts: &RemovalCounts) -> impl Iterator<Item = String> {
    let RemovalCounts { default_addresses, kept, .. } = *counts;
    let defaults = match default_addresses {
        0 => None,
        1 => Some("1 default address that stays".to_owned()),
        _ => Some(format!("{default_addresses} default addresses that stay")),
    };
    defaults.into_iter().chain((kept > 0).then(|| format!("{kept} kept")))
}

/// Returns the queues, the failures and the summary. The first and the last column of the queues differ between the plan
/// and the outcome.
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
            first,
            Column::number("not there", rows, |row| row.counts.not_on_queue),
        ];
        columns.extend(Column::number_if_any("default, stays", rows, |row| row.counts.default_addresses));
        columns.extend(Column::number_if_any("kept", rows, |row| row.counts.kept));
        columns.push(last);
        parts.push(tables::table(columns, view.width));
    }
    if !report.failures.is_empty() {
        parts.push(tables::failures(&report.failures, view.lines, view.width));
    }
    parts.push(summary);
    parts.join("\n\n")
}
