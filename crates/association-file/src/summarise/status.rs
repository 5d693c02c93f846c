//! Tracks the status of every pair of a file, so that pairs without a result can be reported.

use queue_email_associator::index::{IndexList, PairIndex};
use queue_email_associator::pairs::Pairs;

use super::grouped_file::GroupedFile;
use crate::requests::{PairTable, key_of};

/// What the results say about a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PairStatus {
    /// No result contains the pair.
    NoResult,
    /// The report of its batch counts the pair without identifying it, or the pair was only planned.
    OnlyCounted,
    Failed,
    /// A call associated it.
    Associated,
    /// It was already on its queue.
    AlreadyAssociated,
}

#[derive(Debug)]
pub(super) struct PairStatuses<'f> {
    file: &'f GroupedFile,
    table: PairTable<'f>,
    statuses: IndexList<PairIndex, PairStatus>,
}

impl<'f> PairStatuses<'f> {
    pub(super) fn new(file: &'f GroupedFile) -> Self {
        PairStatuses {
            file,
            table: PairTable::new(&file.pairs),
            statuses: vec![PairStatus::NoResult; file.pairs.pairs.len()].into(),
        }
    }

    /// Records the status of the pairs of a batch.
    pub(super) fn record(&mut self, batch: &Pairs, statuses: &IndexList<PairIndex, PairStatus>) {
        for (of_batch, status) in statuses.indexed() {
            if let Some(pair) = self.table.find(key_of(batch, of_batch)) {
                self.statuses[pair] = *status;
            }
        }
    }

    /// Returns the pairs with a status in the order of the file, each with its line.
    pub(super) fn pairs_with(&self, status: PairStatus) -> Vec<(PairIndex, Option<u64>)> {
        let pairs = self.statuses.indexed().filter(|(_, found)| **found == status);
        let mut pairs: Vec<_> = pairs.map(|(pair, _)| (pair, self.file.rows[pair])).collect();
        pairs.sort_by_key(|(_, row)| row.unwrap_or(u64::MAX));
        pairs
    }

    pub(super) fn file(&self) -> &'f GroupedFile {
        self.file
    }
}
