//! The character that separates the cells of a text file.

use ::csv::{Reader, ReaderBuilder, StringRecord};

use crate::UnreadableFile;
use crate::header::{Header, SEARCHED_ROWS};

/// The separators, each with its plural name for messages.
const SEPARATORS: [(u8, &str); 4] =
    [(b',', "commas"), (b';', "semicolons"), (b'\t', "tabs"), (b'|', "vertical bars")];

/// Text that Excel and other programs read as the separator of the lines after it.
const SEPARATOR_LINE: &str = "sep=";

/// The separator of a text file, and where its rows start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Separator {
    pub(crate) character: u8,
    /// The plural name of the character.
    pub(crate) name: &'static str,
    /// Length in bytes of a `sep=` line with its line end.
    pub(crate) skipped: usize,
}

impl Separator {
    /// Finds the separator of a text. This is the separator in its `sep=` line, or else the separator that makes one of
    /// the first rows a header. A text without a header has commas.
    /// Fails if a `sep=` line has another separator, or if two separators make the same row a header.
    pub(crate) fn of(text: &str) -> Result<Self, UnreadableFile> {
        let first = text.split_inclusive('\n').next().unwrap_or_default();
        if let Some(rest) = separator_line(first) {
            let character = rest.bytes().next().unwrap_or_default();
            let known = SEPARATORS.into_iter().find(|(separator, _)| *separator == character);
            // Saving may have added separators for empty cells.
            if let Some((_, name)) = known.filter(|_| rest.bytes().all(|byte| byte == character)) {
                return Ok(Separator { character, name, skipped: first.len() });
            }
            return Err(UnreadableFile(format!(
                "line 1: unknown separator {rest:?}: expected a comma, a semicolon, a tab or a vertical bar after \
                 \"{SEPARATOR_LINE}\""
            )));
        }
        let mut found: Option<(u64, (u8, &str))> = None;
        for (character, name) in SEPARATORS {
            let Some(start) = header_start(text, character) else { continue };
            match found {
                Some((earlier, (_, other))) if earlier == start => {
                    return Err(UnreadableFile(format!(
                        "both {other} and {name} could separate the cells of the header; add a first line such as \
                         \"{SEPARATOR_LINE};\" to choose one"
                    )));
                }
                Some((earlier, _)) if earlier < start => {}
                _ => found = Some((start, (character, name))),
            }
        }
        let (character, name) = found.map_or(SEPARATORS[0], |(_, separator)| separator);
        Ok(Separator { character, name, skipped: 0 })
    }
}

/// Returns the rest of a line that starts with `sep=`, perhaps in quotes.
fn separator_line(line: &str) -> Option<&str> {
    let line = line.trim_matches(['\r', '\n', ' ']);
    let line = line.strip_prefix('"').map_or(line, |line| line.trim_end_matches('"'));
    let (start, rest) = line.split_at_checked(SEPARATOR_LINE.len())?;
    start.eq_ignore_ascii_case(SEPARATOR_LINE).then_some(rest)
}

/// Returns a reader of the rows of a text.
pub(crate) fn reader(text: &str, separator: u8) -> Reader<&[u8]> {
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes())
}

/// Returns the offset of the first header, if one of the first rows is a header with this separator.
fn header_start(text: &str, separator: u8) -> Option<u64> {
    let mut reader = reader(text, separator);
    let mut row = StringRecord::new();
    let mut rows = 0;
    while rows < SEARCHED_ROWS && reader.read_record(&mut row).ok()? {
        if row.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if Header::is_header(&row) {
            return row.position().map(::csv::Position::byte);
        }
        rows += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_shows_the_separator() {
        for (text, expected) in [
            ("queueId,emailAddressId\n", b','),
            ("queueId;emailAddressId\n", b';'),
            ("\"Queue Name\"\t\"E-Mail-Address\"\n", b'\t'),
            ("queueName|emailAddress\n", b'|'),
            // A title with commas, and a semicolon within a name.
            ("Brands, EMEA, 2026\nqueue_name;email_address;a,b\n", b';'),
            ("note;x,queueId,emailAddressId\n", b','),
            ("name\n", b','),
        ] {
            let separator = Separator::of(text).unwrap();
            assert_eq!((separator.character, separator.skipped), (expected, 0), "{text}");
        }
    }

    #[test]
    fn separator_line_decides() {
        for (line, character) in
            [("sep=;\r\n", b';'), ("SEP=|\n", b'|'), ("\"sep=,\"\n", b','), ("sep=\t\n", b'\t')]
        {
            let text = format!("{line}queueId,emailAddressId\n");
            let separator = Separator::of(&text).unwrap();
            assert_eq!((separator.character, separator.skipped), (character, line.len()), "{line:?}");
        }
    }
}
