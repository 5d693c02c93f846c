//! Summarises the outcome of a file from the results that the map wrote.
//!
//! Every pair of a file is either done or becomes a failed row. A pair without a result becomes a failed row too,
//! because an execution failed, an output cannot be read, a result file is missing, or a map never ran. Sending such a
//! pair again is safe, because a pair that is already on its queue does not fail.

mod batch;
mod done;
mod failed;
mod ledger;
mod reason;
mod results;
mod rows;
mod summary;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use queue_email_associator::requests::{InstanceId, Named, QueueId};

use crate::cells::Cells;
use crate::error::FileError;
use crate::file;
use crate::invalid::InvalidRecord;
use crate::original::OriginalRows;
use crate::requests::{Context, Requests};
use batch::Batch;
use ledger::{Ledger, Told};
use reason::Reasons;
use results::{Execution, each_execution};

pub use done::Done;
pub use failed::FailedRow;
pub(crate) use failed::csv;
pub use reason::Reason;
pub use results::{Ended, MAX_RESULTS_BYTES, Manifest};
pub use summary::{Counts, FileCounts, Status, Summary, Summed};

/// The objects that grouping wrote for a file.
#[derive(Debug)]
pub struct Known {
    /// The requests, one per line, with the lines of the file.
    lines: String,
    invalid: Vec<InvalidRecord>,
    table: Option<OriginalRows>,
    counts: FileCounts,
}

impl Known {
    /// Reads the lines, the invalid records and the rows of a table that grouping wrote.
    ///
    /// # Errors
    /// Fails if grouping cannot have written one of them.
    pub fn read(
        lines: Vec<u8>,
        invalid: &[u8],
        table: Option<&[u8]>,
        counts: FileCounts,
    ) -> Result<Self, FileError> {
        let unreadable =
            |error: &dyn std::fmt::Display| FileError::InvalidFile(format!("stored records: {error}"));
        let lines = String::from_utf8(lines).map_err(|error| unreadable(&error))?;
        let invalid = invalid.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let invalid = invalid
            .map(serde_json::from_slice)
            .collect::<Result<_, _>>()
            .map_err(|error| unreadable(&error))?;
        let table = table.map(OriginalRows::read).transpose()?;
        Ok(Known { lines, invalid, table, counts })
    }

    /// Returns the rows of a table.
    pub(crate) fn table(&self) -> Option<&OriginalRows> {
        self.table.as_ref()
    }
}

/// Results that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The number of unreadable files, or of executions in them.
    pub count: usize,
    /// The first unreadable result, with the reason. It contains no email address.
    pub first: String,
}

/// The requests of a file, read once for a [`Summing`].
#[derive(Debug)]
pub struct KnownRequests<'k> {
    requests: Requests<'k>,
    invalid: &'k [InvalidRecord],
    counts: FileCounts,
}

impl<'k> KnownRequests<'k> {
    /// Reads the requests in the lines. Returns `None` if grouping cannot have written them.
    pub fn read(known: &'k Known, context: &Context) -> Option<Self> {
        let items = file::requests(known.lines.lines()).ok()?;
        let requests = Requests::of_items(items, context).ok()?;
        Some(KnownRequests { requests, invalid: &known.invalid, counts: known.counts })
    }
}

/// Collects the results of a map, one file at a time.
#[derive(Debug)]
pub struct Summing<'k> {
    context: &'k Context,
    ledger: Option<Ledger<'k>>,
    counts: Counts,
    failed: Vec<FailedRow>,
    reasons: Reasons,
    unreadable: Option<Unreadable>,
    /// Queues in the batches. Used only if the grouped file is missing.
    queues: HashSet<(InstanceId, Named<QueueId>)>,
}

impl<'k> Summing<'k> {
    /// Starts with the requests of the file, if they are known.
    pub fn new(context: &'k Context, known: Option<&'k KnownRequests<'k>>) -> Self {
        let file = known.map(|known| known.counts).unwrap_or_default();
        let mut summing = Summing {
            context,
            ledger: known.map(|known| Ledger::new(&known.requests)),
            counts: Counts { file, ..Counts::default() },
            failed: Vec::new(),
            reasons: Reasons::default(),
            unreadable: None,
            queues: HashSet::new(),
        };
        known.iter().flat_map(|known| known.invalid).for_each(|invalid| summing.add_invalid(invalid));
        summing
    }

