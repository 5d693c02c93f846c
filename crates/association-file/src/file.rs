//! A file in the bucket: its form, by its ending, and the requests in it.

use queue_email_associator::payload::Json;
use request_file::{Form, Record};

use crate::error::FileError;

/// The folder that files are put into. The rest of the key is the name that results go under.
const INCOMING: &str = "incoming/";

/// The folder for files that are only checked. Their results keep the folder in their name.
const CHECK: &str = "check/";

/// The records of a file.
///
/// # Errors
/// [`FileError::InvalidFile`], with the value found, its place, and the expected values.
pub(crate) fn records(key: &str, bytes: &[u8]) -> Result<Vec<Record>, FileError> {
    let invalid = |problem: &dyn std::fmt::Display| FileError::InvalidFile(format!("{key}: {problem}"));
    let Some(form) = Form::of_name(key) else {
        return Err(invalid(&format_args!("unknown kind of file: expected {}", Form::ENDINGS)));
    };
    request_file::read(bytes, form).map(|file| file.records).map_err(|problem| invalid(&problem))
}

/// The requests of records, which stand in them.
///
/// # Errors
/// [`FileError::InvalidFile`]: a record that is not JSON, which reading the file has met before.
pub(crate) fn requests<'r>(key: &str, records: &'r [Record]) -> Result<Vec<Json<'r>>, FileError> {
    let request = |record: &'r Record| {
        Json::parse(&record.json).map_err(|error| {
            FileError::InvalidFile(format!("{key}: line {} is not valid JSON: {error}", record.line))
        })
    };
    records.iter().map(request).collect()
}

/// The name that results of a file go under: its key without the folder and the ending.
pub(crate) fn name(key: &str) -> &str {
    let name = key.strip_prefix(INCOMING).unwrap_or(key);
    match name.rsplit_once('.') {
        Some((stem, _)) if Form::of_name(name).is_some() => stem,
        _ => name,
    }
}

/// Whether a file is only checked: nothing is associated for it.
pub(crate) fn is_checked(key: &str) -> bool {
    key.starts_with(CHECK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_named_after_the_file() {
        for (key, expected) in [
            ("incoming/a/b.csv", "a/b"),
            ("incoming/a.CSV", "a"),
            ("incoming/a.jsonl", "a"),
            ("elsewhere/ä.ndjson", "elsewhere/ä"),
            ("incoming/ä", "ä"),
            ("check/a.csv", "check/a"),
        ] {
            assert_eq!(name(key), expected);
        }
    }

    #[test]
    fn unusable_file_has_a_reason() {
        let table: [(&str, &[u8], &str); 3] = [
            (
                "f.pdf",
                b"x",
                "f.pdf: unknown kind of file: expected .xlsx, .ods, .csv, .tsv, .txt, .jsonl, .ndjson or .json",
            ),
            ("f.csv", b"\n\n", "f.csv: the file is empty"),
            ("f.csv", b"queueId,emailAddressId\n", "f.csv: the file has no pairs: expected at least one"),
        ];
        for (key, bytes, message) in table {
            assert_eq!(records(key, bytes), Err(FileError::InvalidFile(message.to_owned())));
        }
    }
}
