//! Ledger: everything that a file asks for, ticked off as results are met, so that what no result speaks of is seen.

use std::collections::HashMap;

use queue_email_associator::pairs::Named;

use crate::asked::Asked;

/// What a file asks for, and which of it a result was met for.
#[derive(Debug)]
pub(super) struct Ledger<'t> {
    asked: &'t Asked<'t>,
    /// For each pair, the line of the file.
    rows: Vec<Option<u64>>,
    /// For each thing invalid, the line of the file.
    invalid_rows: Vec<Option<u64>>,
    pairs: HashMap<PairKey<'t>, usize>,
    seen: Vec<bool>,
    /// What is invalid and not met yet, by the line of the file.
    invalid: HashMap<Option<u64>, Vec<usize>>,
}

type PairKey<'t> = (&'t str, Named<&'t str>, Named<&'t str>);

impl<'t> Ledger<'t> {
    /// A ledger of which nothing is ticked off.
    pub(super) fn new(asked: &'t Asked<'t>) -> Self {
        let invalid_pairs = &asked.pairs.invalid;
        let mut ledger = Ledger {
            rows: asked.first_asks().iter().map(|ask| asked.row(ask.path)).collect(),
            invalid_rows: invalid_pairs.iter().map(|(_, invalid)| asked.row(invalid.path())).collect(),
            pairs: keys(asked).enumerate().map(|(number, key)| (key, number)).collect(),
            seen: vec![false; asked.pairs.pairs.len()],
            invalid: HashMap::new(),
            asked,
        };
        for number in 0..invalid_pairs.len() {
            ledger.invalid.entry(ledger.invalid_rows[number]).or_default().push(number);
        }
        ledger
    }

    /// Ticks off what a batch asks for.
    pub(super) fn tick_off(&mut self, batch: &Asked<'_>) {
        for key in keys(batch) {
            if let Some(number) = find(&self.pairs, &key) {
                self.seen[number] = true;
            }
        }
        // What is invalid has no names that hold, so it is known by its line.
        for (_, invalid) in &batch.pairs.invalid {
            if let Some(left) = self.invalid.get_mut(&batch.row(invalid.path())) {
                left.pop();
            }
        }
    }

    /// The line of the file that a pair of a batch stands on.
    pub(super) fn row(&self, batch: &Asked<'_>, pair: usize) -> Option<u64> {
        find(&self.pairs, &key(batch, pair)).and_then(|number| self.rows[number])
    }

    /// The pairs that were not ticked off, with their lines.
    pub(super) fn missing_pairs(&self) -> impl Iterator<Item = (usize, Option<u64>)> {
        self.seen
            .iter()
            .zip(&self.rows)
            .enumerate()
            .filter(|(_, (seen, _))| !**seen)
            .map(|(n, (_, row))| (n, *row))
    }

    /// What is invalid and was not ticked off, with its lines.
    pub(super) fn missing_invalid(&self) -> Vec<(usize, Option<u64>)> {
        let mut numbers: Vec<usize> = self.invalid.values().flatten().copied().collect();
        numbers.sort_unstable();
        numbers.into_iter().map(|number| (number, self.invalid_rows[number])).collect()
    }

    /// What the file asks for.
    pub(super) fn asked(&self) -> &'t Asked<'t> {
        self.asked
    }
}

fn keys<'a>(asked: &'a Asked<'_>) -> impl Iterator<Item = PairKey<'a>> {
    (0..asked.pairs.pairs.len()).map(|pair| key(asked, pair))
}

fn key<'a>(asked: &'a Asked<'_>, pair: usize) -> PairKey<'a> {
    let pair = &asked.pairs.pairs[pair];
    let queue = &asked.pairs.queues[pair.queue()];
    (&*queue.instance, queue.queue.as_ref().as_str(), pair.address().as_str())
}

/// Looks a key up that lives less long than those of the map.
fn find<'a>(pairs: &HashMap<PairKey<'a>, usize>, key: &PairKey<'a>) -> Option<usize> {
    pairs.get(key).copied()
}
