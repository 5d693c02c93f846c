//! A file in the bucket: its form, by its ending, and the requests in it.

use queue_email_associator::payload::Json;
use request_file::{Record, Unusable};

use crate::error::FileError;

/// The largest file, in bytes: 32 MiB. The function holds the whole file in memory. A file of this size needs less than
/// 1 GB.
pub const MAX_FILE_BYTES: usize = 32 << 20;

/// The most pairs that a file may ask for, repetitions included.
pub const MAX_PAIRS: usize = 250_000;

/// The folder that files are put into. The rest of the key is the name that results go under.
const INCOMING: &str = "incoming/";

/// The folder for files that are only checked. Their results keep the folder in their name.
const CHECK: &str = "check/";

/// The endings of a key, and the way in which such a file is read.
type Reading = fn(&str) -> Result<Vec<Record>, Unusable>;
const ENDINGS: [(&str, Reading); 3] = [
    (".csv", request_file::csv),
    (".jsonl", request_file::json_lines),
    (".ndjson", request_file::json_lines),
];

/// The records of a file.
///
/// # Errors
/// [`FileError::InvalidFile`], with the value found, its place, and the accepted values.
pub(crate) fn records(key: &str, bytes: &[u8]) -> Result<Vec<Record>, FileError> {
    let invalid = |problem: &dyn std::fmt::Display| FileError::InvalidFile(format!("{key}: {problem}"));
    let Some((_, read)) = ENDINGS.into_iter().find(|(ending, _)| has_ending(key, ending)) else {
        return Err(invalid(&"the extension is not known; accepted are .csv, .jsonl and .ndjson"));
    };
    let text = request_file::text(bytes).map_err(|problem| invalid(&problem))?;
    if text.trim().is_empty() {
        return Err(invalid(&"the file is empty; accepted are CSV and JSON lines"));
    }
    let records = read(text).map_err(|problem| invalid(&problem))?;
    if records.is_empty() {
        Err(invalid(&"the file has a header and no rows; one row for each pair is expected"))
    } else {
        Ok(records)
    }
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
    let ending = ENDINGS.into_iter().find(|(ending, _)| has_ending(name, ending));
    ending.map_or(name, |(ending, _)| &name[..name.len() - ending.len()])
}

/// Whether a file is only checked: nothing is associated for it.
pub(crate) fn is_checked(key: &str) -> bool {
    key.starts_with(CHECK)
}

fn has_ending(key: &str, ending: &str) -> bool {
    key.len()
        .checked_sub(ending.len())
        .and_then(|at| key.get(at..))
        .is_some_and(|end| end.eq_ignore_ascii_case(ending))
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
    fn unusable_file_gives_a_reason() {
        let table: [(&str, &[u8], &str); 5] = [
            ("f.xlsx", b"x", "f.xlsx: the extension is not known; accepted are .csv, .jsonl and .ndjson"),
            ("f.csv", b"\n\n", "f.csv: the file is empty; accepted are CSV and JSON lines"),
            (
                "f.csv",
                b"queueId,emailAddressId\n",
                "f.csv: the file has a header and no rows; one row for each pair is expected",
            ),
            (
                "f.csv",
                b"queueId\n\xff",
                "f.csv: line 2 is not UTF-8 text: it holds the byte ff; save it as UTF-8 (in Excel: Save As, \"CSV UTF-8 (Comma delimited)\")",
            ),
            (
                "f.jsonl",
                b"{\n",
                "f.jsonl: line 1, column 1: not valid JSON: the document ends too early; one association request a line is accepted",
            ),
        ];
        for (key, bytes, message) in table {
            assert_eq!(records(key, bytes), Err(FileError::InvalidFile(message.to_owned())));
        }
    }
}
