//! The rows that failed, with the reason for each.

use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord, WriterBuilder};
use serde::{Serialize, Serializer};

use super::reason::Reason;
use super::rows::{BYTE_ORDER_MARK, Rows};
use crate::cells::Cells;
use crate::original::OriginalRows;

/// The first columns of a file of failed rows. The row of a table follows them unchanged, so that a cell without a column
/// stays at its end.
const COLUMNS: [&str; 4] = ["row", "error", "message", "retryable"];

/// The column for the invalid part of a line of JSON. A row with it has no other cell of a pair, so that it is invalid
/// again when the file is put back.
const REQUEST: &str = "request";

/// One row that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedRow {
    /// The names of the pair.
    #[serde(flatten)]
    pub cells: Cells,
    /// The line of the file, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The reference of the line, if the file has a column for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Arc<str>>,
    /// The invalid part of a line of JSON; empty for an invalid row of a table. A pair that failed has none.
    #[serde(skip)]
    pub request: Option<Arc<str>>,
    /// The reason for the failure. All rows with the same reason share it.
    #[serde(flatten, serialize_with = "itself")]
    pub reason: Arc<Reason>,
}

/// Serialises a shared value as if it were not shared.
fn itself<S: Serializer>(reason: &Arc<Reason>, serializer: S) -> Result<S::Ok, S::Error> {
    reason.as_ref().serialize(serializer)
}

impl FailedRow {
    fn first_cells(&self) -> [String; 4] {
        let row = self.row.map(|row| row.to_string()).unwrap_or_default();
        let Reason { error, message, retryable } = &*self.reason;
        [row, request_file::written(error), request_file::written(message), retryable.to_string()]
    }
}

/// Returns the rows as a CSV file that a person can correct and put back.
///
/// A row of a table is written as it was. Put back unchanged, no row requests anything that it did not request before.
pub(crate) fn csv(rows: &[FailedRow], table: Option<&OriginalRows>) -> Vec<u8> {
    match table {
        Some(table) => with_original_rows(rows, table),
        None => with_pairs(rows),
    }
}

fn with_original_rows(rows: &[FailedRow], table: &OriginalRows) -> Vec<u8> {
    let mut writer = WriterBuilder::new().flexible(true).from_writer(BYTE_ORDER_MARK.to_vec());
    let header = cells_of(&table.header);
    // A file of failed rows that is put back has these columns already.
    let repeated = if header.iter().take(COLUMNS.len()).eq(COLUMNS) { COLUMNS.len() } else { 0 };
    // Writing to memory cannot fail.
    let _ = writer.write_record(COLUMNS.into_iter().chain(header.iter().skip(repeated)));
    for failed in rows {
        let original = failed.row.and_then(|row| table.rows.get(&row));
        let cells = original.map_or_else(StringRecord::new, |row| cells_of(row));
        let first = failed.first_cells();
        let _ = writer.write_record(first.iter().map(String::as_str).chain(cells.iter().skip(repeated)));
    }
    writer.into_inner().unwrap_or_default()
}

/// Returns the cells of a line of CSV.
fn cells_of(line: &str) -> StringRecord {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line.as_bytes());
    reader.records().next().and_then(Result::ok).unwrap_or_default()
}

fn with_pairs(rows: &[FailedRow]) -> Vec<u8> {
    let has_references = rows.iter().any(|failed| failed.reference.is_some());
    let has_requests = rows.iter().any(|failed| failed.request.as_ref().is_some_and(|part| !part.is_empty()));
    let mut last = Vec::new();
    last.extend(has_references.then_some("reference"));
    last.extend(has_requests.then_some(REQUEST));
    let mut written = Rows::new(&COLUMNS, &last);
    let nothing = Cells::default();
    for failed in rows {
        let cells = if failed.request.is_some() { &nothing } else { &failed.cells };
        let mut last = Vec::new();
        last.extend(has_references.then(|| failed.reference.as_deref().unwrap_or_default()));
        last.extend(has_requests.then(|| failed.request.as_deref().unwrap_or_default()));
        written.push(&failed.first_cells().each_ref().map(String::as_str), cells, &last);
    }
    written.finish()
}
