//! Reads the file of `--keep`: the pairs that stay on their queues.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::input::Input;

/// The part of a report that lists the pairs that were on their queues.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    already_associated: usize,
    already_associated_pairs: Option<Value>,
}

/// Reads a file of pairs, or the pairs of a report that were on their queues. Returns their payload, or `None` if a
/// report has no such pair.
pub(super) fn read(file: &Path) -> Result<Option<Vec<u8>>, String> {
    let payload = Input::read(Some(file), None)?.payload;
    let Ok(report) = serde_json::from_slice::<Report>(&payload) else { return Ok(Some(payload)) };
    match (report.already_associated_pairs, report.already_associated) {
        (Some(pairs), _) => Ok(Some(json!({ "associations": pairs }).to_string().into_bytes())),
        (None, 0) => Ok(None),
        (None, count) => Err(format!(
            "{}: the report does not list the {count} pairs that were on their queues, because the list was too long; split the \
             file, and make a plan for each part",
            file.display()
        )),
    }
}
