//! CSV: one pair a line, under a header with the field names of the short form of a request.

use std::fmt::Write;

use ::csv::{ReaderBuilder, StringRecord};
use queue_email_associator::requests::Field;
use serde_json::Value;

use crate::formula::plain;
use crate::header::{ADDRESS, Header, QUEUE};
use crate::line_ends::with_line_feeds;
use crate::{Record, Unusable, line_at};

/// The records of a CSV file (RFC 4180): each row a request in its short form, under a header with the names of its
/// fields.
///
/// Outer white space is not part of a cell. A row may lack its last cells, which then are empty, and may have empty
/// cells too many. Rows of empty cells do not count. An apostrophe before a formula's sign, as [`crate::defused`]
/// writes it, is not part of a cell. Columns of the caller's own do not count. A row that names no pair is a record
/// with a problem.
///
/// # Errors
/// The header names no pairs, a quote is not closed, or lone carriage returns stand among line feeds. Half a file is no
/// basis for calls.
pub fn csv(text: &str) -> Result<Vec<Record>, Unusable> {
    records(&with_line_feeds(text)?).map_err(Unusable)
}

/// The records of a text whose lines end in line feeds.
fn records(text: &str) -> Result<Vec<Record>, String> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut places = Places { text: text.as_bytes(), offset: 0, line: 1 };
    let mut row = StringRecord::new();
    let mut header = None;
    let mut records = Vec::new();
    while reader.read_record(&mut row).map_err(|error| format!("not a CSV file: {error}"))? {
        let begins = row.position().map_or(0, ::csv::Position::byte);
        if row.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let line = places.line_of(begins);
        let Some(header) = &header else {
            header = Some(Header::read(&row, line)?);
            continue;
        };
        let ends = reader.position().byte();
        if is_unclosed(text, begins, ends) {
            return Err(format!(
                "line {line}: a quote begins a cell and is not closed; close it behind the text of the cell"
            ));
        }
        // No identifier, name or address has a line end in it. The rows inside such a cell would go unseen.
        let swallows = |(field, cell): &(&Option<Field>, &str)| field.is_some() && cell.trim().contains('\n');
        if let Some((Some(field), _)) = header.columns.iter().zip(&row).find(swallows) {
            return Err(format!(
                "line {line}: {field} goes over the end of the line; close its quote on the same line"
            ));
        }
        records.push(Record { line, json: request(&row, header), problem: problem(&row, header) });
    }
    Ok(records)
}

/// Whether the last row of a text, over several lines, ends within a quoted cell.
fn is_unclosed(text: &str, begins: u64, ends: u64) -> bool {
    let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
    let raw = text.get(place(begins)..).unwrap_or_default();
    place(ends) >= text.len() && raw.trim().contains('\n') && raw.matches('"').count() % 2 == 1
}

/// A row as a request in its short form.
fn request(row: &StringRecord, header: &Header) -> String {
    let mut json = "{".to_owned();
    for (field, cell) in filled(row, header) {
        let comma = if json.len() > 1 { "," } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(json, r#"{comma}"{field}":{}"#, Value::from(plain(cell)));
    }
    json.push('}');
    json
}

/// The cells of known columns that are not empty.
fn filled<'r>(row: &'r StringRecord, header: &Header) -> impl Iterator<Item = (Field, &'r str)> {
    let cells = header.columns.iter().zip(row).filter_map(|(field, cell)| Some(((*field)?, cell.trim())));
    cells.filter(|(_, cell)| !cell.is_empty())
}

/// The reason why a row names no pair, in the words of a table.
fn problem(row: &StringRecord, header: &Header) -> Option<String> {
    let columns = header.columns.len();
    if row.iter().skip(columns).any(|cell| !cell.trim().is_empty()) {
        return Some(format!(
            "the row has {} cells and the header {columns} columns; a cell with a comma in it stands in quotes",
            row.len()
        ));
    }
    let is_filled = |field: &&Field| filled(row, header).any(|(filled, _)| filled == **field);
    for (fields, thing) in [(QUEUE, "the queue"), (ADDRESS, "the email address")] {
        let named = header.named(&fields);
        match (fields.iter().filter(is_filled).count(), named.contains(" and ")) {
            (1, _) => {}
            (0, true) => return Some(format!("{named} are empty in this row; one of them names {thing}")),
            (0, false) => return Some(format!("{named} is empty in this row; it names {thing}")),
            _ => return Some(format!("{named} are both filled in this row; one of them names {thing}")),
        }
    }
    None
}

/// Lines of places in a text, each behind the one before.
///
/// The reader gives a record the line of the line end before it, if that line end is two characters or blank lines
/// follow.
struct Places<'a> {
    text: &'a [u8],
    offset: usize,
    line: u64,
}

