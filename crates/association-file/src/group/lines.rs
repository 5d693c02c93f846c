//! The lines that grouping writes.

/// The longest line, in bytes. A batch of the map holds 12,000, and has some bytes of its own.
pub const MAX_LINE_BYTES: usize = 11_000;

/// Lines, and how many they are.
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
