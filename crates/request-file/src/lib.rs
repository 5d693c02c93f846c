//! Reads files of association requests: workbooks, CSV, JSON Lines and JSON, as records with their line in the file.
//!
//! The command-line tool and the function for whole files use the same reader, so that both accept the same files. A file
//! that can be read in only one way is read. Any other file is rejected as a whole, before any call. An invalid record
//! has the reason in `problem` and does not affect the other records.

mod cell;
mod csv;
mod format;
mod formula;
mod header;
mod json;
mod line_numbers;
mod lines;
mod record;
mod row;
mod separator;
mod table;
mod text;
mod workbook;

use std::borrow::Cow;

use serde_json::error::Category;

pub use crate::cell::written;
pub use crate::format::FileFormat;
pub use crate::text::text;

/// Maximum size of a file: 32 MiB.
pub const MAX_FILE_BYTES: usize = 32 << 20;

/// Maximum number of pairs in a file, repetitions included.
pub const MAX_PAIRS: usize = 250_000;

/// The content of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestFile {
    /// The header of a table, as a line of CSV without its line end. JSON has none.
    pub header: Option<String>,
    /// The records, in the order of the file.
    pub records: Vec<Record>,
}

/// One record of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The line on which the record starts, from 1, as an editor counts; in a workbook, the row of the sheet.
    pub line: u64,
    /// An association request as JSON, if the record is valid.
    pub json: String,
    /// The reason why the record is not a request. Do not use the JSON of such a record, even if it is a
    /// request.
    pub problem: Option<String>,
    /// The complete row of a table, as a line of CSV without its line end. A spreadsheet finds no formula in it. Read again
    /// under the file's header, it has the same meaning. JSON has none.
    pub row: Option<String>,
}

/// A file that cannot be used as a whole. Displays as one line: what is wrong, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnreadableFile(pub(crate) String);

/// Reads a file.
///
/// # Errors
/// The file as a whole cannot be used: it has another format or another encoding, no header, a structure that could
/// be read in two ways, no records, or more than [`MAX_FILE_BYTES`] or [`MAX_PAIRS`].
pub fn read(bytes: &[u8], format: FileFormat) -> Result<RequestFile, UnreadableFile> {
    if bytes.len() > MAX_FILE_BYTES {
        let size = bytes.len();
        return Err(UnreadableFile(format!(
            "the file has {size} bytes: expected at most {MAX_FILE_BYTES}; split the file"
        )));
    }
    let file = match format {
        FileFormat::Workbook => workbook::read(bytes)?,
        FileFormat::Delimited => csv::read(&decoded(bytes)?)?,
        FileFormat::JsonLines => RequestFile { header: None, records: lines::read(&decoded(bytes)?)? },
        FileFormat::Json => RequestFile { header: None, records: json::read(&decoded(bytes)?)? },
    };
    if file.records.is_empty() {
        return Err(UnreadableFile("the file has no pairs: expected at least one".to_owned()));
    }
    Ok(file)
}

/// Returns the text of a file that is not empty.
fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>, UnreadableFile> {
    let text = text(bytes)?;
    if text.trim().is_empty() {
        return Err(UnreadableFile("the file is empty".to_owned()));
    }
    Ok(text)
}

/// Adds a record, unless the file already has the maximum number.
pub(crate) fn push(records: &mut Vec<Record>, record: Record) -> Result<(), UnreadableFile> {
    if records.len() == MAX_PAIRS {
        return Err(too_many());
    }
    records.push(record);
    Ok(())
}

pub(crate) fn too_many() -> UnreadableFile {
    UnreadableFile(format!(
        "the file has more than {MAX_PAIRS} pairs: expected at most {MAX_PAIRS}; split the file"
    ))
}

/// Describes the fault of a JSON document, without its position and without a part of the document.
fn json_problem(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Eof => "unexpected end".to_owned(),
        Category::Io | Category::Syntax | Category::Data => {
            let text = error.to_string();
            text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem).to_owned()
        }
    }
}
