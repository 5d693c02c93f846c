//! Ledger: all pairs of a file, with what the results tell of each. Pairs without a result are seen here.

use std::collections::HashMap;

use queue_email_associator::index::{IndexList, PairIndex};
use queue_email_associator::requests::Named;

use crate::requests::Requests;

/// The state of a pair according to the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// No result was met.
    Nothing,
    /// The pair failed, or was only planned, or the results do not tell.
    NotAssociated,
    /// A call associated it.
    Associated,
    /// It was on its queue already.
    AlreadyAssociated,
}

/// The pairs of a file, and what the results tell of each.
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
    /// A ledger before the first result.
    pub(super) fn new(requests: &'t Requests<'t>) -> Self {
        Ledger {
            rows: requests.first_mentions().iter().map(|mention| requests.row(mention.path)).collect(),
            pairs: keys(requests).map(|(pair, key)| (key, pair)).collect(),
            told: vec![Told::Nothing; requests.pairs.pairs.len()].into(),
            requests,
        }
    }

    /// Notes what the result of a batch tells of its pairs.
    pub(super) fn note(&mut self, batch: &Requests<'_>, told: &IndexList<PairIndex, Told>) {
        for (of_batch, key) in keys(batch) {
            if let Some(pair) = find(&self.pairs, &key) {
                self.told[pair] = told[of_batch];
            }
        }
    }

    /// The line of the file that a pair of a batch stands on.
    pub(super) fn row(&self, batch: &Requests<'_>, pair: PairIndex) -> Option<u64> {
        find(&self.pairs, &key(batch, pair)).and_then(|pair| self.rows[pair])
    }

    /// The pairs of which the results tell this, with their lines.
    pub(super) fn pairs_told(&self, wanted: Told) -> impl Iterator<Item = (PairIndex, Option<u64>)> {
        let pairs = self.told.indexed().filter(move |(_, told)| **told == wanted);
        pairs.map(|(pair, _)| (pair, self.rows[pair]))
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
