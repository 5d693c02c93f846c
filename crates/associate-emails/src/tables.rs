//! Formats tables of queues, plans and failures.
//!
//! They contain email addresses in clear text, because the person who runs the tool has the file anyway.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};
use queue_email_associator::answer::QueueRow;
use queue_email_associator::settle::FailureEntry;

use crate::input::item_of;
use crate::printable::printable;

/// Minimum table width. Narrower tables are unreadable.
const MIN_WIDTH: u16 = 60;

/// Maximum number of examples shown per group.
pub(crate) const FIRST: usize = 3;

/// Returns the result for each queue. `width` is the width of the terminal, if standard output is one.
pub(crate) fn queues(rows: &[QueueRow], width: Option<u16>) -> String {
    let mut columns = queue_columns(rows);
    columns.extend([
        Column::number("requested", rows, |row| row.requested),
        Column::number("associated", rows, |row| row.associated),
        Column::number("already there", rows, |row| row.already_associated),
    ]);
    columns.extend(Column::number_if_any("planned", rows, |row| row.planned));
    columns.push(Column::number("failed", rows, |row| row.failed));
    table(columns, width)
}

pub(crate) fn plan(rows: &[QueueRow], width: Option<u16>) -> String {
    let mut columns = queue_columns(rows);
    columns.extend([
        Column::number("addresses", rows, |row| row.planned),
        Column::number("calls", rows, |row| row.chunks),
    ]);
    table(columns, width)
}

/// Returns the changes that a live run would make to each queue, according to its list and the directory of addresses.
pub(crate) fn check(rows: &[QueueRow], failures: &[FailureEntry], width: Option<u16>) -> String {
    let mut full: HashMap<(&str, &str), usize> = HashMap::new();
    let mut unknown: HashMap<(&str, &str), usize> = HashMap::new();
    for failed in failures {
        let counts = match failed.error() {
            "QueueFull" => &mut full,
            "EmailAddressNotFound" | "NameNotFound" | "NameAmbiguous" | "ResourceNotFoundException" => {
                &mut unknown
            }
            _ => continue,
        };
        *counts.entry((failed.instance_id.as_deref().unwrap_or_default(), queue(failed))).or_default() += 1;
    }
    // A failure has either the identifier or the name of its queue.
    let of_row = |counts: &HashMap<(&str, &str), usize>, row: &QueueRow| -> usize {
        let names = [row.queue_id.as_deref(), row.queue_name.as_deref()].into_iter().flatten();
        names.filter_map(|name| counts.get(&(&*row.instance_id, name))).sum()
    };
    let mut columns = queue_columns(rows);
    columns.extend([
        Column::number("to add", rows, |row| row.planned),
        Column::number("already there", rows, |row| row.already_associated),
        Column::number("would not fit", rows, |row| of_row(&full, row)),
        Column::number("unknown", rows, |row| of_row(&unknown, row)),
    ]);
    columns.extend(Column::number_if_any("other failures", rows, |row| {
        row.failed.saturating_sub(of_row(&full, row) + of_row(&unknown, row))
    }));
    // Empty if the queue's list was not read.
    columns.push(Column::text("not in the file", rows, |row| {
        row.unrequested.map(|count| count.to_string()).unwrap_or_default()
    }));
    table(columns, width)
}

pub(crate) fn unrequested(rows: &[QueueRow], width: Option<u16>) -> String {
    let each: Vec<(&QueueRow, &String)> =
        rows.iter().flat_map(|row| row.unrequested_ids.iter().map(move |id| (row, id))).collect();
    let columns = vec![
        Column::text("instance", &each, |(row, _)| row.instance_id.to_string()),
        Column::text("queue", &each, |(row, _)| queue_name(row)),
        Column::text("email address not in the file", &each, |(_, id)| (*id).clone()),
    ];
    table(columns, width)
}

