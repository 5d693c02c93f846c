//! Matches the output of one batch with its pairs, and lists the pairs that failed.

use std::collections::HashMap;
use std::sync::Arc;

use queue_email_associator::index::{Index, IndexList, PairIndex};
use queue_email_associator::pairs::Mention;
use queue_email_associator::requests::{InstanceId, Named};

use super::failed::FailedRow;
use super::ledger::{Ledger, Told};
use super::reason::{Reason, Reasons};
use super::results::{Ended, Execution, Output, OutputFailure};
use crate::cells::Cells;
use crate::requests::{Requests, item_of};
use crate::step::error_message;

/// Errors of the associating function for which a retry cannot help.
const PERMANENT: [&str; 2] = ["InvalidRequest", "PermanentFailure"];

/// The names of a pair's queue and address.
type Names<'n> = (Named<&'n str, &'n str>, Named<&'n str, &'n str>);

/// Returns the reason for the failure of every pair in a batch that did not succeed as a whole.
pub(super) fn reason_of(ended: Ended, execution: &Execution<'_>) -> Reason {
    let safe = "sending it again is safe";
    match ended {
        Ended::Succeeded => {
            Reason::new("UnreadableOutput", &format!("the answer to its batch cannot be read; {safe}"), true)
        }
        Ended::Pending => {
            Reason::new("NotStarted", &format!("the map ended before its batch was begun; {safe}"), true)
        }
        Ended::Failed => {
            let error = execution.error.as_deref().or(execution.status.as_deref()).unwrap_or("Failed");
            let cause = execution.cause.as_deref().unwrap_or_default();
            let said = error_message(cause).unwrap_or_else(|| cause.to_owned());
            let message = if said.is_empty() { format!("its batch failed; {safe}") } else { said };
            Reason::new(error, &message, !PERMANENT.contains(&error))
        }
    }
}

/// A batch whose failures are being collected.
pub(super) struct Batch<'b> {
    requests: &'b Requests<'b>,
    ledger: Option<&'b Ledger<'b>>,
    first_mentions: IndexList<PairIndex, Mention>,
    failed: Vec<FailedRow>,
    pairs_listed: IndexList<PairIndex, bool>,
    /// Listed failures that match no known pair of the batch.
    others_listed: usize,
    /// The state of each pair according to the output.
    told: IndexList<PairIndex, Told>,
}

/// Numbers of pairs of a batch by outcome, with the names from its report.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BatchCounts {
    pub(super) associated: usize,
    pub(super) already_associated: usize,
    pub(super) planned: usize,
    pub(super) failed: usize,
    /// Associated pairs that the output counts but does not identify.
    pub(super) unnamed: usize,
}

impl<'b> Batch<'b> {
    pub(super) fn new(requests: &'b Requests<'b>, ledger: Option<&'b Ledger<'b>>) -> Self {
        Batch {
            first_mentions: requests.first_mentions(),
            failed: Vec::new(),
            pairs_listed: vec![false; requests.pairs.pairs.len()].into(),
            others_listed: 0,
            told: vec![Told::NotAssociated; requests.pairs.pairs.len()].into(),
            requests,
            ledger,
        }
    }

    /// Lists the failures of an output. If the output does not account for the whole batch, the other pairs are listed
    /// too.
    ///
    /// Otherwise, counts the failures as they are listed, so that counts and rows agree even if the output's own number
    /// is wrong.
    pub(super) fn add_output(&mut self, output: &Output, reasons: &mut Reasons) -> BatchCounts {
        // From the second round on, a path refers to the continuation, so the names of the pair are used first.
        let mut by_names: HashMap<Names<'_>, Vec<PairIndex>> = HashMap::new();
        for (number, pair) in self.requests.pairs.pairs.indexed() {
            let queue = self.requests.pairs.queues[pair.queue()].queue.as_ref();
            by_names.entry((queue.as_str(), pair.address().as_str())).or_default().push(number);
        }
        for failure in &output.failures {
            let reason = reasons.shared(Reason::new(&failure.error, &failure.message, failure.retryable));
            let queue = named(failure.queue_id.as_deref(), failure.queue_name.as_deref());
            let address = named(failure.email_address_id.as_deref(), failure.email_address.as_deref());
            let names = queue.zip(address);
            match names.and_then(|names| self.pair_of(failure.instance_id.as_deref(), names, &by_names)) {
                Some(pair) => self.list_pair(pair, &reason),
                None => self.list_without_pair(failure, &reason),
            }
        }
        let distinct = self.requests.distinct();
        let listed = self.listed();
        let done = output.associated + output.already_associated + output.planned;
        // Two pairs can be one only if they are given by name. The output then counts them once.
        let accounts_for_all = output.complete && (done + listed >= distinct || self.requests.has_names());
        let mut failed = listed;
        if !accounts_for_all {
            failed = distinct.saturating_sub(done).max(listed);
            let message = "its batch's report was cut short and does not say whether this pair was associated; sending \
                           it again is safe";
            self.fail_rest(&reasons.shared(Reason::new("NotReported", message, true)));
        }
        // An output cannot account for more pairs than its batch has, so its counts are limited to that number.
        let mut room = distinct.saturating_sub(failed);
        let mut within = |count: usize| {
            let count = count.min(room);
            room -= count;
            count
        };
        let mut counts = BatchCounts {
            associated: within(output.associated),
            already_associated: within(output.already_associated),
            planned: within(output.planned),
            failed,
            unnamed: 0,
        };
        self.note_already_there(output, &by_names);
        if !self.note_associated(counts.associated) {
            counts.unnamed = counts.associated;
        }
        counts
    }

