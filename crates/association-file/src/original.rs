//! The rows of a table as they are in the file, for the file of failed rows.

use request_file::RequestFile;

/// The rows of a table, stored as JSON Lines: first the header, then each row with its line.
#[derive(Debug)]
pub(crate) struct OriginalRows(Vec<u8>);

impl OriginalRows {
    /// Returns the object that stores the rows of a file. A file of JSON has no rows.
    pub(crate) fn write(file: &RequestFile) -> Option<Vec<u8>> {
        let mut lines = serde_json::to_vec(file.header.as_ref()?).ok()?;
        lines.push(b'\n');
        for record in &file.records {
            // Writing to memory cannot fail.
            let _ = serde_json::to_writer(&mut lines, &(record.line, &record.row));
            lines.push(b'\n');
        }
        Some(lines)
    }

    pub(crate) fn new(object: Vec<u8>) -> Self {
        OriginalRows(object)
    }

    /// Returns the header as a line of CSV, and each row with its line in the file. The rows are read one by one, because
    /// few of a file's rows fail.
    pub(crate) fn read(&self) -> (String, impl Iterator<Item = (u64, String)>) {
        let mut lines = self.0.split(|byte| *byte == b'\n');
        let header = lines.next().and_then(|line| serde_json::from_slice(line).ok()).unwrap_or_default();
        (header, lines.filter_map(|line| serde_json::from_slice(line).ok()))
    }
}