/// Returns the failures, with a row for each reason. `lines` has the line in the file for each item of the payload, if
/// the file has records.
pub(crate) fn failures(rows: &[FailureEntry], lines: Option<&[u64]>, width: Option<u16>) -> String {
    let location = |row: &FailureEntry| location(row.path.as_deref().unwrap_or_default(), lines);
    let groups = &by_reason(rows);
    let mut columns = vec![
        Column::text("line", groups, |group| {
            firsts(group, FIRST, |row| location(row).0.map(|line| line.to_string()).unwrap_or_default())
        }),
        Column::text("message id", groups, |group| {
            firsts(group, FIRST, |row| row.message_id.as_deref().unwrap_or_default().to_owned())
        }),
        Column::text("where", groups, |group| firsts(group, 1, |row| location(row).1)),
        Column::text("instance", groups, |group| {
            firsts(group, 1, |row| row.instance_id.as_deref().unwrap_or_default().to_owned())
        }),
        Column::text("queue", groups, |group| firsts(group, 1, |row| queue(row).to_owned())),
        Column::text("email address", groups, |group| firsts(group, 1, |row| address(row).to_owned())),
        Column::text("error", groups, |group| group[0].error().to_owned()),
        Column::text("retryable", groups, |group| if group[0].retryable { "yes" } else { "no" }.to_owned()),
        Column::text("message", groups, |group| match &group[..] {
            [one] => one.message().to_owned(),
            several => without_indexes(several[0].message()).into_owned(),
        }),
    ];
    columns.retain(|column| column.cells.iter().any(|cell| !cell.is_empty()));
    if groups.iter().any(|group| group.len() > 1) {
        columns.insert(0, Column::number("count", groups, Vec::len));
    }
    table(columns, width)
}

/// Groups failures by reason, in the order of the first failure of each. Messages that differ only in array indexes have
/// the same reason.
fn by_reason(failures: &[FailureEntry]) -> Vec<Vec<&FailureEntry>> {
    let mut groups: Vec<Vec<&FailureEntry>> = Vec::new();
    let mut groups_of_reasons: HashMap<(&str, bool, Cow<'_, str>), usize> = HashMap::new();
    for failure in failures {
        let next = groups.len();
        let reason = (failure.error(), failure.retryable, without_indexes(failure.message()));
        let group = *groups_of_reasons.entry(reason).or_insert(next);
        if group == next {
            groups.push(Vec::new());
        }
        groups[group].push(failure);
    }
    groups
}

/// Replaces the array indexes in a message, as in `emailAddressIds[7]`, by `[…]`.
fn without_indexes(message: &str) -> Cow<'_, str> {
    let Some((before, rest)) = message.split_once('[') else { return Cow::Borrowed(message) };
    match rest.split_once(']') {
        Some((index, after)) if !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit()) => {
            Cow::Owned(format!("{before}[…]{}", without_indexes(after)))
        }
        _ => Cow::Owned(format!("{before}[{}", without_indexes(rest))),
    }
}

/// Returns the first distinct texts of a group, and the number of other ones.
pub(crate) fn firsts<T>(group: &[T], shown: usize, text: impl Fn(&T) -> String) -> String {
    let mut seen = HashSet::new();
    let mut first = Vec::new();
    for text in group.iter().map(text).filter(|text| !text.is_empty()) {
        if seen.insert(text.clone()) && first.len() < shown {
            first.push(text);
        }
    }
    match seen.len() - first.len() {
        0 => first.join(", "),
        others => format!("{} and {others} more", first.join(", ")),
    }
}

fn queue_columns(rows: &[QueueRow]) -> Vec<Column> {
    vec![
        Column::text("instance", rows, |row| row.instance_id.to_string()),
        Column::text("queue", rows, queue_name),
    ]
}

/// Returns the name or identifier of the queue, as in the file.
fn queue_name(row: &QueueRow) -> String {
    let name = row.queue_name.as_deref().or(row.queue_id.as_deref());
    name.unwrap_or_default().to_owned()
}

/// Returns the queue of a failure, as in the file.
fn queue(row: &FailureEntry) -> &str {
    row.queue.as_ref().map_or("", |queue| queue.as_ref().text())
}

/// Returns the email address of a failure, as in the file.
fn address(row: &FailureEntry) -> &str {
    row.address.as_ref().map_or("", |address| address.as_ref().text())
}

/// Returns the location of a failure: the line, if the file has records, and the path within the record or payload.
fn location(path: &str, lines: Option<&[u64]>) -> (Option<u64>, String) {
    let in_record = item_of(path).and_then(|(item, within)| Some((*lines?.get(item)?, within)));
    in_record.map_or((None, path.to_owned()), |(line, within)| (Some(line), within.to_owned()))
}

