//! CSV: one pair a line, under a header with the field names of the short form of a request.

use std::fmt::Write;

use ::csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};
use queue_email_associator::requests::Field;
use serde_json::Value;

use crate::formula::plain;
use crate::{Record, Unusable, line_at};

/// What a column can be. The other fields of a request are not text.
const COLUMNS: [Field; 5] =
    [Field::InstanceId, Field::QueueId, Field::QueueName, Field::EmailAddressId, Field::EmailAddress];

const ACCEPTED: &str =
    "accepted are queueId or queueName, emailAddressId or emailAddress, and perhaps instanceId";

/// The records of a CSV file (RFC 4180): each row a request in its short form, under a header with the names of its
/// fields. Blank lines, and rows of which every cell is empty, are none; an apostrophe before a formula's sign, as
/// [`crate::defused`] writes it, is no part of a cell; columns of the caller's own are passed over.
///
/// # Errors
/// A header that names no pairs, and the first row that does not fit it: half a file is no basis for calls.
pub fn csv(text: &str) -> Result<Vec<Record>, Unusable> {
    records(text).map_err(Unusable)
}

fn records(text: &str) -> Result<Vec<Record>, String> {
    let mut reader = ReaderBuilder::new().has_headers(true).from_reader(text.as_bytes());
    let columns = columns(&mut reader, text)?;
    let mut places = Places { text: text.as_bytes(), offset: 0, line: 1 };
    let mut records = Vec::new();
    let mut row = StringRecord::new();
    while reader.read_record(&mut row).map_err(|error| problem(&error, text))? {
        let begins = row.position().map_or(0, ::csv::Position::byte);
        if row.iter().all(str::is_empty) {
            continue;
        }
        let line = places.line_of(begins);
        // No identifier, name or address has a line end in it, and the rows that it swallows would go unseen.
        if let Some((Some(field), _)) =
            columns.iter().zip(&row).find(|(field, cell)| field.is_some() && cell.contains(['\r', '\n']))
        {
            return Err(format!(
                "line {line}: {field} goes over the end of the line; is a quote not closed?"
            ));
        }
        records.push(Record { line, json: request(&row, &columns) });
    }
    Ok(records)
}

/// The fields of the header's columns; a column of the caller's own is none.
fn columns(reader: &mut Reader<&[u8]>, text: &str) -> Result<Vec<Option<Field>>, String> {
    let header = reader.headers().map_err(|error| problem(&error, text))?.clone();
    let mut places = Places { text: text.as_bytes(), offset: 0, line: 1 };
    let line = places.line_of(header.position().map_or(0, ::csv::Position::byte));
    let mut columns = Vec::with_capacity(header.len());
    for (number, name) in (1..).zip(&header) {
        let wrong = |what: &str| Err(format!("line {line}, column {number}: {name:?} {what}"));
        let field = nearest(name);
        match field {
            Some(field) if field.name() != name => {
                return wrong(&format!("is no known column; {field} was meant"));
            }
            Some(field) if !COLUMNS.contains(&field) => {
                return wrong(&format!("is no column of a CSV file; {ACCEPTED}"));
            }
            Some(_) if columns.contains(&field) => return wrong("is there twice; once is accepted"),
            _ => columns.push(field),
        }
    }
    let has = |fields: [Field; 2]| fields.iter().any(|field| columns.contains(&Some(*field)));
    let missing =
        match (has([Field::QueueId, Field::QueueName]), has([Field::EmailAddressId, Field::EmailAddress])) {
            (true, true) => return Ok(columns),
            (false, true) => "no column names a queue",
            (true, false) => "no column names an email address",
            (false, false) => "no column is a known one",
        };
    let hint = match &header[0] {
        one if header.len() == 1 && one.contains([';', '\t']) => "; cells are separated by commas",
        _ => "",
    };
    Err(format!("line {line}: {missing} in the header ({}); {ACCEPTED}{hint}", shown(&header)))
}

/// The field that a name is, or nearly is: what the function tells apart in JSON counts here too.
fn nearest(name: &str) -> Option<Field> {
    let separates = |c: &char| c.is_whitespace() || matches!(c, '_' | '-' | '\u{feff}');
    let folded: String = name.chars().filter(|c| !separates(c)).flat_map(char::to_lowercase).collect();
    Field::ALL.into_iter().find(|field| field.name().eq_ignore_ascii_case(&folded))
}

