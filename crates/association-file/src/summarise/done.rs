//! Writes the pairs that are on their queues as CSV files. With these files, a person can undo exactly what the file
//! added.

use std::collections::HashMap;

use queue_email_associator::index::PairIndex;

use super::ledger::{Ledger, Told};
use super::rows::Rows;
use crate::cells::Cells;

/// The rows of a file that are done, as CSV files.
///
/// The largest file has as many of these rows as pairs, so the rows are written immediately and not stored one by one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// The rows that a call associated, if there are any.
    pub associated: Option<Vec<u8>>,
    /// The rows that were on their queues already, if there are any.
    pub already_associated: Option<Vec<u8>>,
}

impl Done {
    /// Returns the rows in the order of the file, each with its line and its reference.
    pub(super) fn of(ledger: &Ledger<'_>) -> Self {
        let references: HashMap<u64, &str> = ledger.requests().references().collect();
        Done {
            associated: csv(ledger, Told::Associated, &references),
            already_associated: csv(ledger, Told::AlreadyAssociated, &references),
        }
    }
}

fn csv(ledger: &Ledger<'_>, told: Told, references: &HashMap<u64, &str>) -> Option<Vec<u8>> {
    let mut numbers: Vec<(PairIndex, Option<u64>)> = ledger.pairs_told(told).collect();
    if numbers.is_empty() {
        return None;
    }
    numbers.sort_by_key(|(_, row)| row.unwrap_or(u64::MAX));
    let last: &[&str] = if references.is_empty() { &["row"] } else { &["row", "reference"] };
    let mut rows = Rows::new(&[], last);
    let pairs = &ledger.requests().pairs;
    for (number, row) in numbers {
        let pair = &pairs.pairs[number];
        let cells = Cells::of_pair(&pairs.queues[pair.queue()], pair);
        let reference = row.and_then(|row| references.get(&row).copied()).unwrap_or_default();
        let row = row.map(|row| row.to_string()).unwrap_or_default();
        rows.push(&[], &cells, &[&*row, reference][..last.len()]);
    }
    Some(rows.finish())
}
