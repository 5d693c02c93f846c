//! Writes the rows of a file by outcome as CSV files that can be read again as files of requests.

use csv::{ReaderBuilder, StringRecord, Writer, WriterBuilder};
use request_file::written;

use super::failed_row::FailedRow;
use super::reason::Reason;
use super::status::{PairStatus, PairStatuses};
use crate::cells::Cells;
use crate::original::OriginalRows;

/// Without a byte-order mark, Excel does not read the file as UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The first columns of a file of failed rows. The row of a table follows them unchanged, so that a cell without a column
/// stays at its end.
const COLUMNS: [&str; 4] = ["row", "error", "message", "retryable"];

const REFERENCE: &str = "reference";

/// The column for the invalid part of a line of JSON. A row with it has no other cell of a pair, so that it is invalid
/// again if the file is uploaded again.
const REQUEST: &str = "request";

/// Returns the failed rows as a file that a person can correct and upload again.
///
/// A row of a table is written as it was. Uploaded again unchanged, no row requests anything that it did not request
/// before.
pub(super) fn failed_rows(rows: &[FailedRow], table: Option<&OriginalRows>) -> Vec<u8> {
    match table {
        Some(table) => failed_rows_of_table(rows, table),
        None => failed_pairs(rows),
    }
}

fn failed_rows_of_table(rows: &[FailedRow], table: &OriginalRows) -> Vec<u8> {
    let (header, originals) = table.read();
    let (header, mut originals) = (cells_of_line(&header), originals.peekable());
    // A file of failed rows that is uploaded again has these columns already.
    let skipped = if header.iter().take(COLUMNS.len()).eq(COLUMNS) { COLUMNS.len() } else { 0 };
    let mut writer = writer();
    // Writing to memory cannot fail.
    let _ = writer.write_record(COLUMNS.into_iter().chain(header.iter().skip(skipped)));
    for failed in rows {
        // Both the failed rows and the original rows are in the order of the file.
        let row = failed.row.unwrap_or(u64::MAX);
        while originals.next_if(|(line, _)| *line < row).is_some() {}
        let original = originals.peek().filter(|(line, _)| *line == row);
        let cells = original.map_or_else(StringRecord::new, |(_, cells)| cells_of_line(cells));
        let first = first_cells(failed);
        let _ = writer.write_record(first.iter().map(String::as_str).chain(cells.iter().skip(skipped)));
    }
    writer.into_inner().unwrap_or_default()
}

fn cells_of_line(line: &str) -> StringRecord {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line.as_bytes());
    reader.records().next().and_then(Result::ok).unwrap_or_default()
}

/// Returns the failed rows of a file of JSON.
fn failed_pairs(rows: &[FailedRow]) -> Vec<u8> {
    let has_references = rows.iter().any(|failed| failed.reference.is_some());
    let has_requests = rows.iter().any(|failed| failed.request.is_some());
    let mut writer = writer();
    let columns = COLUMNS.into_iter().chain(Cells::COLUMNS.map(|field| field.name()));
    let columns = columns.chain(has_references.then_some(REFERENCE)).chain(has_requests.then_some(REQUEST));
    let _ = writer.write_record(columns);
    let no_pair = Cells::default();
    for failed in rows {
        let pair = if failed.request.is_some() { &no_pair } else { &failed.cells };
        let mut cells = Vec::from(first_cells(failed));
        cells.extend(pair.as_array().map(written));
        cells.extend(has_references.then(|| written(failed.reference.as_deref().unwrap_or_default())));
        cells.extend(has_requests.then(|| written(failed.request.as_deref().unwrap_or_default())));
        let _ = writer.write_record(cells);
    }
    writer.into_inner().unwrap_or_default()
}

/// Returns the cells of [`COLUMNS`].
fn first_cells(failed: &FailedRow) -> [String; 4] {
    let row = failed.row.map(|row| row.to_string()).unwrap_or_default();
    let Reason { error, message, retryable } = &*failed.reason;
    [row, written(error), written(message), retryable.to_string()]
}

/// Returns the pairs with a status, or `None` if there are none. A person can use the file to undo exactly what the
/// original file added.
///
/// The largest file has as many of these rows as pairs, so the rows are written immediately and not stored one by one.
pub(super) fn pairs_with(status: PairStatus, statuses: &PairStatuses<'_>) -> Option<Vec<u8>> {
    let pairs = statuses.pairs_with(status);
    if pairs.is_empty() {
        return None;
    }
    let file = statuses.file();
    let has_references = !file.references.is_empty();
    let mut writer = writer();
    let columns = Cells::COLUMNS.map(|field| field.name()).into_iter().chain(["row"]);
    let _ = writer.write_record(columns.chain(has_references.then_some(REFERENCE)));
    for (pair, row) in pairs {
        let mut cells = Vec::from(Cells::of_pair(&file.pairs, pair).as_array().map(written));
        cells.push(row.map(|row| row.to_string()).unwrap_or_default());
        let reference = row.and_then(|row| file.references.get(&row)).map_or("", |reference| reference);
        cells.extend(has_references.then(|| written(reference)));
        let _ = writer.write_record(cells);
    }
    writer.into_inner().ok()
}

fn writer() -> Writer<Vec<u8>> {
    WriterBuilder::new().flexible(true).from_writer(BYTE_ORDER_MARK.to_vec())
}
