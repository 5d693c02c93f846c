//! Reads the rows of a text with separators between its cells (RFC 4180).

use ::csv::{Position, StringRecord};

use crate::line_numbers::{LineCounter, with_line_feeds};
use crate::row::Row;
use crate::separator::{self, Separator};
use crate::table::Table;
use crate::{RequestFile, UnreadableFile};

/// Reads a text whose rows are pairs, under a header.
/// The last cells of a row may be missing, and there may be extra empty cells. Fails without a header, with a wrong one,
/// with a quote that is not closed, with lone carriage returns among line feeds, or with too many rows.
pub(crate) fn read(text: &str) -> Result<RequestFile, UnreadableFile> {
    let text = with_line_feeds(text)?;
    let separator = Separator::of(&text)?;
    let first_line = if separator.skipped > 0 { 2 } else { 1 };
    let text = &text[separator.skipped..];
    let mut table = Table::new("line", Some(separator.name));
    let mut reader = separator::reader(text, separator.character);
    // The reader's own number is that of the line end before a record, if blank lines or two-character line ends follow.
    let mut lines = LineCounter::new(text, first_line);
    let mut cells = StringRecord::new();
    while reader
        .read_record(&mut cells)
        .map_err(|error| UnreadableFile(format!("not a CSV file: {error}")))?
    {
        let starts = cells.position().map_or(0, offset);
        let row = Row {
            number: lines.line_after_ends(starts),
            cells: cells.iter().map(Into::into).collect(),
            unreadable: Vec::new(),
        };
        reject_swallowed_rows(&row, &table, text, starts, offset(reader.position()))?;
        table.add(&row)?;
    }
    table.finish()
}

fn offset(position: &Position) -> usize {
    usize::try_from(position.byte()).unwrap_or(usize::MAX)
}

