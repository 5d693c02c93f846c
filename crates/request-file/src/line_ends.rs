//! Splits a file into lines as an editor does.
//!
//! Most files end lines with a line feed, perhaps after a carriage return. Old programs for the Mac end them with a
//! carriage return alone. Editors disagree about the line numbers of a file with both.

use std::borrow::Cow;

use crate::UnreadableFile;
use crate::places::line_at;

/// Returns a text of the same length in bytes whose lines all end in line feeds.
///
/// # Errors
/// A line ends in a lone carriage return while others end in line feeds.
pub(crate) fn with_line_feeds(text: &str) -> Result<Cow<'_, str>, UnreadableFile> {
    let bytes = text.as_bytes();
    let is_lone = |at: &usize| bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    let Some(lone) = (0..bytes.len()).find(is_lone) else { return Ok(Cow::Borrowed(text)) };
    if !bytes.contains(&b'\n') {
        return Ok(Cow::Owned(text.replace('\r', "\n")));
    }
    Err(UnreadableFile(format!(
        "line {} has a carriage return (CR) without a line feed (LF), but other lines end in line feeds: expected one kind \
         of line end; save the file again with an editor",
        line_at(bytes, lone)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_kind_of_line_end_is_accepted() {
        for (text, expected) in [
            ("a\nb\n", "a\nb\n"),
            ("a\r\nb\nc\r\n", "a\r\nb\nc\r\n"),
            ("a\rb\r", "a\nb\n"),
            ("a\r\rb", "a\n\nb"),
            ("", ""),
        ] {
            assert_eq!(with_line_feeds(text).unwrap(), expected);
        }
    }

    #[test]
    fn a_lone_carriage_return_among_line_feeds_is_refused() {
        for (text, line) in [("a\nb\rc\n", 2), ("a\r\r\nb\n", 1), ("a\n\"b\rb\"\n", 2), ("a\nb\r", 2)] {
            let problem = with_line_feeds(text).unwrap_err().to_string();
            assert!(problem.starts_with(&format!("line {line} has a carriage return (CR)")), "{problem}");
        }
    }
}
