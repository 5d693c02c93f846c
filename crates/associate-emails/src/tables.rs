//! Tables: queues, a plan, failures.
//!
//! They show what the caller's own file names, email addresses included: they are for the person who has the file.

use std::io::{self, IsTerminal};

use comfy_table::{CellAlignment, ColumnConstraint, Table, Width, presets};
use queue_email_associator::answer::QueueRow;
use queue_email_associator::failures::{Failed, NamedAddress, NamedQueue};

/// How wide a message may be on a terminal. Where the output goes into a file or a program, a failure is one line.
const MESSAGE_WIDTH: u16 = 60;

/// What became of each queue.
pub(crate) fn queues(rows: &[QueueRow]) -> String {
    let mut columns = vec![
        Column::text("instance", rows, |row: &QueueRow| row.instance_id.to_string()),
        Column::text("queue", rows, queue_name),
        Column::number("requested", rows, |row| row.requested),
        Column::number("associated", rows, |row| row.associated),
        Column::number("already there", rows, |row| row.already_associated),
        Column::number("planned", rows, |row| row.planned),
        Column::number("failed", rows, |row| row.failed),
    ];
    columns.retain(|column| column.title != "planned" || column.cells.iter().any(|cell| cell != "0"));
    table(&columns, None)
}

/// What would be called for each queue.
pub(crate) fn plan(rows: &[QueueRow]) -> String {
    let columns = [
        Column::text("instance", rows, |row: &QueueRow| row.instance_id.to_string()),
        Column::text("queue", rows, queue_name),
        Column::number("addresses", rows, |row| row.planned),
        Column::number("calls", rows, |row| row.chunks),
    ];
    table(&columns, None)
}

/// Everything that failed. `lines` has the line of the file for each item of the payload, if it came from such a file.
pub(crate) fn failures(rows: &[Failed], lines: Option<&[u64]>) -> String {
    let wrapped = io::stdout().is_terminal().then_some(MESSAGE_WIDTH);
    let place = |row: &Failed| Place::of(row.path.as_deref().unwrap_or_default(), lines);
    let mut columns = vec![
        Column::text("line", rows, |row| place(row).line.map(|line| line.to_string()).unwrap_or_default()),
        Column::text("message id", rows, |row| row.message_id.clone().unwrap_or_default()),
        Column::text("where", rows, |row| place(row).within),
        Column::text("instance", rows, |row| row.instance_id.as_deref().unwrap_or_default().to_owned()),
        Column::text("queue", rows, |row| queue(row).to_owned()),
        Column::text("email address", rows, |row| address(row).to_owned()),
        Column::text("error", rows, |row| row.error.clone()),
        Column::text("retryable", rows, |row| if row.retryable { "yes" } else { "no" }.to_owned()),
        Column::text("message", rows, |row| row.message.clone()),
    ];
    columns.retain(|column| column.cells.iter().any(|cell| !cell.is_empty()));
    table(&columns, wrapped)
}

/// The queue as the caller named it.
fn queue_name(row: &QueueRow) -> String {
    let name = row.queue_name.as_deref().or(row.queue_id.as_deref());
    name.unwrap_or_default().to_owned()
}

/// The queue of a failure, as the caller named it.
fn queue(row: &Failed) -> &str {
    match &row.queue {
        Some(NamedQueue::Id(text) | NamedQueue::Name(text)) => text,
        None => "",
    }
}

/// The email address of a failure, as the caller named it.
fn address(row: &Failed) -> &str {
    match &row.address {
        Some(NamedAddress::Id(text) | NamedAddress::Address(text)) => text,
        None => "",
    }
}

/// Where a failure stands in the caller's file.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    /// The line, of a file that has records.
    line: Option<u64>,
    /// The path, within the record where there are records.
    within: String,
}

impl Place {
    fn of(path: &str, lines: Option<&[u64]>) -> Self {
        let item = path.strip_prefix("Items[").and_then(|rest| rest.split_once(']'));
        let line = item.and_then(|(number, _)| lines?.get(number.parse::<usize>().ok()?).copied());
        let within = match (line, item) {
            (Some(_), Some((_, rest))) => rest.trim_start_matches('.'),
            _ => path,
        };
        Place { line, within: within.to_owned() }
    }
}

/// A column, written out.
struct Column {
    title: &'static str,
    alignment: CellAlignment,
    cells: Vec<String>,
}

impl Column {
    fn text<T>(title: &'static str, rows: &[T], cell: impl Fn(&T) -> String) -> Self {
        let cells = rows.iter().map(|row| printable(&cell(row))).collect();
        Column { title, alignment: CellAlignment::Left, cells }
    }

    fn number<T>(title: &'static str, rows: &[T], cell: impl Fn(&T) -> usize) -> Self {
        let cells = rows.iter().map(|row| cell(row).to_string()).collect();
        Column { title, alignment: CellAlignment::Right, cells }
    }
}

/// A text without characters that would move a terminal's cursor or break a row in two.
fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() {
            true => printable.extend(c.escape_default()),
            false => printable.push(c),
        }
    }
    printable
}

/// Puts columns side by side; the last one may be wrapped.
fn table(columns: &[Column], last_width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_BORDERS_ONLY_CONDENSED);
    table.set_header(columns.iter().map(|column| column.title));
    for row in 0..columns.first().map_or(0, |column| column.cells.len()) {
        table.add_row(columns.iter().map(|column| column.cells[row].as_str()));
    }
    for (column, shown) in columns.iter().zip(table.column_iter_mut()) {
        shown.set_cell_alignment(column.alignment);
    }
    if let Some((width, last)) = last_width.zip(table.column_iter_mut().last()) {
        last.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(width)));
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_shown_by_its_line() {
        let lines = &[2, 5][..];
        let table = [
            ("Items[1].queueId", Some(lines), Some(5), "queueId"),
            ("Items[0]", Some(lines), Some(2), ""),
            ("Items[0].associations[3].queueId", Some(lines), Some(2), "associations[3].queueId"),
            ("Items[1].queueId", None, None, "Items[1].queueId"),
            ("associations[3]", None, None, "associations[3]"),
            ("", Some(lines), None, ""),
        ];
        for (path, lines, line, within) in table {
            assert_eq!(Place::of(path, lines), Place { line, within: within.to_owned() }, "{path}");
        }
    }

    #[test]
    fn rows_stay_rows_whatever_is_in_them() {
        let names = ["Billing\n\u{1b}[2J", "Bücher"];
        let columns = [
            Column::text("queue", &names, |name| (*name).to_owned()),
            Column::number("calls", &names, |name| name.len()),
        ];
        let text = table(&columns, None);
        let lines: Vec<&str> = text.lines().map(|line| line.trim_matches(['|', ' '])).collect();
        assert!(lines.iter().any(|line| line.starts_with(r"Billing\n\u{1b}[2J")), "{text}");
        assert!(lines.iter().any(|line| line.starts_with("Bücher")), "{text}");
        assert_eq!(lines.len(), 6, "{text}");
    }
}
