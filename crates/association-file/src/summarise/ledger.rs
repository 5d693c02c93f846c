//! Tracks the status of every pair of a file, so that pairs without a result can be reported.

use std::collections::HashMap;

use queue_email_associator::index::{IndexList, PairIndex};
use queue_email_associator::requests::Named;

use crate::requests::Requests;

/// The state of a pair according to the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// The pair has no result.
    Nothing,
    /// The pair failed or was only planned, or the results do not identify it.
    NotAssociated,
    /// A call associated it.
    Associated,
    /// The pair was already on its queue.
    AlreadyAssociated,
}

/// The pairs of a file, and the status of each according to the results.
#[derive(Debug)]
pub(super) struct Ledger<'t> {
    requests: &'t Requests<'t>,
    /// For each pair, the line of the file.
    rows: IndexList<PairIndex, Option<u64>>,
    pairs: HashMap<PairKey<'t>, PairIndex>,
    told: IndexList<PairIndex, Told>,
}

type PairKey<'t> = (&'t str, Named<&'t str, &'t str>, Named<&'t str, &'t str>);

impl<'t> Ledger<'t> {
    /// Returns a ledger without results.
    pub(super) fn new(requests: &'t Requests<'t>) -> Self {
        Ledger {
            rows: requests.first_mentions().iter().map(|mention| requests.row(mention.path)).collect(),
            pairs: keys(requests).map(|(pair, key)| (key, pair)).collect(),
            told: vec![Told::Nothing; requests.pairs.pairs.len()].into(),
            requests,
        }
    }

    /// Records the status of a batch's pairs.
    pub(super) fn note(&mut self, batch: &Requests<'_>, told: &IndexList<PairIndex, Told>) {
        for (of_batch, key) in keys(batch) {
            if let Some(pair) = find(&self.pairs, &key) {
                self.told[pair] = told[of_batch];
            }
        }
    }

    /// Returns the line in the file of a pair in a batch.
    pub(super) fn row(&self, batch: &Requests<'_>, pair: PairIndex) -> Option<u64> {
        find(&self.pairs, &key(batch, pair)).and_then(|pair| self.rows[pair])
    }

    /// Returns the pairs with the given status, and their lines.
    pub(super) fn pairs_told(&self, wanted: Told) -> impl Iterator<Item = (PairIndex, Option<u64>)> {
        let pairs = self.told.indexed().filter(move |(_, told)| **told == wanted);
        pairs.map(|(pair, _)| (pair, self.rows[pair]))
    }

    /// Returns the requests of the file.
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

/// Looks up a key whose lifetime is shorter than the map's.
fn find<'a>(pairs: &HashMap<PairKey<'a>, PairIndex>, key: &PairKey<'a>) -> Option<PairIndex> {
    pairs.get(key).copied()
}
