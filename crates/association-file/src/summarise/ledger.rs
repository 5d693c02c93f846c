//! Ledger: all pairs of a file. Each result ticks its pairs off, so that pairs without a result are seen.

use std::collections::HashMap;

use queue_email_associator::pairs::Named;

use crate::asked::Asked;

/// The pairs of a file, and for each whether a result was met.
#[derive(Debug)]
pub(super) struct Ledger<'t> {
    asked: &'t Asked<'t>,
    /// For each pair, the line of the file.
    rows: Vec<Option<u64>>,
    pairs: HashMap<PairKey<'t>, usize>,
    seen: Vec<bool>,
}

type PairKey<'t> = (&'t str, Named<&'t str>, Named<&'t str>);

impl<'t> Ledger<'t> {
    /// A ledger of which nothing is ticked off.
    pub(super) fn new(asked: &'t Asked<'t>) -> Self {
        Ledger {
            rows: asked.first_mentions().iter().map(|mention| asked.row(mention.path)).collect(),
            pairs: keys(asked).enumerate().map(|(number, key)| (key, number)).collect(),
            seen: vec![false; asked.pairs.pairs.len()],
            asked,
        }
    }

    /// Ticks off the pairs of a batch.
    pub(super) fn tick_off(&mut self, batch: &Asked<'_>) {
        for key in keys(batch) {
            if let Some(number) = find(&self.pairs, &key) {
                self.seen[number] = true;
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

    /// The requests of the file.
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
