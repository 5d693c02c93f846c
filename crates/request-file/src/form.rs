//! The form of a file, by the ending of its name.

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `.xlsx` or `.ods`: one pair per row of the only sheet with a known header.
    Workbook,
    /// `.csv`, `.tsv` or `.txt`: one pair per row, under a header. The cells are separated by commas, semicolons, tabs
    /// or vertical bars.
    Delimited,
    /// `.jsonl` or `.ndjson`: one association request per line.
    JsonLines,
    /// `.json`: one association request, or an array of them.
    Json,
}

impl Form {
    /// The endings of file names, for messages.
    pub const ENDINGS: &'static str = ".xlsx, .ods, .csv, .tsv, .txt, .jsonl, .ndjson or .json";

    /// Returns the form of a file by the ending of its name, regardless of case.
    pub fn of_name(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "xlsx" | "ods" => Some(Form::Workbook),
            "csv" | "tsv" | "txt" => Some(Form::Delimited),
            "jsonl" | "ndjson" => Some(Form::JsonLines),
            "json" => Some(Form::Json),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ending_decides() {
        for (name, form) in [
            ("a.xlsx", Some(Form::Workbook)),
            ("a.ODS", Some(Form::Workbook)),
            ("a.xls", None),
            ("a.csv", Some(Form::Delimited)),
            ("dir.json/a.b.TSV", Some(Form::Delimited)),
            ("a.txt", Some(Form::Delimited)),
            ("a.JSONL", Some(Form::JsonLines)),
            ("a.ndjson", Some(Form::JsonLines)),
            ("a.json", Some(Form::Json)),
            ("dir.csv/a", None),
            ("csv", None),
        ] {
            assert_eq!(Form::of_name(name), form, "{name}");
        }
    }
}
