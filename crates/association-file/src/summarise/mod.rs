//! Summarises the outcome of a file from the results that the Map wrote.
//!
//! Every pair of a file is either done or becomes a failed row. A pair without a result becomes a failed row too,
//! because an execution failed, an output cannot be read, a result file is missing, or a Map never ran. It is safe to
//! send such a pair again, because a pair that is already on its queue does not fail.

mod batch;
mod csv_files;
mod failed_row;
mod grouped_file;
mod reason;
mod report;
mod results;
mod status;
mod summary;

use std::sync::Arc;

use crate::cells::Cells;
use crate::invalid::InvalidRecord;
use crate::requests::{RequestContext, Requests};
use batch::Batch;
use reason::Reasons;
use results::{Execution, each_execution};
use status::{PairStatus, PairStatuses};
use summary::Counts;

pub(crate) use failed_row::FailedRow;
pub(crate) use grouped_file::GroupedFile;
pub(crate) use reason::Reason;
pub(crate) use results::{MAX_RESULTS_BYTES, Manifest, ResultKind};
pub(crate) use summary::Summary;

/// Results that cannot be read.
#[derive(Debug)]
pub(crate) struct UnreadableResults {
    /// The number of unreadable files, or of executions in them.
    pub(crate) count: usize,
    /// The first unreadable result, with the reason. It contains no email address.
    pub(crate) first: String,
}

/// The outcome of a file.
#[derive(Debug)]
pub(crate) struct FileOutcome {
    /// Number of pairs by outcome.
    counts: Counts,
    /// All failed rows, in the order of the file.
    pub(crate) failed: Vec<FailedRow>,
    /// The failed rows as a CSV file, if there are any.
    pub(crate) failed_csv: Option<Vec<u8>>,
    /// The pairs that a call associated as a CSV file, if there are any.
    pub(crate) associated_csv: Option<Vec<u8>>,
    /// The pairs that were on their queues already as a CSV file, if there are any.
    pub(crate) already_associated_csv: Option<Vec<u8>>,
}

/// Collects the results of a Map, one file at a time.
#[derive(Debug)]
pub(crate) struct OutcomeBuilder<'f> {
    context: &'f RequestContext,
    statuses: PairStatuses<'f>,
    counts: Counts,
    failed: Vec<FailedRow>,
    reasons: Reasons,
    unreadable: Option<UnreadableResults>,
}

impl<'f> OutcomeBuilder<'f> {
    /// Starts with the invalid records of a file, which were not passed to the Map.
    pub(crate) fn new(
        context: &'f RequestContext,
        file: &'f GroupedFile,
        invalid: Vec<InvalidRecord>,
    ) -> Self {
        let mut reasons = Reasons::new(file.counts.pairs);
        let row = |InvalidRecord { row, message, reference, cells, request }| {
            let reason = reasons.shared(Reason::new("InvalidRequest", &message, false));
            let reference = reference.map(Arc::from);
            FailedRow { reference, request, ..FailedRow::new(cells, Some(row), reason) }
        };
        let failed: Vec<FailedRow> = invalid.into_iter().map(row).collect();
        OutcomeBuilder {
            context,
            statuses: PairStatuses::new(file),
            counts: Counts { file: file.counts, failed: failed.len(), ..Counts::default() },
            failed,
            reasons,
            unreadable: None,
        }
    }

    /// Adds a result file. The pairs in unreadable parts remain without a result.
    pub(crate) fn add(&mut self, kind: ResultKind, key: &str, bytes: &[u8]) {
        if let Err(error) = each_execution(bytes, |execution| self.add_execution(kind, key, execution)) {
            self.add_unreadable(&format!("{key} cannot be read: {error}"));
        }
    }

    /// Records results that cannot be read.
    pub(crate) fn add_unreadable(&mut self, description: &str) {
        let first = || UnreadableResults { count: 0, first: description.to_owned() };
        self.unreadable.get_or_insert_with(first).count += 1;
    }

    /// Returns the unreadable results so far, if there are any.
    pub(crate) fn unreadable(&self) -> Option<&UnreadableResults> {
        self.unreadable.as_ref()
    }

    fn add_execution(&mut self, kind: ResultKind, key: &str, execution: &Execution<'_>) {
        let report = execution.report().filter(|_| kind == ResultKind::Succeeded);
        let input = execution.input();
        let requests = match input.as_deref().map(|input| Requests::of_input(input, self.context)) {
            Some(Ok(requests)) => requests,
            Some(Err(problem)) => return self.add_unreadable(&format!("{key}: an input: {problem}")),
            None => return self.add_unreadable(&format!("{key}: an execution has no input")),
        };
        let mut batch = Batch::new(&requests);
        match &report {
            Some(report) => batch.add_report(report, &mut self.reasons, &mut self.counts),
            None => {
                self.counts.failed += requests.distinct();
                batch.fail_others(&self.reasons.shared(batch::reason_without_report(kind, execution)));
            }
        }
        let (failed, statuses) = batch.finish();
        self.failed.extend(failed);
        self.statuses.record(&requests.pairs, &statuses);
    }

    /// Finishes the outcome. Pairs without a result fail with the given reason.
    pub(crate) fn finish(mut self, no_result: Reason) -> FileOutcome {
        let no_result = self.reasons.shared(no_result);
        let file = self.statuses.file();
        for (pair, row) in self.statuses.pairs_with(PairStatus::NoResult) {
            self.failed.push(FailedRow::new(Cells::of_pair(&file.pairs, pair), row, no_result.clone()));
            self.counts.failed += 1;
        }
        for failed in self.failed.iter_mut().filter(|failed| failed.reference.is_none()) {
            failed.reference = failed.row.and_then(|row| file.references.get(&row).cloned());
        }
        // Failures without a line are last.
        self.failed.sort_by_key(|failed| failed.row.unwrap_or(u64::MAX));
        self.counts.merge_equal_pairs();
        let failed_csv =
            (!self.failed.is_empty()).then(|| csv_files::failed_rows(&self.failed, file.table.as_ref()));
        FileOutcome {
            failed_csv,
            associated_csv: csv_files::pairs_with(PairStatus::Associated, &self.statuses),
            already_associated_csv: csv_files::pairs_with(PairStatus::AlreadyAssociated, &self.statuses),
            counts: self.counts,
            failed: self.failed,
        }
    }
}

#[cfg(test)]
mod tests;
