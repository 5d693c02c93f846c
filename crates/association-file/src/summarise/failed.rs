//! Failed rows: the names of a failed pair in the columns of a file, with the reason beside them.

use std::sync::Arc;

use queue_email_associator::requests::Field;
use request_file::defused;
use serde::{Serialize, Serializer};

use super::reason::Reason;
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

/// The rows as a CSV file that a person can mend and put back as it is. It begins with a byte-order mark, without which
/// Excel takes UTF-8 for another encoding.
///
/// Line ends in a cell become spaces: no name of a queue or address has one, and reading takes it for a quote that was
/// not closed.
pub(crate) fn csv(rows: &[&FailedRow]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    let has_references = rows.iter().any(|row| row.reference.is_some());
    let columns = [
        Field::InstanceId.name(),
        Field::QueueId.name(),
        Field::QueueName.name(),
        Field::EmailAddressId.name(),
        Field::EmailAddress.name(),
        "row",
        "error",
        "message",
        "retryable",
    ];
    // Writing to memory cannot fail.
    let _ = writer.write_record(columns.into_iter().chain(has_references.then_some(Field::Reference.name())));
    for row in rows {
        let FailedRow { cells, row, reason, reference, .. } = row;
        let row = row.map(|row| row.to_string()).unwrap_or_default();
        let retryable = if reason.retryable { "true" } else { "false" };
        let cells = [
            &*cells.instance_id,
            &cells.queue_id,
            &cells.queue_name,
            &cells.email_address_id,
            &cells.email_address,
            &row,
            &reason.error,
            &reason.message,
            retryable,
        ];
        let reference = has_references.then(|| reference.as_deref().unwrap_or_default());
        let cells = cells.into_iter().chain(reference);
        let _ = writer.write_record(cells.map(|cell| defused(&without_line_ends(cell)).into_owned()));
    }
    writer.into_inner().unwrap_or_default()
}

fn without_line_ends(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}
