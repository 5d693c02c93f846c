//! The format of a file, by the ending of its name.

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// `.xlsx` or `.ods`: one pair per row of the only sheet with a header.
    Workbook,
    /// `.csv`, `.tsv` or `.txt`: one pair per row, under a header. The cells are separated by commas, semicolons, tabs
    /// or vertical bars.
    Delimited,
    /// `.jsonl` or `.ndjson`: one association request per line.
    JsonLines,
    /// `.json`: one association request, or an array of them.
    Json,
}

impl FileFormat {
    /// The endings of file names, for messages.
    pub const ENDINGS: &'static str = ".xlsx, .ods, .csv, .tsv, .txt, .jsonl, .ndjson or .json";

    /// Returns the format of a file by the ending of its name, regardless of case.
    pub fn of_name(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "xlsx" | "ods" => Some(FileFormat::Workbook),
            "csv" | "tsv" | "txt" => Some(FileFormat::Delimited),
            "jsonl" | "ndjson" => Some(FileFormat::JsonLines),
            "json" => Some(FileFormat::Json),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ending_decides() {
        for (name, format) in [
            ("a.xlsx", Some(FileFormat::Workbook)),
            ("a.ODS", Some(FileFormat::Workbook)),
            ("a.xls", None),
            ("a.csv", Some(FileFormat::Delimited)),
            ("dir.json/a.b.TSV", Some(FileFormat::Delimited)),
            ("a.txt", Some(FileFormat::Delimited)),
            ("a.JSONL", Some(FileFormat::JsonLines)),
            ("a.ndjson", Some(FileFormat::JsonLines)),
            ("a.json", Some(FileFormat::Json)),
            ("dir.csv/a", None),
            ("csv", None),
        ] {
            assert_eq!(FileFormat::of_name(name), format, "{name}");
        }
    }
}
