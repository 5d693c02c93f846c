//! Reads the output of the execution for a batch: totals over its rounds, and the pairs that finally failed.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::cells::Cells;

#[derive(Debug)]
pub(super) struct BatchReport {
    pub(super) associated: usize,
    pub(super) already_associated: usize,
    pub(super) planned: usize,
    pub(super) api_calls: u64,
    pub(super) throttled_calls: u64,
    pub(super) failures: Vec<ReportedFailure>,
    /// The pairs that were already on their queues, if the report lists them.
    pub(super) already_associated_pairs: Vec<Cells>,
    /// Whether every count could be read and every failure is listed.
    pub(super) is_complete: bool,
}

/// A failure in a report.
#[derive(Debug, Deserialize)]
pub(super) struct ReportedFailure {
    #[serde(flatten)]
    pub(super) cells: Cells,
    pub(super) error: String,
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) retryable: bool,
    pub(super) path: Option<String>,
}

/// Pairs of one queue in a report.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ReportedPairs {
    #[serde(flatten)]
    queue: Cells,
    email_address_ids: Vec<Arc<str>>,
    email_addresses: Vec<Arc<str>>,
}

impl BatchReport {
    /// Reads a report field by field. An invalid field does not affect the others, which contain the reasons that a
    /// person needs. Returns `None` if the report has neither a count nor a failure.
    pub(super) fn read(report: &Value) -> Option<Self> {
        let number = |name: &str| report.get(name).and_then(Value::as_u64);
        let count = |name: &str| number(name).and_then(|count| usize::try_from(count).ok());
        let [associated, already_associated, failed] =
            ["associated", "alreadyAssociated", "failed"].map(count);
        let listed = report.get("failures").and_then(Value::as_array);
        if associated.or(already_associated).or(failed).is_none() && listed.is_none() {
            return None;
        }
        let listed = listed.map(Vec::as_slice).unwrap_or_default();
        let failures: Vec<ReportedFailure> =
            listed.iter().filter_map(|failure| ReportedFailure::deserialize(failure).ok()).collect();
        let pairs = report.get("alreadyAssociatedPairs").map(Vec::<ReportedPairs>::deserialize);
        let omitted = report.get("failuresOmitted").and_then(Value::as_f64).unwrap_or_default();
        Some(BatchReport {
            is_complete: associated.is_some()
                && already_associated.is_some()
                && failed.is_some_and(|failed| failed <= failures.len())
                && failures.len() == listed.len()
                && omitted <= 0.0,
            associated: associated.unwrap_or_default(),
            already_associated: already_associated.unwrap_or_default(),
            planned: count("planned").unwrap_or_default(),
            api_calls: number("apiCalls").unwrap_or_default(),
            throttled_calls: number("throttledCalls").unwrap_or_default(),
            failures,
            already_associated_pairs: pairs
                .and_then(Result::ok)
                .unwrap_or_default()
                .into_iter()
                .flat_map(ReportedPairs::into_cells)
                .collect(),
        })
    }
}

impl ReportedPairs {
    fn into_cells(self) -> impl Iterator<Item = Cells> {
        let ReportedPairs { queue, email_address_ids, email_addresses } = self;
        let of_queue = queue.clone();
        let ids = email_address_ids
            .into_iter()
            .map(move |email_address_id| Cells { email_address_id, ..of_queue.clone() });
        let addresses =
            email_addresses.into_iter().map(move |email_address| Cells { email_address, ..queue.clone() });
        ids.chain(addresses)
    }
}
