//! Collects the lines that grouping writes.

/// Maximum length of a line in bytes. A batch of the map has at most 12,000 bytes, and its own fields need some of
/// them.
pub const MAX_LINE_BYTES: usize = 11_000;

/// JSON lines and their count.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) text: String,
    pub(super) count: usize,
}

impl Lines {
    pub(super) fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        self.count += 1;
    }
}
