//! Failed rows: the names of a failed pair in the columns of a file, with the reason beside them.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::reason::Reason;
use super::rows::Rows;
use crate::cells::Cells;

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
    /// The reason for the failure. All rows with the same reason share it.
    #[serde(flatten, serialize_with = "itself")]
    pub reason: Arc<Reason>,
    /// A dry run asked for it. Such rows go into a file of their own. A CSV file cannot ask for a dry run, so these
    /// rows would make live calls if they were put back.
    #[serde(skip)]
    pub dry_run: bool,
}

/// Serialises a shared value as if it were not shared.
fn itself<S: Serializer>(reason: &Arc<Reason>, serializer: S) -> Result<S::Ok, S::Error> {
    reason.as_ref().serialize(serializer)
}

/// The rows as a CSV file that a person can mend and put back as it is.
pub(crate) fn csv(rows: &[&FailedRow]) -> Vec<u8> {
    let has_references = rows.iter().any(|row| row.reference.is_some());
    let mut written = Rows::begin(&["error", "message", "retryable"], has_references);
    for FailedRow { cells, row, reason, reference, .. } in rows {
        let retryable = if reason.retryable { "true" } else { "false" };
        written.push(cells, *row, &[&reason.error, &reason.message, retryable], reference.as_deref());
    }
    written.finish()
}
