//! Invalid parts of a file. They do not go to the Map, because this function already has the reason for each failure.
//!
//! A line of the Map's input has at most a few thousand bytes. It cannot contain everything that people write: an array
//! where an object is expected, a duplicate field, a line of a megabyte. The reasons are the same as those of the
//! associating function, because both use one library.

use std::borrow::Cow;

use queue_email_associator::payload::Json;
use queue_email_associator::requests::{Field, FieldMatch, Path};
use request_file::{MAX_FILE_BYTES, Record};
use serde::{Deserialize, Serialize};

use crate::cells::{Cells, entry};
use crate::requests::text_of;
use crate::text::shortened;

/// Maximum length of a cell, in bytes. The longest name that the function accepts has 500 characters.
const MAX_CELL: usize = 2_000;

/// Maximum size in bytes of the invalid records of a file. The records of a table with 250,000 invalid rows of ordinary
/// text take less. But a JSON request can have a long queue and many invalid addresses, and each of its records contains
/// that queue.
pub(crate) const MAX_INVALID_BYTES: usize = 4 * MAX_FILE_BYTES;

/// An invalid part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InvalidRecord {
    /// The line of the file.
    pub(crate) row: u64,
    /// One line that says what is wrong and what is expected.
    pub(crate) message: String,
    /// The reference of the line, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    /// The names in the invalid part that are text. Long names are shortened.
    #[serde(default)]
    pub(crate) cells: Cells,
    /// The complete invalid part as JSON. The row of a table is stored with the other rows instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<String>,
}

impl InvalidRecord {
    /// Returns the invalid part at a path of a valid record's request.
    pub(crate) fn new(record: &Record, message: &str, request: &Json<'_>, path: Path) -> Self {
        let cells = Cells::of_invalid(request, path).map(|cell| shortened(cell.to_owned(), MAX_CELL));
        let reference = text_of(request, Field::Reference.name());
        InvalidRecord {
            row: record.line,
            message: message.to_owned(),
            reference: reference.map(|reference| shortened(reference.to_owned(), MAX_CELL)),
            cells,
            request: record.row.is_none().then(|| part(request, path)),
        }
    }

    /// Returns the error for a record that is not a request.
    pub(crate) fn of_record(record: &Record, problem: &str) -> Self {
        let request = Json::parse(&record.json).unwrap_or(Json::Null);
        let json = record.row.is_none().then(|| record.json.clone());
        InvalidRecord { request: json, ..InvalidRecord::new(record, problem, &request, Path::default()) }
    }
}

/// Returns the entry that a path leads into, with only the element of an array of addresses that the path leads to.
/// Without an entry, it is the whole request.
fn part(request: &Json<'_>, path: Path) -> String {
    let entry = entry(request, path);
    let Json::Object(members) = entry else { return request_text(request) };
    // A request may have 250,000 invalid elements, so each is written only with what identifies it, and nothing else is copied.
    let mut members: Vec<_> = match path.list_element() {
        None => members.clone(),
        Some((list, index)) => {
            members.iter().filter_map(|member| element_part(member, list, index)).collect()
        }
    };
    let instance = Field::InstanceId.name();
    let common = text_of(request, instance).filter(|common| common.len() <= MAX_CELL);
    if let Some(common) = common.filter(|_| entry.get(instance).is_none()) {
        members.insert(0, (instance.into(), Json::String(common.into())));
    }
    request_text(&Json::Object(members))
}

/// Returns a member of the entry with an invalid element, if it identifies that element: not the other lists of addresses.
fn element_part<'p>(
    (name, value): &(Cow<'p, str>, Json<'p>),
    list: Field,
    index: usize,
) -> Option<(Cow<'p, str>, Json<'p>)> {
    let field = match Field::of(name) {
        FieldMatch::Exact(field) => field,
        FieldMatch::Similar(_) | FieldMatch::None => return None,
    };
    let value = match value {
        Json::Array(elements) if field == list => {
            Json::Array(elements.get(index).cloned().into_iter().collect())
        }
        _ if field == list || !matches!(field, Field::EmailAddressIds | Field::EmailAddresses) => {
            value.clone()
        }
        _ => return None,
    };
    Some((name.clone(), value))
}

fn request_text(json: &Json<'_>) -> String {
    serde_json::to_string(json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_and_the_request_is_complete() {
        let json = format!(r#"{{"queueName":"{}","emailAddressIds":["a b"]}}"#, "n".repeat(100_000));
        let record = Record { line: 7, json: json.clone(), problem: None, row: None };
        let record = InvalidRecord::new(&record, "message", &Json::parse(&json).unwrap(), Path::default());
        assert!(record.cells.queue_name.len() <= MAX_CELL + "…".len());
        assert_eq!((record.row, record.request.as_deref()), (7, Some(&*json)));
    }
}
