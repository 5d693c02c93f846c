//! Records that hold something invalid. They never go to the map, because this function itself gives the reason for
//! each failure.
//!
//! A line of the map's input has at most some thousand bytes and cannot hold everything that people write: a list where
//! an object is expected, a field twice, a line of a megabyte. The reasons are the same as the associating function's,
//! because one library reads both.

use queue_email_associator::payload::Json;
use queue_email_associator::requests::{Field, Name, Path};
use request_file::Record;
use serde::{Deserialize, Serialize};

use crate::cells::Cells;
use crate::requests::text_of;
use crate::text::shortened;

/// The most rows that one invalid thing makes: an invalid line may name thousands of addresses.
const MAX_ROWS: usize = 1_000;

/// The longest cell, in bytes. The longest name that the function accepts has 500 characters.
const MAX_CELL: usize = 2_000;

/// Something invalid in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvalidRecord {
    /// The line of the file.
    pub row: u64,
    /// One line: the value found and the accepted values.
    pub message: String,
    /// The reference of the line, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// It asks for a dry run, as far as that can be told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// A row for each address that the record names, and at least one. Long cells are cut.
    pub cells: Vec<Cells>,
}

impl InvalidRecord {
    /// Something invalid at a path of a request.
    pub(crate) fn new(row: u64, message: &str, request: &Json<'_>, path: Path) -> Self {
        let mut cells = Cells::of_invalid(request, path);
        let mut message = message.to_owned();
        if cells.len() > MAX_ROWS {
            message =
                format!("{message}; {} more addresses of this line are left out", cells.len() - MAX_ROWS);
            cells.truncate(MAX_ROWS);
        }
        let cells = cells.into_iter().map(|cells| cells.map(|cell| shortened(cell, MAX_CELL))).collect();
        let reference = text_of(request, Field::Reference.name());
        let reference = reference.map(|reference| shortened(reference.to_owned(), MAX_CELL));
        InvalidRecord { row, message, reference, dry_run: may_be_dry_run(request), cells }
    }

    /// A record that is no request.
    fn of_record(record: &Record, problem: &str) -> Self {
        let json = Json::parse(&record.json).unwrap_or(Json::Null);
        InvalidRecord::new(record.line, problem, &json, Path::default())
    }
}

/// Whether a request may have been meant as a dry run. Such a row must not be put back as a live call.
fn may_be_dry_run(request: &Json<'_>) -> bool {
    let Json::Object(members) = request else { return false };
    members.iter().any(|(name, value)| {
        let is_meant = matches!(Field::of(name), Name::Known(Field::DryRun) | Name::Nearly(Field::DryRun));
        is_meant && !matches!(value, Json::Bool(false) | Json::Null)
    })
}

/// The records of a file: the valid requests, and the invalid records.
#[derive(Debug, Default)]
pub struct Contents {
    /// Records whose JSON is an object.
    pub requests: Vec<Record>,
    /// The others.
    pub invalid: Vec<InvalidRecord>,
}

impl Contents {
    /// Tells records apart.
    pub(crate) fn of(records: Vec<Record>) -> Self {
        let mut contents = Contents::default();
        for record in records {
            match &record.problem {
                Some(problem) => contents.invalid.push(InvalidRecord::of_record(&record, problem)),
                None => contents.requests.push(record),
            }
        }
        contents
    }

    /// Records in all.
    pub(crate) fn records(&self) -> usize {
        self.requests.len() + self.invalid.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invalid(json: &str) -> InvalidRecord {
        InvalidRecord::new(7, "why", &Json::parse(json).unwrap(), Path::default())
    }

    #[test]
    fn long_lines_are_cut() {
        let ids: Vec<String> = (0..1_500).map(|n| format!("\"e{n}\"")).collect();
        let name = "n".repeat(100_000);
        let record = invalid(&format!(r#"{{"queueName":"{name}","emailAddressIds":[{}]}}"#, ids.join(",")));
        assert_eq!((record.row, record.cells.len()), (7, MAX_ROWS));
        assert_eq!(record.message, "why; 500 more addresses of this line are left out");
        assert!(record.cells.iter().all(|cells| cells.queue_name.len() <= MAX_CELL + "…".len()));
        assert_eq!(record.cells[999].email_address_id, "e999");
    }

    #[test]
    fn possible_dry_run_counts_as_one() {
        for (json, dry_run) in [
            (r#"{"dryRun": true}"#, true),
            (r#"{"dryRun": "yes"}"#, true),
            (r#"{"dry_run": true}"#, true),
            (r#"{"dryRun": false}"#, false),
            (r#"{"queueId": "q"}"#, false),
            ("[]", false),
        ] {
            assert_eq!(invalid(json).dry_run, dry_run, "{json}");
        }
    }
}
