//! Line numbers of places in a text.

/// Counts lines up to places in a text, each after the one before. Lines end in a line feed.
pub(crate) struct Places<'a> {
    text: &'a [u8],
    offset: usize,
    line: u64,
}

impl<'a> Places<'a> {
    /// Starts at the first character of a text, which is on a line of the file.
    pub(crate) fn new(text: &'a str, line: u64) -> Self {
        Places { text: text.as_bytes(), offset: 0, line }
    }

    /// Returns the line of an offset, which is not before that of the last call.
    pub(crate) fn line_at(&mut self, offset: usize) -> u64 {
        let passed = self.text.get(self.offset..offset).unwrap_or_default();
        self.line += line_feeds(passed);
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
