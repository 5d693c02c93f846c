//! Decides what an object in the bucket is by its key, and reads the requests in it.

use queue_email_associator::payload::Json;
use request_file::{Form, RequestFile};

use crate::error::FileError;
use crate::text::shortened;

/// The folder for files. The names of results contain the rest of the key. For files under `check/`, they contain that
/// folder too.
const INCOMING: &str = "incoming/";

/// Names of objects that are not meant as files: a folder's settings, the lock of an open document, an unfinished
/// upload.
const DEBRIS_NAMES: [&str; 2] = [".ds_store", "thumbs.db"];
const DEBRIS_STARTS: [&str; 3] = ["._", "~$", ".~lock."];
const DEBRIS_ENDINGS: [&str; 4] = [".tmp", ".part", ".filepart", ".crdownload"];

/// Maximum length of a key, in bytes (Amazon S3 User Guide, "Naming Amazon S3 objects").
const MAX_KEY: usize = 1_024;

/// Maximum length of a name in a folder of results.
const LONGEST_RESULT: &str = "/already-associated.csv";

/// Reads a file. The extension of the key determines the format.
///
/// # Errors
/// [`FileError::InvalidFile`], with what is wrong and what is expected.
pub(crate) fn read(key: &str, bytes: &[u8]) -> Result<RequestFile, FileError> {
    let invalid = |problem: &dyn std::fmt::Display| FileError::InvalidFile(format!("{key}: {problem}"));
    let Some(form) = Form::of_name(key) else {
        return Err(invalid(&format_args!(
            "unknown kind of file: expected {}; save the list of pairs as one of them and upload it",
            Form::ENDINGS
        )));
    };
    request_file::read(bytes, form).map_err(|problem| invalid(&problem))
}

/// Returns whether the object with this key is not meant as a file of pairs.
pub(crate) fn is_debris(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or(key).to_ascii_lowercase();
    name.is_empty()
        || DEBRIS_NAMES.contains(&&*name)
        || DEBRIS_STARTS.iter().any(|start| name.starts_with(start))
        || DEBRIS_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Parses the requests of records, which were parsed when the file was read.
///
/// # Errors
/// [`FileError::InvalidFile`]: a record is not JSON.
pub(crate) fn requests<'r>(records: impl Iterator<Item = &'r str>) -> Result<Vec<Json<'r>>, FileError> {
    let invalid = |error| FileError::InvalidFile(format!("a request is not valid JSON: {error}"));
    records.map(|json| Json::parse(json).map_err(invalid)).collect()
}

/// Returns the folder for the results of an execution. The name of a file is cut if the keys would be too long.
pub(crate) fn results_folder(key: &str, execution: &str) -> String {
    let others = "results//…".len() + execution.len() + LONGEST_RESULT.len();
    let name = shortened(name(key).to_owned(), MAX_KEY.saturating_sub(others));
    format!("results/{name}/{execution}")
}

/// Returns the name for the results of a file: its key without the folder and the ending.
fn name(key: &str) -> &str {
    let name = key.strip_prefix(INCOMING).unwrap_or(key);
    match name.rsplit_once('.') {
        Some((stem, _)) if Form::of_name(name).is_some() => stem,
        _ => name,
    }
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
    fn debris_is_not_a_file() {
        for key in [
            "incoming/",
            "incoming/dir/",
            "incoming/.DS_Store",
            "check/dir/._pairs.csv",
            "incoming/~$pairs.xlsx",
            "incoming/.~lock.pairs.ods#",
            "incoming/Thumbs.db",
            "incoming/pairs.csv.tmp",
            "incoming/pairs.csv.PART",
            "incoming/pairs.csv.filepart",
            "incoming/pairs.xlsx.crdownload",
        ] {
            assert!(is_debris(key), "{key}");
        }
        for key in [
            "incoming/pairs.csv",
            "incoming/pairs",
            "incoming/party.csv",
            "incoming/.~dir/pairs.csv",
            "a.pdf",
        ] {
            assert!(!is_debris(key), "{key}");
        }
    }

    #[test]
    fn keys_of_results_are_not_too_long() {
        assert_eq!(results_folder("incoming/dir/a.csv", "run"), "results/dir/a/run");
        for execution in ["x".repeat(80), "x".to_owned()] {
            let key = format!("incoming/{}.csv", "ü".repeat(504));
            assert_eq!(key.len(), 1_021);
            let folder = results_folder(&key, &execution);
            assert!(folder.len() + LONGEST_RESULT.len() <= MAX_KEY, "{}", folder.len());
            assert!(folder.ends_with(&format!("…/{execution}")), "{folder}");
        }
    }

    #[test]
    fn unusable_file_has_a_reason() {
        let table: [(&str, &[u8], &str); 3] = [
            (
                "f.pdf",
                b"x",
                "f.pdf: unknown kind of file: expected .xlsx, .ods, .csv, .tsv, .txt, .jsonl, .ndjson or .json; save the list of pairs as one of them and upload it",
            ),
            ("f.csv", b"\n\n", "f.csv: the file is empty"),
            ("f.csv", b"queueId,emailAddressId\n", "f.csv: the file has no pairs: expected at least one"),
        ];
        for (key, bytes, message) in table {
            assert_eq!(read(key, bytes), Err(FileError::InvalidFile(message.to_owned())));
        }
    }
}
