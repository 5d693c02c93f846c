//! Reads the sheets of an Office Open XML workbook (ECMA-376, part 1, 18).

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::BufRead;

use super::number::NumberFormat;
use super::package::{Package, damaged};
use super::strings::{SharedStrings, decoded};
use super::xml::{Node, StartTag, Xml};
use super::{MAX_COLUMNS, RepeatedRow, Sheets};
use crate::UnreadableFile;
use crate::row::Row;

pub(super) fn read(package: &Package<'_>, sheets: &mut Sheets) -> Result<(), UnreadableFile> {
    let main = path(&relationships(package, "")?, "officeDocument");
    let main = main.ok_or_else(|| damaged("_rels/.rels", &"it does not refer to a workbook"))?;
    let relationships = relationships(package, &main)?;
    let strings = match path(&relationships, "sharedStrings") {
        Some(part) => SharedStrings::read(&mut package.part(&part)?)?,
        None => SharedStrings::default(),
    };
    let formats = match path(&relationships, "styles") {
        Some(part) => formats(&mut package.part(&part)?)?,
        None => Vec::new(),
    };
    let mut sheet_names = Vec::new();
    package.part(&main)?.each_element("sheet", |tag| {
        let value = |name| tag.attribute(name).unwrap_or_default().into_owned();
        sheet_names.push((value("name"), value("id")));
    })?;
    for (name, id) in sheet_names {
        // A sheet may also be a chart.
        let Some((_, part)) = relationships.get(&id).filter(|(kind, _)| kind == "worksheet") else {
            continue;
        };
        let mut sheet =
            Worksheet { xml: package.part(part)?, strings: &strings, formats: &formats, number: 0 };
        sheets.add(&name, || sheet.next_row())?;
    }
    Ok(())
}

/// The parts that a part refers to: for each identifier the kind and the path.
type Relationships = HashMap<String, (String, String)>;

/// Reads the relationships of a part, or of the package.
fn relationships(package: &Package<'_>, part: &str) -> Result<Relationships, UnreadableFile> {
    let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let mut relationships = HashMap::new();
    package.part(&format!("{prefix}_rels/{file}.rels"))?.each_element("Relationship", |tag| {
        let value = |name| tag.attribute(name).unwrap_or_default().into_owned();
        let kind = value("Type").rsplit('/').next().unwrap_or_default().to_owned();
        relationships.insert(value("Id"), (kind, resolved(folder, &value("Target"))));
    })?;
    Ok(relationships)
}

/// Returns the path of the part of a kind.
fn path(relationships: &Relationships, kind: &str) -> Option<String> {
    relationships.values().find(|(of, _)| of == kind).map(|(_, path)| path.clone())
}

/// Returns the path that a target means for a part in a folder.
fn resolved(folder: &str, target: &str) -> String {
    let mut path: Vec<&str> = if target.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(path.pop()),
            step => path.push(step),
        }
    }
    path.retain(|step| !step.is_empty());
    path.join("/")
}

/// Returns the number format of each style of a cell.
fn formats<R: BufRead>(xml: &mut Xml<R>) -> Result<Vec<NumberFormat>, UnreadableFile> {
    let mut own: HashMap<u64, NumberFormat> = HashMap::new();
    let mut formats = Vec::new();
    let mut in_cells = false;
    loop {
        match xml.next()? {
            Node::Start(element) => match element.name() {
                "numFmt" => {
                    let code = element.attribute("formatCode").unwrap_or_default();
                    own.insert(element.number("numFmtId").unwrap_or_default(), NumberFormat::of_code(&code));
                }
                "cellXfs" => in_cells = true,
                "xf" if in_cells => {
                    let id = element.number("numFmtId").unwrap_or_default();
                    formats.push(own.get(&id).cloned().unwrap_or_else(|| NumberFormat::built_in(id)));
                }
                _ => {}
            },
            Node::End(name) if name.is("cellXfs") => return Ok(formats),
            Node::Eof => return Ok(formats),
            _ => {}
        }
    }
}

/// A worksheet, read row by row.
struct Worksheet<'s, R> {
    xml: Xml<R>,
    strings: &'s SharedStrings,
    formats: &'s [NumberFormat],
    /// The number of the last row.
    number: u64,
}

