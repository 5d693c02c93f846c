//! Turns the rows of a table into records.

use crate::header::{self, Header, SEARCHED_ROWS};
use crate::row::Row;
use crate::{Record, RequestFile, UnreadableFile, push};

/// A table whose rows are added in their order.
///
/// The header is the first of the first ten rows that has a column for the queue and one for the email address. A later
/// row that repeats it is skipped, because people append one file to another.
#[derive(Debug)]
pub(crate) struct Table {
    /// The word for a row in messages: `line` of a text, or `row` of a sheet.
    unit: &'static str,
    /// The word for the characters between the cells of a text.
    separator: Option<&'static str>,
    header: Option<Header>,
    /// The rows before the header.
    before: Vec<(u64, Vec<String>)>,
    content: RequestFile,
}

impl Table {
    pub(crate) fn new(unit: &'static str, separator: Option<&'static str>) -> Self {
        Table { unit, separator, header: None, before: Vec::new(), content: RequestFile::default() }
    }

    /// Returns the header, once it was added.
    pub(crate) fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// Whether none of the first rows is a header.
    pub(crate) fn lacks_header(&self) -> bool {
        self.before.len() == SEARCHED_ROWS
    }

    /// Adds a row. Fails without a header among the first rows, with a wrong header, with another header after it, or with
    /// too many rows.
    pub(crate) fn add(&mut self, row: &Row<'_>) -> Result<(), UnreadableFile> {
        if row.is_blank() {
            return Ok(());
        }
        let is_header = Header::is_header(row.cells());
        match &self.header {
            None if is_header => {
                self.header = Some(self.read_header(row)?);
                self.content.header = Some(row.line(None));
                Ok(())
            }
            None => {
                self.before.push((row.number, row.cells().map(str::to_owned).collect()));
                if self.before.len() < SEARCHED_ROWS { Ok(()) } else { Err(self.missing_header()) }
            }
            Some(header) if is_header => {
                let later = self.read_header(row)?;
                if header.has_same_fields_as(&later) {
                    return Ok(());
                }
                let unit = self.unit;
                Err(UnreadableFile(format!(
                    "{unit} {} is a header with different columns from the one on {unit} {}; split the file before \
                     {unit} {}",
                    later.number, header.number, later.number
                )))
            }
            Some(header) => {
                let record = Record {
                    line: row.number,
                    json: row.request(header),
                    problem: row.problem(header, self.separator),
                    row: Some(row.line(Some(header))),
                };
                push(&mut self.content.records, record)
            }
        }
    }

    /// Returns the records. Fails if no row was a header.
    pub(crate) fn finish(self) -> Result<RequestFile, UnreadableFile> {
        if self.header.is_none() { Err(self.missing_header()) } else { Ok(self.content) }
    }

    fn read_header(&self, row: &Row<'_>) -> Result<Header, UnreadableFile> {
        Header::read(row.cells(), row.number, self.unit).map_err(UnreadableFile)
    }

    fn missing_header(&self) -> UnreadableFile {
        UnreadableFile(header::missing_header_message(&self.before, self.unit))
    }
}