    /// Marks the pairs that were already associated according to the output.
    fn note_already_there(&mut self, output: &Output, by_names: &HashMap<Names<'_>, Vec<PairIndex>>) {
        for entry in &output.already_there {
            let Some(queue) = named(entry.queue_id.as_deref(), entry.queue_name.as_deref()) else { continue };
            let ids = entry.email_address_ids.iter().map(|id| Named::Id(&**id));
            let addresses = entry.email_addresses.iter().map(|address| Named::Name(&**address));
            for address in ids.chain(addresses) {
                let pair = self.pair_of(entry.instance_id.as_deref(), (queue, address), by_names);
                if let Some(pair) = pair.filter(|pair| !self.pairs_listed[*pair]) {
                    self.told[pair] = Told::AlreadyAssociated;
                }
            }
        }
    }

    /// Marks the pairs that neither failed nor were already associated as associated, if their number equals the
    /// output's count. Otherwise marks none and returns `false`. There are more if the output does not list all pairs
    /// that were already associated, or has a failure of an unknown pair. There are also more if the batch refers to
    /// one pair in two ways, because the failure contains only one of them, and the other one would seem to be
    /// associated.
    fn note_associated(&mut self, count: usize) -> bool {
        let is_associated =
            |pair: &PairIndex| !self.pairs_listed[*pair] && self.told[*pair] != Told::AlreadyAssociated;
        let associated: Vec<PairIndex> = self.told.indices().filter(is_associated).collect();
        let agrees = associated.len() == count;
        if agrees {
            associated.into_iter().for_each(|pair| self.told[pair] = Told::Associated);
        }
        agrees
    }

    /// Returns the number of listed failures.
    fn listed(&self) -> usize {
        self.pairs_listed.iter().filter(|listed| **listed).count() + self.others_listed
    }

    /// Lists all pairs that are not listed yet.
    pub(super) fn fail_rest(&mut self, reason: &Arc<Reason>) {
        for pair in self.pairs_listed.indices() {
            self.list_pair(pair, reason);
        }
    }

    /// Returns the failed rows, and the state of each pair according to the output.
    pub(super) fn finish(self) -> (Vec<FailedRow>, IndexList<PairIndex, Told>) {
        (self.failed, self.told)
    }

    /// Returns the pair that an output refers to.
    fn pair_of(
        &self,
        instance: Option<&str>,
        names: Names<'_>,
        by_names: &HashMap<Names<'_>, Vec<PairIndex>>,
    ) -> Option<PairIndex> {
        let candidates = by_names.get(&names)?;
        let pairs = &self.requests.pairs;
        let of_instance = |instance: &str| {
            let is_of = |pair: &&PairIndex| &*pairs.queues[pairs.pairs[**pair].queue()].instance == instance;
            candidates.iter().find(is_of).copied()
        };
        // A request without an instance belongs to the function's own instance, whose identifier is in the output.
        of_instance(instance.unwrap_or_default()).or_else(|| of_instance(&InstanceId::unknown()))
    }

    /// Lists the pairs of the item that a path leads into, or else the names in the failure itself. Grouping passes on
    /// only valid requests, but only the associating function can detect that a request has no instance.
    fn list_without_pair(&mut self, failure: &OutputFailure, reason: &Arc<Reason>) {
        let item = failure.path.as_deref().and_then(item_of);
        let is_of_item = |pair: &PairIndex| item == Some(self.first_mentions[*pair].request.get());
        let pairs: Vec<PairIndex> = self.first_mentions.indices().filter(is_of_item).collect();
        if pairs.is_empty() {
            return self.list_other(failure, reason);
        }
        pairs.into_iter().for_each(|pair| self.list_pair(pair, reason));
    }

    fn list_other(&mut self, failure: &OutputFailure, reason: &Arc<Reason>) {
        self.others_listed += 1;
        self.failed.push(FailedRow {
            cells: Cells {
                instance_id: failure.instance_id.clone().unwrap_or_default(),
                queue_id: failure.queue_id.clone().unwrap_or_default(),
                queue_name: failure.queue_name.clone().unwrap_or_default(),
                email_address_id: failure.email_address_id.clone().unwrap_or_default(),
                email_address: failure.email_address.clone().unwrap_or_default(),
            },
            row: None,
            reason: reason.clone(),
            reference: None,
            request: None,
        });
    }

    fn list_pair(&mut self, number: PairIndex, reason: &Arc<Reason>) {
        if std::mem::replace(&mut self.pairs_listed[number], true) {
            return;
        }
        let pair = &self.requests.pairs.pairs[number];
        let known = self.ledger.and_then(|ledger| ledger.row(self.requests, number));
        self.failed.push(FailedRow {
            cells: Cells::of_pair(&self.requests.pairs.queues[pair.queue()], pair),
            row: known.or_else(|| self.requests.row(self.first_mentions[number].path)),
            reason: reason.clone(),
            reference: None,
            request: None,
        });
    }
}

fn named<'a>(id: Option<&'a str>, name: Option<&'a str>) -> Option<Named<&'a str, &'a str>> {
    id.map(Named::Id).or(name.map(Named::Name))
}
