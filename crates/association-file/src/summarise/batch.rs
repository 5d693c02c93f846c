//! Matches the report of one batch with its pairs, and lists the pairs that failed.

use std::sync::Arc;

use queue_email_associator::index::{Index, IndexList, PairIndex};
use queue_email_associator::pairs::Mention;
use queue_email_associator::requests::InstanceId;

use super::failed_row::FailedRow;
use super::reason::{Reason, Reasons};
use super::report::{BatchReport, ReportedFailure};
use super::results::{Execution, ResultKind};
use super::status::PairStatus;
use super::summary::Counts;
use crate::cells::Cells;
use crate::requests::{PairTable, Requests, item_of};
use crate::step::error_message;

/// Errors of the associating function for which a retry cannot help.
const PERMANENT: [&str; 2] = ["InvalidRequest", "PermanentFailure"];

/// Returns the reason for the failure of every pair in a batch without a report.
pub(super) fn reason_without_report(kind: ResultKind, execution: &Execution<'_>) -> Reason {
    let safe = "it is safe to send the pair again";
    match kind {
        ResultKind::Succeeded => Reason::new(
            "UnreadableOutput",
            &format!("the response for this pair's batch cannot be read; {safe}"),
            true,
        ),
        ResultKind::Pending => Reason::new(
            "NotStarted",
            &format!("the Map ended before this pair's batch was started; {safe}"),
            true,
        ),
        ResultKind::Failed => {
            let error = execution.error.as_deref().or(execution.status.as_deref()).unwrap_or("Failed");
            let cause = execution.cause.as_deref().unwrap_or_default();
            let mut message = error_message(cause).unwrap_or_else(|| cause.to_owned());
            if message.is_empty() {
                message = format!("this pair's batch failed; {safe}");
            }
            Reason::new(error, &message, !PERMANENT.contains(&error))
        }
    }
}

/// A batch whose failures are being collected.
pub(super) struct Batch<'b> {
    requests: &'b Requests<'b>,
    table: PairTable<'b>,
    first_mentions: IndexList<PairIndex, Mention>,
    statuses: IndexList<PairIndex, PairStatus>,
    /// One row for each pair whose status is [`PairStatus::Failed`], and one for each failure of an unknown pair.
    failed: Vec<FailedRow>,
}

impl<'b> Batch<'b> {
    pub(super) fn new(requests: &'b Requests<'b>) -> Self {
        Batch {
            table: PairTable::new(&requests.pairs),
            first_mentions: requests.first_mentions(),
            statuses: vec![PairStatus::OnlyCounted; requests.pairs.pairs.len()].into(),
            failed: Vec::new(),
            requests,
        }
    }

    /// Adds the failures of a report. If the report does not account for the whole batch, its other pairs fail too.
    ///
    /// Otherwise, the failures are counted as they are listed, so that counts and rows agree even if the report's own
    /// number is wrong.
    pub(super) fn add_report(&mut self, report: &BatchReport, reasons: &mut Reasons, counts: &mut Counts) {
        for failure in &report.failures {
            let reason = reasons.shared(Reason::new(&failure.error, &failure.message, failure.retryable));
            // From the second round on, a path refers to the continuation, so the names of the pair are used first.
            match self.find(&failure.cells) {
                Some(pair) => self.fail(pair, &reason),
                None => self.fail_item(failure, &reason),
            }
        }
        let distinct = self.requests.distinct();
        let done = report.associated + report.already_associated + report.planned;
        let mut failed = self.failed.len();
        // Two pairs can be one only if they are given by name. The report then counts them once.
        let accounts_for_all = done + failed >= distinct || self.requests.pairs.has_names();
        if !report.is_complete || !accounts_for_all {
            failed = failed.max(distinct.saturating_sub(done));
            let message = "the report on this pair's batch was truncated, so it is not known whether the pair was \
                           associated; it is safe to send the pair again";
            self.fail_others(&reasons.shared(Reason::new("NotReported", message, true)));
        }
        // A report cannot account for more pairs than its batch has, so its counts are limited to that number.
        let mut left = distinct.saturating_sub(failed);
        let mut at_most_left = |count: usize| {
            let count = count.min(left);
            left -= count;
            count
        };
        let associated = at_most_left(report.associated);
        counts.associated += associated;
        counts.already_associated += at_most_left(report.already_associated);
        counts.planned += at_most_left(report.planned);
        counts.failed += failed;
        counts.api_calls += report.api_calls;
        counts.throttled_calls += report.throttled_calls;
        self.mark_already_associated(&report.already_associated_pairs);
        if !self.mark_associated(associated) {
            counts.associated_not_listed += associated;
        }
    }

    fn mark_already_associated(&mut self, pairs: &[Cells]) {
        for cells in pairs {
            if let Some(pair) = self.find(cells)
                && self.statuses[pair] != PairStatus::Failed
            {
                self.statuses[pair] = PairStatus::AlreadyAssociated;
            }
        }
    }

    /// Marks the remaining pairs as associated, if their number equals the report's count. Otherwise marks none and
    /// returns `false`. There are more if the report does not list all pairs that were already associated, or has a
    /// failure of an unknown pair. There are also more if the batch refers to one pair in two ways, because the failure
    /// contains only one of them, and the other one would seem to be associated.
    fn mark_associated(&mut self, count: usize) -> bool {
        let is_left = |pair: &PairIndex| self.statuses[*pair] == PairStatus::OnlyCounted;
        let left: Vec<PairIndex> = self.statuses.indices().filter(is_left).collect();
        if left.len() != count {
            return false;
        }
        left.into_iter().for_each(|pair| self.statuses[pair] = PairStatus::Associated);
        true
    }

    /// Fails all pairs that have not failed yet.
    pub(super) fn fail_others(&mut self, reason: &Arc<Reason>) {
        for pair in self.statuses.indices() {
            self.fail(pair, reason);
        }
    }

    /// Returns the failed rows, and the status of each pair.
    pub(super) fn finish(self) -> (Vec<FailedRow>, IndexList<PairIndex, PairStatus>) {
        (self.failed, self.statuses)
    }

    fn find(&self, cells: &Cells) -> Option<PairIndex> {
        let (queue, address) = cells.queue().zip(cells.address())?;
        // A request without an instance belongs to the function's own instance, whose identifier is in the report.
        let unknown = InstanceId::unknown();
        let pair = |instance| self.table.find((instance, queue, address));
        pair(&cells.instance_id).or_else(|| pair(&unknown))
    }

    /// Fails the pairs of the item that a path leads into, or else adds a row with the names in the failure itself.
    /// Grouping passes on only valid requests, but only the associating function can detect that a request has no
    /// instance.
    fn fail_item(&mut self, failure: &ReportedFailure, reason: &Arc<Reason>) {
        let item = failure.path.as_deref().and_then(item_of);
        let is_of_item = |pair: &PairIndex| item == Some(self.first_mentions[*pair].request.get());
        let pairs: Vec<PairIndex> = self.first_mentions.indices().filter(is_of_item).collect();
        if pairs.is_empty() {
            self.failed.push(FailedRow::new(failure.cells.clone(), None, reason.clone()));
        }
        pairs.into_iter().for_each(|pair| self.fail(pair, reason));
    }

    fn fail(&mut self, pair: PairIndex, reason: &Arc<Reason>) {
        if std::mem::replace(&mut self.statuses[pair], PairStatus::Failed) != PairStatus::Failed {
            let row = self.requests.row(self.first_mentions[pair].path);
            self.failed.push(FailedRow::new(Cells::of_pair(&self.requests.pairs, pair), row, reason.clone()));
        }
    }
}
