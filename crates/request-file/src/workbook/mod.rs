//! Reads workbooks: Office Open XML (`.xlsx`) and OpenDocument (`.ods`).
//!
//! A small workbook can declare or unpack to any size. Parts are therefore read as streams, row by row, and everything
//! that is stored is bounded: the unpacked bytes, the text of cells, and the number of records. General readers of
//! spreadsheets are not used, because they build whole sheets and reserve the memory that a file declares.

mod archive;
mod number;
mod ods;
mod package;
mod strings;
mod xlsx;
mod xml;

use crate::header::{EXPECTED, SEARCHED_ROWS};
use crate::row::Row;
use crate::table::Table;
use crate::{RequestFile, UnreadableFile};
use package::{MAX_UNPACKED_BYTES, Package};

/// Maximum number of columns of a sheet that are read. Columns after them are ignored.
const MAX_COLUMNS: usize = 1_000;

/// Maximum number of bytes of text in the cells of a sheet, repetitions included.
const MAX_TEXT_BYTES: usize = 64 << 20;

/// Reads the pairs of a workbook: the rows of the only sheet with a header. Fails if the file is not a workbook, is damaged,
/// has a password, or unpacks to more than [`MAX_UNPACKED_BYTES`].
pub(crate) fn read(bytes: &[u8]) -> Result<RequestFile, UnreadableFile> {
    read_within(bytes, MAX_UNPACKED_BYTES)
}

fn read_within(bytes: &[u8], limit: u64) -> Result<RequestFile, UnreadableFile> {
    let package = Package::open(bytes, limit)?;
    let mut sheets = Sheets::default();
    if package.has("content.xml") {
        ods::read(&package, &mut sheets)?;
    } else {
        xlsx::read(&package, &mut sheets)?;
    }
    sheets.finish()
}

/// The sheets of a workbook, as they are read.
#[derive(Default)]
struct Sheets {
    without_header: Vec<String>,
    with_header: Vec<String>,
    content: Option<Result<RequestFile, UnreadableFile>>,
}

impl Sheets {
    /// Reads the rows of a sheet up to its header, and the rows after it if no earlier sheet had a header. A sheet that
    /// cannot be used is not an error yet, because another one may be the only one with a header.
    fn add<'r>(
        &mut self,
        name: &str,
        mut next: impl FnMut() -> Result<Option<RepeatedRow<'r>>, UnreadableFile>,
    ) -> Result<(), UnreadableFile> {
        let mut table = Table::new("row", None);
        let mut text = 0;
        while let Some(RepeatedRow { mut row, times }) = next()? {
            for _ in 0..if row.is_blank() { 0 } else { times } {
                text += row.cells().map(str::len).sum::<usize>();
                let added = if text > MAX_TEXT_BYTES { Err(too_much_text()) } else { table.add(&row) };
                match added {
                    Err(_) if table.lacks_header() => self.without_header.push(name.to_owned()),
                    Err(problem) => self.add_content(name, Err(problem)),
                    Ok(()) if table.header().is_some() && self.content.is_some() => {
                        self.with_header.push(name.to_owned());
                    }
                    Ok(()) => {
                        row.number += 1;
                        continue;
                    }
                }
                return Ok(());
            }
        }
        match table.finish() {
            Ok(content) => self.add_content(name, Ok(content)),
            Err(_) => self.without_header.push(name.to_owned()),
        }
        Ok(())
    }

    fn add_content(&mut self, name: &str, content: Result<RequestFile, UnreadableFile>) {
        self.with_header.push(name.to_owned());
        self.content.get_or_insert(content);
    }

    fn finish(self) -> Result<RequestFile, UnreadableFile> {
        match (self.content, self.with_header.as_slice()) {
            (Some(content), [sheet]) => {
                content.map_err(|problem| UnreadableFile(format!("sheet {sheet:?}, {problem}")))
            }
            (Some(_), names) => Err(UnreadableFile(format!(
                "the sheets {} have a header: expected one; delete the other sheets or their headers",
                quoted_names(names)
            ))),
            (None, _) => Err(UnreadableFile(format!(
                "no sheet has a header in its first {SEARCHED_ROWS} rows (the workbook has {}): {EXPECTED}",
                quoted_names(&self.without_header)
            ))),
        }
    }
}

/// A row that a sheet contains the given number of times in succession.
struct RepeatedRow<'r> {
    row: Row<'r>,
    times: u64,
}

fn too_much_text() -> UnreadableFile {
    UnreadableFile(format!(
        "the cells have more than {MAX_TEXT_BYTES} bytes of text: expected less; split the file"
    ))
}

fn quoted_names(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("{name:?}")).collect();
    if names.len() > SHOWN {
        shown.push(format!("and {} more", names.len() - SHOWN));
    }
    if shown.is_empty() { "no sheet".to_owned() } else { shown.join(", ") }
}

#[cfg(test)]
mod tests;
