//! Reads the sheets of an OpenDocument spreadsheet (OASIS, "Open Document Format for Office Applications", part 3).

use std::borrow::Cow;
use std::io::BufRead;

use super::package::{Package, damaged};
use super::xml::{MAX_TEXT, Node, StartTag, Xml};
use super::{MAX_COLUMNS, MAX_TEXT_BYTES, RepeatedRow, Sheets, too_much_text};
use crate::UnreadableFile;
use crate::row::Row;

const CONTENT: &str = "content.xml";
const MANIFEST: &str = "META-INF/manifest.xml";

pub(super) fn read(package: &Package<'_>, sheets: &mut Sheets) -> Result<(), UnreadableFile> {
    if package.has(MANIFEST) && is_encrypted(package)? {
        return Err(damaged(CONTENT, &"it is encrypted"));
    }
    let mut content = package.part(CONTENT)?;
    loop {
        match content.next()? {
            Node::Start(element) if element.name() == "table" => {
                let name = element.attribute("name").unwrap_or_default().into_owned();
                let mut number = 1;
                let mut ended = false;
                sheets.add(&name, || next_row(&mut content, &mut number, &mut ended))?;
                // The rows that were not needed.
                while !ended {
                    next_row(&mut content, &mut number, &mut ended)?;
                }
            }
            Node::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn is_encrypted(package: &Package<'_>) -> Result<bool, UnreadableFile> {
    let mut is_encrypted = false;
    package.part(MANIFEST)?.each_element("encryption-data", |_| is_encrypted = true)?;
    Ok(is_encrypted)
}

/// Returns the next row of a table that is not blank, or nothing at the table's end.
fn next_row<R: BufRead>(
    content: &mut Xml<R>,
    number: &mut u64,
    ended: &mut bool,
) -> Result<Option<RepeatedRow<'static>>, UnreadableFile> {
    loop {
        let times = match content.next()? {
            Node::Start(element) if element.name() == "table-row" => {
                repetitions(&element, "number-rows-repeated")
            }
            Node::End(name) if name.is("table") => {
                *ended = true;
                return Ok(None);
            }
            Node::Eof => return Err(content.ended()),
            _ => continue,
        };
        let row = Row { number: *number, ..cells(content)? };
        *number = number.saturating_add(times);
        if !row.is_blank() {
            return Ok(Some(RepeatedRow { row, times }));
        }
    }
}

fn repetitions(element: &StartTag<'_>, name: &str) -> u64 {
    element.number(name).unwrap_or(1).max(1)
}

/// Reads the cells of a row up to its end.
fn cells<R: BufRead>(content: &mut Xml<R>) -> Result<Row<'static>, UnreadableFile> {
    let mut row = Row::default();
    let mut bytes = 0;
    loop {
        let (times, is_error, value) = match content.next()? {
            Node::Start(element) if matches!(element.name(), "table-cell" | "covered-table-cell") => (
                repetitions(&element, "number-columns-repeated"),
                element.values("value-type").any(|kind| kind == "error"),
                element.attribute("string-value").or_else(|| element.attribute("value")).map(Cow::into_owned),
            ),
            Node::End(name) if name.is("table-row") => return Ok(row),
            Node::Eof => return Err(content.ended()),
            _ => continue,
        };
        // A program that writes no displayed text may write the value alone.
        let text = displayed_text(content)?.or(value).unwrap_or_default();
        let room = MAX_COLUMNS.saturating_sub(row.cells.len());
        let times = usize::try_from(times).unwrap_or(room).min(room);
        bytes += text.len() * times;
        if bytes > MAX_TEXT_BYTES {
            return Err(too_much_text());
        }
        for _ in 0..times {
            if is_error {
                let reason = format!("contains the error {text:?}: expected a value");
                row.unreadable.push((row.cells.len(), reason));
            }
            row.cells.push(Cow::Owned(text.clone()));
        }
    }
}

/// Reads a cell up to its end, and returns the text that it displays: its paragraphs, without notes and drawings.
fn displayed_text<R: BufRead>(content: &mut Xml<R>) -> Result<Option<String>, UnreadableFile> {
    let mut text: Option<String> = None;
    // The names of the open elements do not matter, apart from that of the outermost one.
    let (mut open, mut in_paragraph) = (1u32, false);
    while open > 0 {
        match content.next()? {
            Node::Start(element) => {
                let name = element.name();
                if open == 1 {
                    in_paragraph = name == "p";
                    if in_paragraph && let Some(text) = &mut text {
                        text.push('\n');
                    }
                    if in_paragraph {
                        text.get_or_insert_default();
                    }
                } else if in_paragraph && let Some(text) = &mut text {
                    match name {
                        // Several blanks are written as their number. More than one are white space all the same.
                        "s" if element.number("c").unwrap_or(1) > 1 => text.push_str("  "),
                        "s" => text.push(' '),
                        "tab" => text.push('\t'),
                        "line-break" => text.push('\n'),
                        _ => {}
                    }
                }
                open += 1;
            }
            Node::End(_) => open -= 1,
            Node::Text(piece) if open > 1 && in_paragraph => {
                let text = text.get_or_insert_default();
                if text.len() + piece.len() > MAX_TEXT {
                    return Err(content.too_long());
                }
                text.push_str(&piece);
            }
            Node::Text(_) | Node::Other => {}
            Node::Eof => return Err(content.ended()),
        }
    }
    Ok(text)
}