/// Rejects a quoted cell of a known column that contains a line break, because the rows inside it would be lost.
fn reject_swallowed_rows(
    row: &Row<'_>,
    table: &Table,
    text: &str,
    starts: usize,
    ends: usize,
) -> Result<(), UnreadableFile> {
    let Some(header) = table.header() else { return Ok(()) };
    let line = row.number;
    // Whether the last row of the text, over several lines, ends within a quoted cell.
    let raw = text.get(starts..).unwrap_or_default();
    if ends >= text.len() && raw.trim().contains('\n') && raw.matches('"').count() % 2 == 1 {
        return Err(UnreadableFile(format!(
            "line {line}: a quote is not closed; add the quote at the end of the cell"
        )));
    }
    let mut cells =
        header.columns.iter().zip(row.cells()).filter_map(|(field, cell)| Some(((*field)?, cell)));
    match cells.find(|(_, cell)| cell.trim().contains('\n')) {
        Some((field, _)) => Err(UnreadableFile(format!(
            "line {line}: the quoted {field} contains a line break; close its quote on the same line"
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    fn read(text: &str) -> Result<Vec<(u64, String)>, String> {
        let file = super::read(text).map_err(|problem| problem.to_string())?;
        let shown = |record: crate::Record| (record.line, record.problem.unwrap_or(record.json));
        Ok(file.records.into_iter().map(shown).collect())
    }

    fn pair(line: u64, queue: &str, address: &str) -> (u64, String) {
        (line, format!(r#"{{"queueName":"{queue}","emailAddress":"{address}"}}"#))
    }

    #[test]
    fn each_separator_is_read() {
        for separator in [",", ";", "\t", "|"] {
            let text = "queueName,emailAddress,note\n\"Billing, EMEA\",a@x.example,\nOrders,b@x.example,n\n";
            let text = text.replace(',', separator);
            let queue = format!("Billing{separator} EMEA").replace('\t', "\\t");
            let expected = [pair(2, &queue, "a@x.example"), pair(3, "Orders", "b@x.example")];
            assert_eq!(read(&text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn separator_line_counts_as_a_line() {
        let text = "sep=;\r\nqueueName;emailAddress\r\nBilling;a@x.example\r\n";
        assert_eq!(read(text).unwrap(), [pair(3, "Billing", "a@x.example")]);
    }

    #[test]
    fn rows_before_the_header_are_skipped() {
        for before in [
            "#TYPE System.Management.Automation.PSCustomObject\n",
            "Pairs of \"Brand\", as of May\n\n;;\n",
            "a\nb\nc\nd\ne\nf\ng\nh\ni\n",
        ] {
            let text = format!("{before}\"queueName\",\"emailAddress\"\n\"Billing\",\"a@x.example\"\n");
            let line = before.lines().count() as u64 + 2;
            assert_eq!(read(&text).unwrap(), [pair(line, "Billing", "a@x.example")], "{before}");
        }
        let late = format!("{}queueName,emailAddress\nBilling,a@x.example\n", "title\n".repeat(10));
        let problem = read(&late).unwrap_err();
        assert!(problem.starts_with("no header in the first 10 rows (the first is \"title\")"), "{problem}");
    }

    #[test]
    fn repeated_header_is_skipped_and_another_one_rejected() {
        let text = "queueName,emailAddress\nA,a@x.example\n\u{feff}queueName,emailAddress,\nB,b@x.example\n";
        assert_eq!(read(text).unwrap(), [pair(2, "A", "a@x.example"), pair(4, "B", "b@x.example")]);
        let text = "queueName,emailAddress\nA,a@x.example\nemailAddress,queueName\nb@x.example,B\n";
        assert_eq!(
            read(text).unwrap_err(),
            "line 3 is a header with different columns from the one on line 1; split the file before line 3"
        );
    }

    #[test]
    fn cells_may_be_quoted_and_empty_ones_are_absent() {
        let text = "instanceId,queueId,queueName,emailAddress\n\
                    ,,\"Billing, \"\"A\"\"\",help@brand.example\n\
                    i,q,\"\"\"\"\"\",x@brand.example\n";
        let expected = [
            (2, r#"{"queueName":"Billing, \"A\"","emailAddress":"help@brand.example"}"#.to_owned()),
            (3, r#"{"instanceId":"i","queueId":"q","emailAddress":"x@brand.example"}"#.to_owned()),
        ];
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn apostrophe_before_a_formula_is_removed() {
        let text = "queueName,emailAddress,error,message\n'=Q;'＝1,'+49@brand.example,Refused,'=1\n";
        assert_eq!(read(text).unwrap(), [pair(2, "=Q;＝1", "+49@brand.example")]);
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
    fn row_without_a_pair_does_not_affect_other_rows() {
        let text = "queueId,queueName,emailAddress,note\nq,,e,,,\nq\n,,,x\nq,,f\n";
        let expected = [
            (2, r#"{"queueId":"q","emailAddress":"e"}"#),
            (3, "the row has no email address: expected a value in the column emailAddress"),
            (4, "the row has no queue: expected a value in the column queueId or queueName"),
            (5, r#"{"queueId":"q","emailAddress":"f"}"#),
        ];
        assert_eq!(read(text).unwrap(), expected.map(|(line, text)| (line, text.to_owned())));
    }

    #[test]
    fn rows_are_kept_complete() {
        let text = "emailAddress;queueName\na@x.example;Orders; EMEA\n=1;\" \"\"x\"\"\"\n";
        let file = super::read(text).unwrap();
        assert_eq!(file.header.as_deref(), Some("emailAddress,queueName"));
        let rows: Vec<_> = file.records.iter().map(|record| record.row.as_deref().unwrap()).collect();
        assert_eq!(rows, ["a@x.example,Orders,EMEA", "'=1,\"\"\"x\"\"\""]);
    }

    #[test]
    fn unclosed_quote_is_rejected() {
        for text in [
            "queueId,emailAddress\nq,e\nq,\"f\nq,g\n",
            "queueId,emailAddress,note\nq,d,\nq,e,\"x\nq,g,\nq,h,y\n",
        ] {
            assert_eq!(
                read(text).unwrap_err(),
                "line 3: a quote is not closed; add the quote at the end of the cell"
            );
        }
        let text = "queueId,emailAddress\nq,\"f\nq,g\nq,\"h\"\nq,i\n";
        assert_eq!(
            read(text).unwrap_err(),
            "line 2: the quoted emailAddress contains a line break; close its quote on the same line"
        );
    }
}