pub(crate) struct Column {
    title: &'static str,
    alignment: CellAlignment,
    /// If all rows have the same value, it appears once above the table.
    is_identifier: bool,
    cells: Vec<String>,
}

impl Column {
    pub(crate) fn text<T>(title: &'static str, rows: &[T], cell: impl Fn(&T) -> String) -> Self {
        let cells = rows.iter().map(|row| printable(&cell(row))).collect();
        let is_identifier = matches!(title, "instance" | "queue" | "message id");
        Column { title, alignment: CellAlignment::Left, is_identifier, cells }
    }

    pub(crate) fn number<T>(title: &'static str, rows: &[T], cell: impl Fn(&T) -> usize) -> Self {
        let cells = rows.iter().map(|row| cell(row).to_string()).collect();
        Column { title, alignment: CellAlignment::Right, is_identifier: false, cells }
    }

    /// Returns the column, unless all its numbers are zero.
    pub(crate) fn number_if_any<T>(
        title: &'static str,
        rows: &[T],
        cell: impl Fn(&T) -> usize,
    ) -> Option<Self> {
        rows.iter().any(|row| cell(row) > 0).then(|| Column::number(title, rows, cell))
    }
}

/// Formats a table. An identifier that all rows share appears once above it. On a terminal, the columns share its width.
pub(crate) fn table(mut columns: Vec<Column>, width: Option<u16>) -> String {
    let shared = take_shared(&mut columns);
    let mut table = Table::new();
    table.load_style(presets::ASCII_BORDERS_ONLY_CONDENSED);
    table.set_header(columns.iter().map(|column| column.title));
    for row in 0..columns.first().map_or(0, |column| column.cells.len()) {
        table.add_row(columns.iter().map(|column| column.cells[row].as_str()));
    }
    for (column, shown) in columns.iter().zip(table.column_iter_mut()) {
        shown.set_cell_alignment(column.alignment);
        if column.alignment == CellAlignment::Right || matches!(column.title, "error" | "retryable") {
            shown.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.max(MIN_WIDTH));
    }
    format!("{shared}{}", table.trim_fmt())
}

/// Removes the columns of identifiers that are the same in all rows, and returns them as lines.
fn take_shared(columns: &mut Vec<Column>) -> String {
    let mut shared = String::new();
    columns.retain(|column| {
        let Some(first) = column.cells.first().filter(|first| !first.is_empty()) else { return true };
        // The identifier of an instance is long, and few files contain two.
        let may_be_shared = column.is_identifier && (column.cells.len() > 1 || column.title == "instance");
        let is_shared = may_be_shared && column.cells.iter().all(|cell| cell == first);
        if is_shared {
            shared.push_str(&format!("{}: {}\n", column.title, column.cells[0]));
        }
        !is_shared
    });
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn location_in_a_record_is_its_line() {
        let lines = &[2, 5][..];
        for (path, lines, line, within) in [
            ("Items[1].queueId", Some(lines), Some(5), "queueId"),
            ("Items[0]", Some(lines), Some(2), ""),
            ("Items[0].associations[3].queueId", Some(lines), Some(2), "associations[3].queueId"),
            ("Items[1].queueId", None, None, "Items[1].queueId"),
            ("associations[3]", None, None, "associations[3]"),
            ("", Some(lines), None, ""),
        ] {
            assert_eq!(location(path, lines), (line, within.to_owned()), "{path}");
        }
    }

    #[test]
    fn reasons_ignore_array_indexes() {
        for (message, shown) in [
            ("emailAddressIds[7] has '@'", "emailAddressIds[…] has '@'"),
            ("associations[3].emailAddressIds[12] x", "associations[…].emailAddressIds[…] x"),
            ("expected [a-z] or []", "expected [a-z] or []"),
            ("open [1", "open [1"),
        ] {
            assert_eq!(without_indexes(message), shown);
        }
    }

    #[test]
    fn table_fits_the_terminal() {
        let messages = [
            "not authorized to perform connect:AssociateQueueEmailAddresses on the resource of this name",
            "the queue is full",
        ];
        let columns = vec![
            Column::text("instance", &messages, |_| "11111111-2222-3333-4444-555555555555".to_owned()),
            Column::text("message", &messages, |message| (*message).to_owned()),
        ];
        let text = table(columns, Some(70));
        assert!(text.starts_with("instance: 11111111-2222-3333-4444-555555555555\n"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 70), "{text}");
    }
}
