//! Ledger: all pairs of a file. Each result ticks its pairs off, so that pairs without a result are seen.

use std::collections::HashMap;

use queue_email_associator::index::{IndexList, PairIndex};
use queue_email_associator::requests::Named;

use crate::requests::Requests;

/// The pairs of a file, and for each whether a result was met.
#[derive(Debug)]
pub(super) struct Ledger<'t> {
    requests: &'t Requests<'t>,
    /// For each pair, the line of the file.
    rows: IndexList<PairIndex, Option<u64>>,
    pairs: HashMap<PairKey<'t>, PairIndex>,
    seen: IndexList<PairIndex, bool>,
}

type PairKey<'t> = (&'t str, Named<&'t str, &'t str>, Named<&'t str, &'t str>);

impl<'t> Ledger<'t> {
    /// A ledger of which nothing is ticked off.
    pub(super) fn new(requests: &'t Requests<'t>) -> Self {
        Ledger {
            rows: requests.first_mentions().iter().map(|mention| requests.row(mention.path)).collect(),
            pairs: keys(requests).map(|(pair, key)| (key, pair)).collect(),
            seen: vec![false; requests.pairs.pairs.len()].into(),
            requests,
        }
    }

    /// Ticks off the pairs of a batch.
    pub(super) fn tick_off(&mut self, batch: &Requests<'_>) {
        for (_, key) in keys(batch) {
            if let Some(pair) = find(&self.pairs, &key) {
                self.seen[pair] = true;
            }
        }
    }

    /// The line of the file that a pair of a batch stands on.
    pub(super) fn row(&self, batch: &Requests<'_>, pair: PairIndex) -> Option<u64> {
        find(&self.pairs, &key(batch, pair)).and_then(|pair| self.rows[pair])
    }

    /// The pairs that were not ticked off, with their lines.
    pub(super) fn missing_pairs(&self) -> impl Iterator<Item = (PairIndex, Option<u64>)> {
        self.seen.indexed().filter(|(_, seen)| !**seen).map(|(pair, _)| (pair, self.rows[pair]))
    }

    /// The requests of the file.
    pub(super) fn requests(&self) -> &'t Requests<'t> {
        self.requests
    }
}

fn keys<'a>(requests: &'a Requests<'_>) -> impl Iterator<Item = (PairIndex, PairKey<'a>)> {
    requests.pairs.pairs.indices().map(|pair| (pair, key(requests, pair)))
}

fn key<'a>(requests: &'a Requests<'_>, pair: PairIndex) -> PairKey<'a> {
    let pair = &requests.pairs.pairs[pair];
    let queue = &requests.pairs.queues[pair.queue()];
    (&*queue.instance, queue.queue.as_ref().as_str(), pair.address().as_str())
}

/// Looks a key up that lives less long than those of the map.
fn find<'a>(pairs: &HashMap<PairKey<'a>, PairIndex>, key: &PairKey<'a>) -> Option<PairIndex> {
    pairs.get(key).copied()
}
