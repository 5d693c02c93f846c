//! Failed rows: what failed, in the form in which a file asks for it, with the reason beside it.

use std::sync::Arc;

use queue_email_associator::pairs::{Named, Pair, RequestedQueue};
use queue_email_associator::payload::Json;
use queue_email_associator::requests::{Field, Path};
use request_file::defused;
use serde::{Serialize, Serializer};

use super::reason::Reason;
use crate::asked::text_of;

/// What names a pair, as the columns of a file do; empty where nothing was said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cells {
    /// `instanceId`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub instance_id: String,
    /// `queueId`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub queue_id: String,
    /// `queueName`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub queue_name: String,
    /// `emailAddressId`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email_address_id: String,
    /// `emailAddress`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email_address: String,
}

/// One row that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedRow {
    /// What it asks for.
    #[serde(flatten)]
    pub cells: Cells,
    /// The line of the file, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// Why it failed, which it shares with all that failed for the same.
    #[serde(flatten, serialize_with = "itself")]
    pub reason: Arc<Reason>,
    /// It was asked for in a dry run. Such rows go into a file of their own: a CSV file cannot ask for a dry run, and
    /// put back it would make live calls.
    #[serde(skip)]
    pub dry_run: bool,
}

/// What is shared, written as if it were not.
fn itself<S: Serializer>(reason: &Arc<Reason>, serializer: S) -> Result<S::Ok, S::Error> {
    reason.as_ref().serialize(serializer)
}

impl Cells {
    /// The cells of a pair.
    pub(crate) fn of_pair(queue: &RequestedQueue, pair: &Pair) -> Self {
        let mut cells = Cells { instance_id: queue.instance.to_string(), ..Cells::default() };
        match &queue.queue {
            Named::Id(id) => cells.queue_id = id.to_string(),
            Named::Name(name) => cells.queue_name = name.to_string(),
        }
        match pair.address() {
            Named::Id(id) => cells.email_address_id = id.to_string(),
            Named::Name(address) => cells.email_address = address.to_string(),
        }
        cells
    }

    /// The cells of everything that is invalid at a path of a request; at least one row. What is no text is no cell.
    pub(crate) fn of_invalid(request: &Json<'_>, path: Path) -> Vec<Self> {
        let default = text_of(request, Field::InstanceId.name()).unwrap_or_default();
        let entries = match (request.get(Field::Associations.name()), path.entry_index()) {
            (Some(Json::Array(entries)), Some(index)) => entries.get(index).into_iter().collect(),
            (Some(Json::Array(entries)), None) if !entries.is_empty() => entries.iter().collect(),
            _ => vec![request],
        };
        let cells = entries.into_iter().flat_map(|entry| Cells::of_entry(entry, default, path));
        let cells: Vec<Cells> = cells.collect();
        if cells.is_empty() { vec![Cells::default()] } else { cells }
    }

    fn of_entry(entry: &Json<'_>, default_instance: &str, path: Path) -> Vec<Self> {
        let text = |field: Field| text_of(entry, field.name()).unwrap_or_default().to_owned();
        let own = text(Field::InstanceId);
        let common = Cells {
            instance_id: if own.is_empty() { default_instance.to_owned() } else { own },
            queue_id: text(Field::QueueId),
            queue_name: text(Field::QueueName),
            email_address_id: text(Field::EmailAddressId),
            email_address: text(Field::EmailAddress),
        };
        let mut rows = Vec::new();
        for list in [Field::EmailAddressIds, Field::EmailAddresses] {
            let Some(Json::Array(elements)) = entry.get(list.name()) else { continue };
            for (index, element) in elements.iter().enumerate() {
                let wanted = path.list_element().is_none_or(|place| place == (list, index));
                let Some(address) = element.as_str().filter(|_| wanted) else { continue };
                let mut row = common.clone();
                match list == Field::EmailAddressIds {
                    true => address.clone_into(&mut row.email_address_id),
                    false => address.clone_into(&mut row.email_address),
                }
                rows.push(row);
            }
        }
        if rows.is_empty() { vec![common] } else { rows }
    }
}

/// The rows as a CSV file that a person can mend and put back as it is.
///
/// Line ends in a cell become spaces: no name of a queue or address has one, and reading takes it for a quote that was
/// not closed.
pub(crate) fn csv(rows: &[&FailedRow]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
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
    let _ = writer.write_record(columns);
    for row in rows {
        let FailedRow { cells, row, reason, .. } = row;
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
        let _ = writer.write_record(cells.map(|cell| defused(&without_line_ends(cell)).into_owned()));
    }
    writer.into_inner().unwrap_or_default()
}

fn without_line_ends(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}
