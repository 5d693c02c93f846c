//! Files of association requests: CSV and JSON lines, as records that each know their line.
//!
//! The command-line tool and the function at the ends of the bulk path read the same files, so the reading stands
//! here once. A record is checked as a request by whoever it is handed to; what makes a file as a whole unreadable is
//! met here, before anything is called.

mod csv;
mod formula;
mod json_lines;

use std::str;

use serde_json::error::Category;

pub use crate::csv::csv;
pub use crate::formula::defused;
pub use crate::json_lines::json_lines;

/// One record of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The line that it begins on, from 1.
    pub line: u64,
    /// JSON: an association request, if the record is what it should be.
    pub json: String,
}

/// Why a file as a whole cannot be used. Displays as one line: what was met, where, and what is accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

/// The text of a file, without the byte-order mark that programs on Windows begin it with.
///
/// # Errors
/// The first line that is not UTF-8.
pub fn text(bytes: &[u8]) -> Result<&str, Unusable> {
    let text = str::from_utf8(bytes).map_err(|error| {
        let line = line_at(bytes, error.valid_up_to());
        Unusable(format!("line {line} is not UTF-8 text; save the file as UTF-8"))
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The line that an offset is on, from 1.
fn line_at(text: &[u8], offset: usize) -> u64 {
    1 + text.iter().take(offset).filter(|byte| **byte == b'\n').count() as u64
}

/// What is wrong with a JSON document, without a piece of it and without its place in it.
fn json_problem(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Eof => "the document ends too early".to_owned(),
        Category::Io | Category::Syntax | Category::Data => {
            let text = error.to_string();
            text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem).to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        assert_eq!(text(b"\xef\xbb\xbfqueueId\n"), Ok("queueId\n"));
        assert_eq!(text(b""), Ok(""));
    }

    #[test]
    fn text_in_another_encoding_is_named_by_its_line() {
        let error = text(b"queueId\nq\xe9\n").unwrap_err();
        assert_eq!(error.to_string(), "line 2 is not UTF-8 text; save the file as UTF-8");
    }
}