impl<'s, R: BufRead> Worksheet<'s, R> {
    fn next_row(&mut self) -> Result<Option<RepeatedRow<'s>>, UnreadableFile> {
        loop {
            match self.xml.next()? {
                Node::Start(element) if element.name() == "row" => {
                    self.number = element.number("r").unwrap_or_else(|| self.number.saturating_add(1));
                    let mut row = self.cells()?;
                    row.number = self.number;
                    return Ok(Some(RepeatedRow { row, times: 1 }));
                }
                Node::Eof => return Ok(None),
                _ => {}
            }
        }
    }

    /// Reads the cells of a row up to its end.
    fn cells(&mut self) -> Result<Row<'s>, UnreadableFile> {
        let mut row = Row::default();
        loop {
            let attributes = match self.xml.next()? {
                Node::Start(element) if element.name() == "c" => CellAttributes::of(&element),
                Node::End(name) if name.is("row") => return Ok(row),
                Node::Eof => return Err(self.xml.ended()),
                _ => continue,
            };
            let column = attributes.column.unwrap_or(row.cells.len());
            let content = self.content()?;
            if column >= MAX_COLUMNS {
                continue;
            }
            if column >= row.cells.len() {
                row.cells.resize(column + 1, Cow::Borrowed(""));
            }
            row.cells[column] = self.text(content, &attributes).unwrap_or_else(|(text, reason)| {
                row.unreadable.push((column, reason));
                Cow::Owned(text)
            });
        }
    }

    /// Reads a cell up to its end, and returns its value, or its inline text.
    fn content(&mut self) -> Result<String, UnreadableFile> {
        let mut content = String::new();
        loop {
            let ignored = match self.xml.next()? {
                // A formula has its last value after it.
                Node::Start(element) => match element.name() {
                    "v" => "",
                    "is" => "rPh",
                    _ => {
                        self.xml.text("")?;
                        continue;
                    }
                },
                Node::End(name) if name.is("c") => return Ok(content),
                Node::Eof => return Err(self.xml.ended()),
                _ => continue,
            };
            content = self.xml.text(ignored)?;
        }
    }

    /// Returns the text of a cell, or what the cell contains and the reason why that is not a text.
    fn text(&self, content: String, attributes: &CellAttributes) -> Result<Cow<'s, str>, (String, String)> {
        match attributes.kind.as_str() {
            "s" => {
                let text = content.trim().parse().ok().and_then(|index| self.strings.get(index));
                text.map(Cow::Borrowed).ok_or_else(|| {
                    (
                        content,
                        "refers to a text that the workbook does not contain: expected a text".to_owned(),
                    )
                })
            }
            "str" | "inlineStr" => Ok(Cow::Owned(decoded(content))),
            "b" => Ok(Cow::Borrowed(if content.trim() == "1" { "TRUE" } else { "FALSE" })),
            "e" => {
                let reason = format!("contains the error {:?}: expected a value", content.trim());
                Err((content, reason))
            }
            _ if content.trim().is_empty() => Ok(Cow::Borrowed("")),
            "d" => NumberFormat::Other.display(&content).map(Cow::Owned).map_err(|reason| (content, reason)),
            _ => {
                let format = self.formats.get(attributes.style).unwrap_or(&NumberFormat::Plain);
                format.display(&content).map(Cow::Owned).map_err(|reason| (content, reason))
            }
        }
    }
}

struct CellAttributes {
    /// From 0.
    column: Option<usize>,
    style: usize,
    kind: String,
}

impl CellAttributes {
    fn of(element: &StartTag<'_>) -> Self {
        CellAttributes {
            column: element.attribute("r").and_then(|cell| column_of(&cell)),
            style: element.number("s").and_then(|style| usize::try_from(style).ok()).unwrap_or_default(),
            kind: element.attribute("t").unwrap_or_default().into_owned(),
        }
    }
}

/// Returns the column of a cell such as `AB12`, from 0.
fn column_of(cell: &str) -> Option<usize> {
    let letters = cell.bytes().take_while(u8::is_ascii_alphabetic);
    let mut column = 0usize;
    for letter in letters {
        let digit = usize::from(letter.to_ascii_uppercase() - b'A') + 1;
        column = column.saturating_mul(26).saturating_add(digit);
    }
    column.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_is_written_in_letters() {
        for (cell, column) in
            [("A1", Some(0)), ("Z9", Some(25)), ("AA1", Some(26)), ("xfd1048576", Some(16_383)), ("7", None)]
        {
            assert_eq!(column_of(cell), column, "{cell}");
        }
        assert!(column_of(&"Z".repeat(100)).is_some());
    }

    #[test]
    fn target_is_relative_to_the_folder() {
        for (folder, target, path) in [
            ("xl", "worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("xl", "/xl/worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("xl", "../xl/./styles.xml", "xl/styles.xml"),
            ("", "xl/workbook.xml", "xl/workbook.xml"),
        ] {
            assert_eq!(resolved(folder, target), path);
        }
    }
}
