//! The record of one JSON document.

use queue_email_associator::payload::Json;
use queue_email_associator::requests::Field;

use crate::header::INSTEAD_OF_OPTION;
use crate::{MAX_PAIRS, Record, json_problem};

/// Maximum number of commas in one document. A pair needs two or three, and unknown fields may add some. The values of a
/// document take up to twenty times as much memory as its text.
const MAX_COMMAS: usize = 8 * MAX_PAIRS;

impl Record {
    /// Returns the record of a JSON document. `unit` is the word for it in messages, such as `line`.
    pub(crate) fn of_json(line: u64, json: &str, unit: &str) -> Self {
        Record { line, json: json.to_owned(), problem: problem(json, unit), row: None }
    }
}

/// Returns the reason why a JSON document is not an association request of a file.
fn problem(json: &str, unit: &str) -> Option<String> {
    if json.bytes().filter(|byte| *byte == b',').count() > MAX_COMMAS {
        return Some(format!("the {unit} has more than {MAX_COMMAS} values: expected fewer; split it"));
    }
    let request = match Json::parse(json) {
        Ok(request @ Json::Object(_)) => request,
        Ok(other) => {
            return Some(format!(
                "the {unit} is {}: expected an association request, an object",
                other.kind()
            ));
        }
        Err(error) => {
            return Some(format!(
                "not valid JSON at column {} ({}): expected an association request",
                error.column(),
                json_problem(&error)
            ));
        }
    };
    let is_set = |option: &Field| request.get(option.name()) == Some(&Json::Bool(true));
    let option = [Field::DryRun, Field::CheckQueues].into_iter().find(is_set)?;
    Some(format!("{option} is an option, and a file contains only pairs; {INSTEAD_OF_OPTION}"))
}