impl Places<'_> {
    /// The line of the record that the reader met at an offset.
    fn line_of(&mut self, offset: u64) -> u64 {
        let mut begins = usize::try_from(offset).unwrap_or(usize::MAX);
        while matches!(self.text.get(begins), Some(b'\r' | b'\n')) {
            begins += 1;
        }
        let passed = self.text.get(self.offset..begins).unwrap_or_default();
        self.line += line_at(passed, passed.len()) - 1;
        self.offset = begins;
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(u64, String)>, String> {
        let records = csv(text).map_err(|unusable| unusable.to_string())?;
        let shown = |record: Record| (record.line, record.problem.unwrap_or(record.json));
        Ok(records.into_iter().map(shown).collect())
    }

    #[test]
    fn rows_become_requests_with_their_lines() {
        let text = "queueId,note,emailAddressId\nq1,x,e1\nq2,,e2\n";
        let expected = [
            (2, r#"{"queueId":"q1","emailAddressId":"e1"}"#.to_owned()),
            (3, r#"{"queueId":"q2","emailAddressId":"e2"}"#.to_owned()),
        ];
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn cells_may_be_quoted_and_empty_ones_are_absent() {
        let text = "instanceId,queueId,queueName,emailAddress\n\
                    ,,\"Billing, \"\"A\"\"\",help@brand.example\n\
                    i,q,,x@brand.example\n";
        let expected = [
            (2, r#"{"queueName":"Billing, \"A\"","emailAddress":"help@brand.example"}"#.to_owned()),
            (3, r#"{"instanceId":"i","queueId":"q","emailAddress":"x@brand.example"}"#.to_owned()),
        ];
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn apostrophe_before_a_formula_is_taken_off() {
        let text = "queueName,emailAddress,error,message\n'=Q,'+49@brand.example,Refused,'=1\n";
        let expected = [(2, r#"{"queueName":"=Q","emailAddress":"+49@brand.example"}"#.to_owned())];
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn cells_are_read_without_outer_white_space() {
        let text =
            "queueName,emailAddress\n Billing\u{a0},\tx@brand.example\u{3000}\n\u{a0} , \n\"Bill\n\",y\n";
        let expected = [
            (2, r#"{"queueName":"Billing","emailAddress":"x@brand.example"}"#.to_owned()),
            (4, r#"{"queueName":"Bill","emailAddress":"y"}"#.to_owned()),
        ];
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn line_numbers_match_an_editor_for_any_line_end() {
        // A cell with a line end in it, blank lines, empty rows, and no line end after the last row.
        let text = "\nnote,queueName,emailAddress\n,a,1\n\n\"b\nb\",b,2\n,,\n\n,c,3";
        let expected = [3, 5, 9];
        for text in [text.to_owned(), text.replace('\n', "\r\n"), text.replace('\n', "\r")] {
            let lines: Vec<u64> = read(&text).unwrap().into_iter().map(|(line, _)| line).collect();
            assert_eq!(lines, expected, "{text:?}");
        }
    }

    #[test]
    fn missing_and_surplus_empty_cells_are_accepted() {
        let text = "queueId,emailAddressId,instanceId,note\r\nq,e\r\nq,f,i\r\nq,g,,,, ,\r\n";
        let expected = [
            (2, r#"{"queueId":"q","emailAddressId":"e"}"#.to_owned()),
            (3, r#"{"queueId":"q","emailAddressId":"f","instanceId":"i"}"#.to_owned()),
            (4, r#"{"queueId":"q","emailAddressId":"g"}"#.to_owned()),
        ];
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn row_without_a_pair_fails_alone() {
        let text =
            "queueId,queueName,emailAddress,note\nq,,e,\n,,e,\nq,Q,e,\nq\n,,,x\nq,,Team, Billing,x\nq,,f,\n";
        let expected = [
            (2, r#"{"queueId":"q","emailAddress":"e"}"#),
            (3, "queueId and queueName are empty in this row; one of them names the queue"),
            (4, "queueId and queueName are both filled in this row; one of them names the queue"),
            (5, "emailAddress is empty in this row; it names the email address"),
            (6, "queueId and queueName are empty in this row; one of them names the queue"),
            (7, "the row has 5 cells and the header 4 columns; a cell with a comma in it stands in quotes"),
            (8, r#"{"queueId":"q","emailAddress":"f"}"#),
        ];
        assert_eq!(read(text).unwrap(), expected.map(|(line, text)| (line, text.to_owned())));
    }

    #[test]
    fn unclosed_quote_is_named() {
        let text = "queueId,emailAddress\nq,e\nq,\"f\nq,g\n";
        assert_eq!(
            read(text).unwrap_err(),
            "line 3: a quote begins a cell and is not closed; close it behind the text of the cell"
        );
        let text = "queueId,emailAddress,note\nq,e,\"x\nq,g,\nq,h,y\n";
        assert_eq!(
            read(text).unwrap_err(),
            "line 2: a quote begins a cell and is not closed; close it behind the text of the cell"
        );
        let text = "queueId,emailAddress\nq,\"f\nq,g\nq,\"h\"\nq,i\n";
        assert_eq!(
            read(text).unwrap_err(),
            "line 2: emailAddress goes over the end of the line; close its quote on the same line"
        );
    }
}