/// The names of a header, as far as they go on a line.
fn shown(header: &StringRecord) -> String {
    const SHOWN: usize = 8;
    let mut names: Vec<String> = header.iter().take(SHOWN).map(|name| format!("{name:?}")).collect();
    if header.len() > SHOWN {
        names.push("…".to_owned());
    }
    names.join(", ")
}

/// A row as a request in its short form.
fn request(row: &StringRecord, columns: &[Option<Field>]) -> String {
    let mut json = "{".to_owned();
    for (field, cell) in columns.iter().zip(row) {
        let Some(field) = field.filter(|_| !cell.is_empty()) else { continue };
        let comma = if json.len() > 1 { "," } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(json, r#"{comma}"{field}":{}"#, Value::from(plain(cell)));
    }
    json.push('}');
    json
}

/// Lines of places in a text, each behind the one before.
///
/// The reader's own line of a record is that of the line end before it, where that is two characters or blank lines
/// follow.
struct Places<'a> {
    text: &'a [u8],
    offset: usize,
    line: u64,
}

impl Places<'_> {
    /// The line on which the record is that the reader met at an offset.
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

fn problem(error: &::csv::Error, text: &str) -> String {
    match error.kind() {
        ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let mut places = Places { text: text.as_bytes(), offset: 0, line: 1 };
            let line = places.line_of(pos.as_ref().map_or(0, ::csv::Position::byte));
            format!("line {line} has {len} cells where the header has {expected_len}; nothing was called")
        }
        _ => format!("not a CSV file: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(u64, String)>, String> {
        records(text).map(|records| records.into_iter().map(|record| (record.line, record.json)).collect())
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
    fn a_cell_that_was_kept_from_being_a_formula_is_what_it_was() {
        let text = "queueName,emailAddress,error,message\n'=Q,'+49@brand.example,Refused,'=1\n";
        let expected = [(2, r#"{"queueName":"=Q","emailAddress":"+49@brand.example"}"#.to_owned())];
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn lines_are_those_of_the_file_whatever_ends_them() {
        // A cell with a line end in it, blank lines, empty rows, and no line end after the last row.
        let text = "\nnote,queueName,emailAddress\n,a,1\n\n\"b\nb\",b,2\n,,\n\n,c,3";
        let expected = [3, 5, 9];
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            let lines: Vec<u64> = read(&text).unwrap().into_iter().map(|(line, _)| line).collect();
            assert_eq!(lines, expected, "{text:?}");
        }
    }

    #[test]
    fn a_header_that_names_no_pairs_says_what_was_met_and_what_is_accepted() {
        let table = [
            (
                "name,mail\na,b\n",
                format!(r#"line 1: no column is a known one in the header ("name", "mail"); {ACCEPTED}"#),
            ),
            (
                "queueId;emailAddressId\na;b\n",
                format!(
                    r#"line 1: no column is a known one in the header ("queueId;emailAddressId"); {ACCEPTED}; cells are separated by commas"#
                ),
            ),
            (
                "\nqueueId,mail\na,b\n",
                format!(
                    r#"line 2: no column names an email address in the header ("queueId", "mail"); {ACCEPTED}"#
                ),
            ),
            (
                "emailAddress\nb\n",
                format!(r#"line 1: no column names a queue in the header ("emailAddress"); {ACCEPTED}"#),
            ),
            (
                "note,queue_id,emailAddressId\n",
                r#"line 1, column 2: "queue_id" is no known column; queueId was meant"#.to_owned(),
            ),
            (
                "queueId,emailAddressId,queueId\n",
                r#"line 1, column 3: "queueId" is there twice; once is accepted"#.to_owned(),
            ),
            (
                "queueId,emailAddressIds\n",
                format!(r#"line 1, column 2: "emailAddressIds" is no column of a CSV file; {ACCEPTED}"#),
            ),
        ];
        for (text, problem) in table {
            assert_eq!(read(text).unwrap_err(), problem);
        }
    }

    #[test]
    fn a_quote_that_is_not_closed_is_named() {
        let text = "queueId,emailAddress\nq,e\nq,\"f\nq,g\n";
        assert_eq!(
            read(text).unwrap_err(),
            "line 3: emailAddress goes over the end of the line; is a quote not closed?"
        );
    }

    #[test]
    fn a_row_of_another_length_is_named() {
        let text = "queueId,emailAddressId\r\nq,e\r\n\r\nq,e,x\r\n";
        assert_eq!(read(text).unwrap_err(), "line 4 has 3 cells where the header has 2; nothing was called");
    }
}