    /// Lists the invalid records, which were not passed to the map.
    fn add_invalid(&mut self, invalid: &InvalidRecord) {
        let InvalidRecord { row, message, reference, cells, request } = invalid;
        let reason = self.reasons.shared(Reason::new("InvalidRequest", message, false));
        self.failed.push(FailedRow {
            cells: cells.clone(),
            row: Some(*row),
            reason,
            reference: reference.as_deref().map(Arc::from),
            request: Some(request.as_deref().unwrap_or_default().into()),
        });
        self.counts.failed += 1;
    }

    /// Adds a result file. The pairs in unreadable parts remain without a result.
    pub fn add(&mut self, ended: Ended, key: &str, bytes: &[u8]) {
        if let Err(error) = each_execution(bytes, |execution| self.add_execution(ended, key, execution)) {
            self.add_unreadable(&format!("{key} cannot be read: {error}"));
        }
    }

    /// Records results that cannot be read.
    pub fn add_unreadable(&mut self, what: &str) {
        let first = || Unreadable { count: 0, first: what.to_owned() };
        self.unreadable.get_or_insert_with(first).count += 1;
    }

    /// Returns the unreadable results so far, if there are any.
    pub fn unreadable(&self) -> Option<&Unreadable> {
        self.unreadable.as_ref()
    }

    fn add_execution(&mut self, ended: Ended, key: &str, execution: &Execution<'_>) {
        let output = execution.output().filter(|_| ended == Ended::Succeeded);
        let input = execution.input();
        let requests = match input.as_deref().map(|input| Requests::of_input(input, self.context)) {
            Some(Ok(requests)) => requests,
            Some(Err(problem)) => return self.add_unreadable(&format!("{key}: an input: {problem}")),
            None => return self.add_unreadable(&format!("{key}: an execution has no input")),
        };
        let mut batch = Batch::new(&requests, self.ledger.as_ref());
        match &output {
            Some(output) => {
                let counts = batch.add_output(output, &mut self.reasons);
                self.counts.add(counts, output);
            }
            None => {
                self.counts.failed += requests.distinct();
                batch.fail_rest(&self.reasons.shared(batch::reason_of(ended, execution)));
            }
        }
        let (mut failed, told) = batch.finish();
        self.failed.append(&mut failed);
        match &mut self.ledger {
            Some(ledger) => ledger.note(&requests, &told),
            None => self.count(&requests),
        }
    }

    /// Counts the pairs of a batch. Used only if the grouped file is missing.
    fn count(&mut self, requests: &Requests<'_>) {
        self.counts.file.rows += requests.count();
        self.counts.file.pairs += requests.distinct();
        self.counts.file.repeated += requests.repeated();
        let queues = requests.pairs.queues.iter().map(|queue| (queue.instance.clone(), queue.queue.clone()));
        self.queues.extend(queues);
        self.counts.file.queues = self.queues.len();
    }

    /// Adds to each failed row the reference of its line in the file.
    fn name_rows(&mut self) {
        let Some(ledger) = &self.ledger else { return };
        let references: HashMap<u64, Arc<str>> =
            ledger.requests().references().map(|(row, reference)| (row, reference.into())).collect();
        for failed in self.failed.iter_mut().filter(|failed| failed.reference.is_none()) {
            failed.reference = failed.row.and_then(|row| references.get(&row).cloned());
        }
    }

    /// Finishes the summary. Pairs without a result fail with the reason `rest`.
    pub fn finish(mut self, rest: Reason) -> Summed {
        let rest = self.reasons.shared(rest);
        if let Some(ledger) = &self.ledger {
            let requests = ledger.requests();
            for (number, row) in ledger.pairs_told(Told::Nothing) {
                let pair = &requests.pairs.pairs[number];
                let cells = Cells::of_pair(&requests.pairs.queues[pair.queue()], pair);
                let reason = rest.clone();
                self.failed.push(FailedRow { cells, row, reason, reference: None, request: None });
                self.counts.failed += 1;
            }
        }
        self.name_rows();
        self.counts.settle();
        let done = match &self.ledger {
            Some(ledger) => Done::of(ledger),
            None => {
                // Only the lines contain the rows.
                self.counts.associated_unnamed = self.counts.associated;
                Done::default()
            }
        };
        // Failures without a line are last.
        self.failed.sort_by_key(|failed| failed.row.unwrap_or(u64::MAX));
        let unreadable = self.unreadable.filter(|_| self.ledger.is_none()).map(|unreadable| unreadable.first);
        Summed { counts: self.counts, failed: self.failed, done, unreadable }
    }
}

#[cfg(test)]
mod tests;
