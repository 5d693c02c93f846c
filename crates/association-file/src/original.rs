//! The rows of a table as they are in the file, for the file of failed rows.

use std::collections::HashMap;

use request_file::RequestFile;

/// The rows of a table, stored as JSON Lines: first the header, then each row with its line.
#[derive(Debug)]
pub(crate) struct OriginalRows {
    /// The header, as a line of CSV.
    pub(crate) header: String,
    /// For each line of the file, the row as a line of CSV.
    pub(crate) rows: HashMap<u64, String>,
}

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

    /// Reads the object.
    pub(crate) fn read(object: &[u8]) -> Result<Self, serde_json::Error> {
        let mut lines = object.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let header = serde_json::from_slice(lines.next().unwrap_or_default())?;
        let rows = lines.map(serde_json::from_slice).collect::<Result<_, _>>()?;
        Ok(OriginalRows { header, rows })
    }
}
