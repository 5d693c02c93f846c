//! A row of a table, and the request or the problem in it.

use std::borrow::Cow;
use std::fmt::Write;

use ::csv::{Terminator, WriterBuilder};
use queue_email_associator::requests::Field;
use serde_json::Value;

use crate::cell::{self, LINE_END, without_line_ends};
use crate::formula::harmless;
use crate::header::{ADDRESS, Header, QUEUE};

#[derive(Debug, Default)]
pub(crate) struct Row<'r> {
    /// Its line in a text, or its row in a sheet, from 1.
    pub(crate) number: u64,
    pub(crate) cells: Vec<Cow<'r, str>>,
    /// Cells of a workbook without a text: their columns from 0, and the reasons.
    pub(crate) unreadable: Vec<(usize, String)>,
}

impl Row<'_> {
    pub(crate) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty()) && self.unreadable.is_empty()
    }

    pub(crate) fn cells(&self) -> impl Iterator<Item = &str> {
        self.cells.iter().map(|cell| &**cell)
    }

    /// Returns the row as a line of CSV, in which a spreadsheet finds no formula.
    ///
    /// A line break in a known column makes the row invalid, but would make a file of CSV unusable. It becomes another
    /// character that makes the row invalid.
    pub(crate) fn line(&self, header: Option<&Header>) -> String {
        let columns = header.map(|header| &*header.columns).unwrap_or_default();
        let cell = |(column, cell): (usize, &str)| {
            let cell = harmless(cell.trim()).into_owned();
            if matches!(columns.get(column), Some(Some(_))) { without_line_ends(&cell) } else { cell }
        };
        let mut writer = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(Vec::new());
        // Writing to memory cannot fail, and all cells are UTF-8. A lone empty cell is written in quotes.
        let _ = writer.write_record(self.cells().enumerate().map(cell));
        let mut line = String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default();
        line.truncate(line.strip_suffix('\n').unwrap_or(&line).len());
        line
    }

    /// Returns the row as a request in its short form.
    pub(crate) fn request(&self, header: &Header) -> String {
        let mut json = "{".to_owned();
        for (field, text) in self.filled(header) {
            let comma = if json.len() > 1 { "," } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(json, r#"{comma}"{field}":{}"#, Value::from(&*text));
        }
        json.push('}');
        json
    }

    /// Returns the reason why the row is not a pair. `separator` is the name of the characters between the cells of a
    /// text: there, a cell without a column shows a separator that was meant as text.
    pub(crate) fn problem(&self, header: &Header, separator: Option<&str>) -> Option<String> {
        let columns = header.columns.len();
        let surplus = self.cells.iter().skip(columns).any(|cell| !cell.trim().is_empty());
        if let Some(separator) = separator.filter(|_| surplus) {
            return Some(format!(
                "the row has {} cells, but the header has {columns} columns; put quotes around a cell that contains \
                 {separator}",
                self.cells.len()
            ));
        }
        for (column, reason) in &self.unreadable {
            if let Some(Some(field)) = header.columns.get(*column) {
                return Some(format!("{field} {reason}"));
            }
        }
        for (fields, thing) in [(QUEUE, "queue"), (ADDRESS, "email address")] {
            let is_filled = |field: &&Field| self.filled(header).any(|(filled, _)| filled == **field);
            let names = header.names_present(&fields, "or");
            match fields.iter().filter(is_filled).count() {
                1 => {}
                0 => return Some(format!("the row has no {thing}: expected a value in the column {names}")),
                _ => {
                    return Some(format!(
                        "the row has a value in both {}: expected one of them",
                        header.names_present(&fields, "and")
                    ));
                }
            }
        }
        self.filled(header).find_map(|(field, text)| Some(format!("{field} {}", odd_end(field, &text)?)))
    }

    /// Returns the texts of the known columns that are not empty.
    fn filled<'s>(&'s self, header: &Header) -> impl Iterator<Item = (Field, Cow<'s, str>)> {
        let cells = header.columns.iter().zip(self.cells());
        let cells = cells.filter_map(|(field, cell)| Some(((*field)?, cell::text(cell))));
        cells.filter(|(_, text)| !text.is_empty())
    }
}

/// Returns what is wrong with the start or the end of a cell. The service accepts such an address, but no instance has
/// it: the character is left over from another program.
fn odd_end(field: Field, text: &str) -> Option<&'static str> {
    if text.contains(['\r', '\n', LINE_END]) {
        return Some("contains a line end: expected one line");
    }
    if text.starts_with('"') && text.matches('"').count() % 2 == 1 {
        return Some(
            "starts with a quote that is not closed: expected quotes around the whole cell, or none",
        );
    }
    if field != Field::EmailAddress {
        return None;
    }
    let is_left_over = |c: char| cell::is_quote(c) || c == '\\';
    if text.starts_with(is_left_over) || text.ends_with(is_left_over) {
        Some("starts or ends with a quote or a backslash: expected an email address by itself")
    } else if text.ends_with('.') {
        Some("ends with a dot: expected an email address by itself")
    } else {
        None
    }
}
