//! Files of association requests: CSV and JSON lines, as records that each know their line.
//!
//! The command-line tool and the function at the ends of the bulk path read the same files, so the reading stands here
//! once. A file with a wrong form is refused as a whole, before any call. A wrong record carries its problem, and the
//! other records go on.

mod csv;
mod formula;
mod header;
mod json_lines;
mod line_ends;
mod text;

use serde_json::error::Category;

pub use crate::csv::csv;
pub use crate::formula::defused;
pub use crate::json_lines::json_lines;
pub use crate::text::text;

/// One record of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The line that it begins on, from 1, as an editor counts.
    pub line: u64,
    /// JSON: an association request, if the record is valid.
    pub json: String,
    /// The reason why the record is no request, in the words of its file (columns and cells of a CSV file). Such a
    /// record must not be carried out, even if its JSON is a request.
    pub problem: Option<String>,
}

/// The fault of a file that cannot be used as a whole. Displays as one line: the value found, its place, and the
/// accepted values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(pub(crate) String);

/// The line that an offset is on, from 1. Lines end in a line feed.
fn line_at(text: &[u8], offset: usize) -> u64 {
    1 + text.iter().take(offset).filter(|byte| **byte == b'\n').count() as u64
}

/// The fault of a JSON document, without a piece of the document and without the place of the fault.
fn json_problem(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Eof => "the document ends too early".to_owned(),
        Category::Io | Category::Syntax | Category::Data => {
            let text = error.to_string();
            text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem).to_owned()
        }
    }
}
