//! Makes the summary, which is the output of a state machine and the content of `summary.json`.

use serde::{Serialize, Serializer};

use super::batch::BatchCounts;
use super::done::Done;
use super::failed::FailedRow;
use super::results::Output;
use crate::step::{Cause, Grouped};
use crate::text::shortened;

/// Maximum number of failures in the summary. The file of failed rows contains all of them.
const SHOWN: usize = 20;

/// Maximum size in bytes of the failures in the summary. The limit for a payload of Step Functions is 256 KiB.
const SHOWN_BYTES: usize = 100_000;

/// Maximum size in bytes of an error's cause in the summary.
const CAUSE: usize = 2_000;

/// The counts of a file's requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FileCounts {
    /// Number of records in the file.
    pub rows: usize,
    /// Number of distinct pairs and invalid records.
    pub pairs: usize,
    /// Number of pairs that repeat an earlier one.
    pub repeated: usize,
    /// Number of distinct queue names and identifiers.
    pub queues: usize,
}

impl From<&Grouped> for FileCounts {
    fn from(grouped: &Grouped) -> Self {
        let Grouped { rows, pairs, repeated, queues, .. } = *grouped;
        FileCounts { rows, pairs, repeated, queues }
    }
}

/// Number of pairs by outcome. `associated + already_associated + planned + failed` is `pairs`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// The counts of the file.
    #[serde(flatten)]
    pub file: FileCounts,
    /// Associations that a call made.
    pub associated: usize,
    /// Associations in `associated` that `associated.csv` cannot list, because the results do not identify them. The
    /// field is left out if there are none.
    #[serde(rename = "associatedNotListed", skip_serializing_if = "is_zero")]
    pub associated_unnamed: usize,
    /// Associations that already existed.
    pub already_associated: usize,
    /// Associations that only a check requests. The field is left out if there are none.
    #[serde(skip_serializing_if = "is_zero")]
    pub planned: usize,
    /// Associations that were not made, and invalid records.
    pub failed: usize,
    /// Calls to Connect.
    pub api_calls: u64,
    /// Calls that were throttled.
    pub throttled_calls: u64,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Counts {
    pub(super) fn add(&mut self, batch: BatchCounts, output: &Output) {
        self.associated += batch.associated;
        self.associated_unnamed += batch.unnamed;
        self.already_associated += batch.already_associated;
        self.planned += batch.planned;
        self.failed += batch.failed;
        self.api_calls += output.api_calls;
        self.throttled_calls += output.throttled_calls;
    }

    /// Counts a pair with two names once, as its batch did. The second name repeats the first.
    pub(super) fn settle(&mut self) {
        let named = self.file.pairs + self.file.repeated;
        self.file.pairs = self.associated + self.already_associated + self.planned + self.failed;
        self.file.repeated = named.saturating_sub(self.file.pairs);
    }
}

/// The outcome of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summed {
    /// Number of pairs by outcome.
    pub counts: Counts,
    /// All failed rows, in the order of the file.
    pub failed: Vec<FailedRow>,
    /// All pairs that are on their queues.
    pub done: Done,
    /// Results that cannot be read. Set only if no other object identifies their pairs.
    pub unreadable: Option<String>,
}

/// The outcome of a file as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nothing failed.
    Succeeded,
    /// Some pairs failed, and others did not.
    Partial,
    /// Something failed, and no pair succeeded.
    Failed,
}

impl Status {
    /// Returns the status as written in JSON and in the log.
    pub fn name(self) -> &'static str {
        match self {
            Status::Succeeded => "SUCCEEDED",
            Status::Partial => "PARTIAL",
            Status::Failed => "FAILED",
        }
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The response to `summarise`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The outcome of the file as a whole.
    pub status: Status,
    /// The key of the file.
    pub file: String,
    /// Number of pairs by outcome.
    #[serde(flatten)]
    pub counts: Counts,
    /// The key of this summary.
    pub summary: String,
    /// The key of the failed rows, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_rows: Option<String>,
    /// The key of the rows that a call associated, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub associated_rows: Option<String>,
    /// The key of the rows that were already associated, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub already_associated_rows: Option<String>,
    /// The first failures.
    pub failures: Vec<FailedRow>,
    /// The reason why the execution fails, if it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Cause>,
}

impl Summary {
    /// Returns the summary of a file whose results are in a folder.
    pub fn new(file: &str, folder: &str, summed: &Summed, error: Option<Cause>) -> Self {
        let unreadable = || {
            let cause = summed.unreadable.clone()?;
            Some(Cause { error: "UnreadableResults".to_owned(), cause })
        };
        let error = error.or_else(unreadable);
        let error = error.map(|Cause { error, cause }| Cause { error, cause: shortened(cause, CAUSE) });
        let counts = summed.counts;
        let came_of_it = counts.associated + counts.already_associated + counts.planned;
        let failed = counts.failed > 0 || !summed.failed.is_empty() || error.is_some();
        Summary {
            status: match (failed, came_of_it) {
                (false, _) => Status::Succeeded,
                (true, 0) => Status::Failed,
                (true, _) => Status::Partial,
            },
            file: file.to_owned(),
            counts,
            summary: format!("{folder}/summary.json"),
            failed_rows: (!summed.failed.is_empty()).then(|| format!("{folder}/failed.csv")),
            associated_rows: summed.done.associated.as_ref().map(|_| format!("{folder}/associated.csv")),
            already_associated_rows: (summed.done.already_associated.as_ref())
                .map(|_| format!("{folder}/already-associated.csv")),
            failures: shown(&summed.failed),
            error,
        }
    }
}

fn shown(failed: &[FailedRow]) -> Vec<FailedRow> {
    let mut bytes = 0;
    let fits = |row: &&FailedRow| {
        bytes += serde_json::to_vec(row).map_or(0, |json| json.len());
        bytes <= SHOWN_BYTES
    };
    failed.iter().take(SHOWN).take_while(fits).cloned().collect()
}
