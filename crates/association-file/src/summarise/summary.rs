//! Makes the summary, which is the output of a state machine and the content of `summary.json`.

use serde::Serialize;

use super::FileOutcome;
use super::failed_row::FailedRow;
use crate::step::{CaughtError, FileCounts};
use crate::text::shortened;

/// Maximum number of failures in the summary. The file of failed rows contains all of them.
const MAX_FAILURES: usize = 20;

/// Maximum size in bytes of the failures in the summary. The limit for a payload of Step Functions is 256 KiB.
const MAX_FAILURES_BYTES: usize = 100_000;

/// Maximum size in bytes of an error's cause in the summary.
const MAX_CAUSE: usize = 2_000;

/// Number of pairs by outcome. `associated + already_associated + planned + failed` is `pairs`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counts {
    #[serde(flatten)]
    pub(crate) file: FileCounts,
    /// Associations that a call made.
    pub(crate) associated: usize,
    /// Associations in `associated` that `associated.csv` cannot list, because the results do not identify them.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) associated_not_listed: usize,
    /// Associations that already existed.
    pub(crate) already_associated: usize,
    /// Associations that only a check requests.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) planned: usize,
    /// Associations that were not made, and invalid records.
    pub(crate) failed: usize,
    pub(crate) api_calls: u64,
    pub(crate) throttled_calls: u64,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Counts {
    /// Counts a pair with two names once, as its batch did. The second name repeats the first.
    pub(super) fn merge_equal_pairs(&mut self) {
        let mentions = self.file.pairs + self.file.repeated;
        self.file.pairs = self.associated + self.already_associated + self.planned + self.failed;
        self.file.repeated = mentions.saturating_sub(self.file.pairs);
    }
}

/// The response to `summarise`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    /// `SUCCEEDED`, `PARTIAL` or `FAILED`.
    pub(crate) status: &'static str,
    file: String,
    #[serde(flatten)]
    pub(crate) counts: Counts,
    pub(crate) summary: String,
    /// The key of the failed rows, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failed_rows: Option<String>,
    /// The key of the rows that a call associated, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) associated_rows: Option<String>,
    /// The key of the rows that were already associated, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) already_associated_rows: Option<String>,
    pub(crate) failures: Vec<FailedRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<CaughtError>,
}

impl Summary {
    /// Returns the summary of a file whose results are in a folder.
    pub(crate) fn new(file: &str, folder: &str, outcome: &FileOutcome, error: Option<CaughtError>) -> Self {
        let counts = outcome.counts;
        let achieved = counts.associated + counts.already_associated + counts.planned;
        let has_failed = counts.failed > 0 || error.is_some();
        let key = |rows: &Option<Vec<u8>>, name| rows.as_ref().map(|_| format!("{folder}/{name}"));
        Summary {
            status: match (has_failed, achieved) {
                (false, _) => "SUCCEEDED",
                (true, 0) => "FAILED",
                (true, _) => "PARTIAL",
            },
            file: file.to_owned(),
            counts,
            summary: format!("{folder}/summary.json"),
            failed_rows: key(&outcome.failed_csv, "failed.csv"),
            associated_rows: key(&outcome.associated_csv, "associated.csv"),
            already_associated_rows: key(&outcome.already_associated_csv, "already-associated.csv"),
            failures: first_failures(&outcome.failed),
            error: error.map(|CaughtError { error, cause }| CaughtError {
                error,
                cause: shortened(cause, MAX_CAUSE),
            }),
        }
    }
}

fn first_failures(failed: &[FailedRow]) -> Vec<FailedRow> {
    let mut bytes = 0;
    let fits = |row: &&FailedRow| {
        bytes += serde_json::to_vec(row).map_or(0, |json| json.len());
        bytes <= MAX_FAILURES_BYTES
    };
    failed.iter().take(MAX_FAILURES).take_while(fits).cloned().collect()
}
