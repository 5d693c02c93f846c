//! Splits a text into lines and counts them as an editor does.
//!
//! Most files end lines with a line feed, perhaps after a carriage return. Old programs for the Mac end them with a
//! carriage return alone. Editors disagree about the line numbers of a file with both.

use std::borrow::Cow;

use crate::UnreadableFile;

/// Counts the lines up to offsets in a text, each after the one before. Lines end in a line feed.
pub(crate) struct LineCounter<'a> {
    text: &'a [u8],
    offset: usize,
    line: u64,
}

impl<'a> LineCounter<'a> {
    /// Starts at the first character of a text, which is on the given line of the file.
    pub(crate) fn new(text: &'a str, line: u64) -> Self {
        LineCounter { text: text.as_bytes(), offset: 0, line }
    }

    /// Returns the line of an offset, which is not before that of the last call.
    pub(crate) fn line_at(&mut self, offset: usize) -> u64 {
        self.line += line_feeds(self.text.get(self.offset..offset).unwrap_or_default());
        self.offset = self.offset.max(offset);
        self.line
    }

    /// Returns the line of the first character at or after an offset that does not end a line.
    pub(crate) fn line_after_ends(&mut self, mut offset: usize) -> u64 {
        while matches!(self.text.get(offset), Some(b'\r' | b'\n')) {
            offset += 1;
        }
        self.line_at(offset)
    }
}

/// Returns the line of an offset, from 1.
pub(crate) fn line_at(text: &[u8], offset: usize) -> u64 {
    1 + line_feeds(text.get(..offset).unwrap_or(text))
}

fn line_feeds(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Returns a text of the same length in bytes whose lines all end in line feeds. Fails if a line ends in a lone carriage
/// return while others end in line feeds.
pub(crate) fn with_line_feeds(text: &str) -> Result<Cow<'_, str>, UnreadableFile> {
    let bytes = text.as_bytes();
    let is_lone = |at: &usize| bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    let Some(lone) = (0..bytes.len()).find(is_lone) else { return Ok(Cow::Borrowed(text)) };
    if !bytes.contains(&b'\n') {
        return Ok(Cow::Owned(text.replace('\r', "\n")));
    }
    Err(UnreadableFile(format!(
        "line {} has a carriage return (CR) without a line feed (LF), but other lines end in line feeds: expected one kind \
         of line ending; save the file again in an editor",
        line_at(bytes, lone)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_kind_of_line_end_is_accepted() {
        for (text, expected) in [
            ("a\nb\n", Ok("a\nb\n")),
            ("a\r\nb\nc\r\n", Ok("a\r\nb\nc\r\n")),
            ("a\r\rb\r", Ok("a\n\nb\n")),
            ("", Ok("")),
            ("a\nb\rc\n", Err("line 2 has a carriage return (CR)")),
            ("a\r\r\nb\n", Err("line 1 has a carriage return (CR)")),
            ("a\n\"b\rb\"\n", Err("line 2 has a carriage return (CR)")),
        ] {
            match (with_line_feeds(text), expected) {
                (Ok(read), Ok(expected)) => assert_eq!(read, expected),
                (Err(problem), Err(start)) => assert!(problem.to_string().starts_with(start), "{problem}"),
                (result, _) => panic!("{text:?} is {result:?}"),
            }
        }
    }
}
