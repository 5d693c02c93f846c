//! Decides what an object in the bucket is by its key, and reads the requests in it.

use queue_email_associator::payload::Json;
use request_file::{FileFormat, RequestFile};

use crate::error::FileError;
use crate::text::shortened;

/// The folder for files. The names of results contain the rest of the key. For files under `check/`, they contain that
/// folder too.
const INCOMING: &str = "incoming/";

/// Names of objects that are not files of pairs: a folder's settings, the lock of an open document, an unfinished upload.
const IGNORED_NAMES: [&str; 2] = [".ds_store", "thumbs.db"];
const IGNORED_STARTS: [&str; 3] = ["._", "~$", ".~lock."];
const IGNORED_ENDINGS: [&str; 4] = [".tmp", ".part", ".filepart", ".crdownload"];

/// Maximum length of a key, in bytes (Amazon S3 User Guide, "Naming Amazon S3 objects").
const MAX_KEY: usize = 1_024;

/// The longest name in a folder of results.
const LONGEST_RESULT: &str = "/already-associated.csv";

/// Reads a file. The extension of the key determines the format.
pub(crate) fn read(key: &str, bytes: &[u8]) -> Result<RequestFile, FileError> {
    let invalid = |problem: &dyn std::fmt::Display| FileError::InvalidFile(format!("{key}: {problem}"));
    let Some(format) = FileFormat::of_name(key) else {
        return Err(invalid(&format_args!(
            "unknown kind of file: expected {}; save the list of pairs as one of them and upload it",
            FileFormat::ENDINGS
        )));
    };
    request_file::read(bytes, format).map_err(|problem| invalid(&problem))
}

/// Returns whether the object with this key is a folder marker, a temporary file or a lock file.
pub(crate) fn is_not_a_pair_file(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or(key).to_ascii_lowercase();
    name.is_empty()
        || IGNORED_NAMES.contains(&&*name)
        || IGNORED_STARTS.iter().any(|start| name.starts_with(start))
        || IGNORED_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Parses the requests of records, which are valid because they were parsed when the file was read.
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
        Some((stem, _)) if FileFormat::of_name(name).is_some() => stem,
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
    fn temporary_files_and_folders_are_not_pair_files() {
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
            assert!(is_not_a_pair_file(key), "{key}");
        }
        for key in [
            "incoming/pairs.csv",
            "incoming/pairs",
            "incoming/party.csv",
            "incoming/.~dir/pairs.csv",
            "a.pdf",
        ] {
            assert!(!is_not_a_pair_file(key), "{key}");
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
}
