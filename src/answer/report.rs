//! Reports the outcome of an invocation in a form that is small enough for a Step Functions payload.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::associate::{DistinctPair, Outcome, Outcomes, Plan};
use crate::index::{GroupIndex, PairIndex, QueueIndex};
use crate::pairs::Pairs;
use crate::requests::{InstanceId, QueueId};
use crate::settle::FailureEntry;
use crate::writer::json_size;

use super::{Counts, FinishedRun};

/// Size limit of a report, in bytes. A Step Functions payload ends at 262,144 bytes (Step Functions Developer Guide,
/// "Quotas related to state executions"), and a state machine adds other data to the report.
const MAX_BYTES: usize = 200_000;
/// Number of failures that cannot fit into a report. Each takes more than 40 bytes for the names of its fields.
const MAX_FAILURES: usize = MAX_BYTES / 40;

/// The outcome of an invocation as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Nothing failed.
    Succeeded,
    /// Some pairs or entries failed, and at least one pair did not.
    Partial,
    /// Something failed, and no pair was associated, already associated or planned.
    Failed,
    /// Nothing failed, and at least one pair was only planned.
    Planned,
}

impl Status {
    /// Derives the status from the counts.
    pub fn of(counts: &Counts) -> Self {
        let succeeded = counts.associated + counts.already_associated + counts.planned;
        match (counts.failed, succeeded, counts.planned) {
            (1.., 0, _) => Status::Failed,
            (1.., _, _) => Status::Partial,
            (0, _, 1..) => Status::Planned,
            (0, _, 0) => Status::Succeeded,
        }
    }
}

/// The outcome of one queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueRow {
    /// The instance.
    pub instance_id: InstanceId,
    /// The queue's identifier. A queue whose name was not found has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_id: Option<QueueId>,
    /// `None` unless a request specified the queue by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_name: Option<Arc<str>>,
    /// Mentions of its pairs, including repetitions.
    pub requested: usize,
    /// Pairs that a call associated.
    pub associated: usize,
    /// Pairs that were on the queue already.
    pub already_associated: usize,
    /// Pairs that only dry runs requested. A row omits a zero.
    #[serde(skip_serializing_if = "is_zero")]
    pub planned: usize,
    /// Pairs that were not associated.
    pub failed: usize,
    /// Calls that the queue's addresses need if nothing fails.
    pub chunks: usize,
    /// Addresses on the queue that no request contains, without its default address. Only a dry run that checks the
    /// queue knows the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unrequested: Option<usize>,
    /// The identifiers of those addresses. The command line shows them.
    #[serde(skip)]
    pub unrequested_ids: Vec<String>,
}

impl QueueRow {
    fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Associated => self.associated += 1,
            Outcome::AlreadyAssociated => self.already_associated += 1,
            Outcome::Planned => self.planned += 1,
            Outcome::Failed(_) => self.failed += 1,
        }
    }
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The response to a direct invocation, a Distributed Map batch, and an event without failures.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The outcome of the invocation as a whole.
    pub status: Status,
    /// The number of pairs for each outcome.
    #[serde(flatten)]
    pub counts: Counts,
    /// Calls to Connect, including look-ups and retries.
    pub api_calls: u64,
    /// Calls that the API throttled.
    pub throttled_calls: u64,
    /// In the order in which requests first mention the queues.
    pub queues: Vec<QueueRow>,
    /// In the order of the request.
    pub failures: Vec<FailureEntry>,
    pub(crate) failures_omitted: usize,
    pub(crate) queues_omitted: usize,
    /// An association request of the pairs that may succeed later, if the request wants them back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<Value>,
    /// The pairs that were on their queues already, as entries of a request. Omitted if there are none, and if the
    /// report has no room for all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) already_associated_pairs: Option<Value>,
}

impl Report {
    /// Creates the report of a run with all of its failures.
    pub(crate) fn new(mut run: FinishedRun<'_>) -> Self {
        let queues = std::mem::take(&mut run.queues);
        let failures = std::mem::take(&mut run.failures).into_vec();
        Report::with(&run, queues, failures)
    }

    /// Creates the report of a run without the failures that cannot fit in any case.
    pub(crate) fn shortened(run: &FinishedRun<'_>) -> Self {
        let failures = run.failures.as_slice();
        let included = failures.len().min(MAX_FAILURES);
        Report {
            failures_omitted: failures.len() - included,
            ..Report::with(run, run.queues.clone(), failures[..included].to_vec())
        }
    }

    fn with(run: &FinishedRun<'_>, queues: Vec<QueueRow>, failures: Vec<FailureEntry>) -> Self {
        Report {
            status: Status::of(&run.counts),
            counts: run.counts,
            api_calls: run.call_counts.api_calls,
            throttled_calls: run.call_counts.throttled_calls,
            queues,
            failures,
            failures_omitted: 0,
            queues_omitted: 0,
            remaining: None,
            already_associated_pairs: None,
        }
    }

    /// Adds the remaining request and cuts the report to its size limit. Returns `None` if the result is still too
    /// large.
    #[must_use]
    pub(crate) fn with_remaining(mut self, remaining: Option<Value>) -> Option<Self> {
        self.remaining = remaining;
        Some(self.within_size()).filter(|report| json_size(report) <= MAX_BYTES)
    }

    /// Adds the pairs that were already associated if all of them fit into the report. A part of them would be useless,
    /// because a pair outside the list would then seem to be new.
    #[must_use]
    pub(crate) fn with_already_associated(mut self, pairs: Option<Value>) -> Self {
        self.already_associated_pairs = pairs;
        if self.already_associated_pairs.is_some() && json_size(&self) > MAX_BYTES {
            self.already_associated_pairs = None;
        }
        self
    }

    /// Cuts the report to its size limit. It first leaves out queues without failures, then failures, then other
    /// queues. It always starts at the end.
    fn within_size(mut self) -> Self {
        let mut size = json_size(&self);
        // The size of an entry includes its comma.
        let queue_sizes: Vec<usize> = self.queues.iter().map(|queue| json_size(queue) + 1).collect();
        let mut is_included = vec![true; self.queues.len()];
        // The omission counters gain some digits while the report leaves out entries.
        let limit = MAX_BYTES - 32;
        for (number, queue) in self.queues.iter().enumerate().rev() {
            if size > limit && queue.failed == 0 {
                is_included[number] = false;
                size -= queue_sizes[number];
            }
        }
        while size > limit
            && let Some(failure) = self.failures.pop()
        {
            size -= json_size(&failure) + 1;
            self.failures_omitted += 1;
        }
        for number in (0..is_included.len()).rev() {
            if size > limit && is_included[number] {
                is_included[number] = false;
                size -= queue_sizes[number];
            }
        }
        let mut is_included = is_included.into_iter();
        let before = self.queues.len();
        self.queues.retain(|_| is_included.next().unwrap_or(true));
        self.queues_omitted = before - self.queues.len();
        self
    }
}

/// Builds the row of each queue. A pair may have been called with an older identifier of its queue than the row shows.
pub(crate) fn queue_rows(pairs: &Pairs, plan: &Plan, outcomes: &Outcomes) -> Vec<QueueRow> {
    let new = |queue: QueueIndex, group: Option<GroupIndex>| {
        let unrequested_ids = group.and_then(|group| outcomes.unrequested[group].clone());
        QueueRow {
            instance_id: pairs.queues[queue].instance.clone(),
            queue_id: group.map(|group| plan.groups[group].queue.clone()),
            queue_name: None,
            requested: 0,
            associated: 0,
            already_associated: 0,
            planned: 0,
            failed: 0,
            chunks: group.map_or(0, |group| plan.groups[group].calls_needed()),
            unrequested: unrequested_ids.as_ref().map(Vec::len),
            unrequested_ids: unrequested_ids.unwrap_or_default(),
        }
    };
    rows_of_queues(pairs, plan, new, |row, queue, pair, is_first| {
        row.queue_name = row.queue_name.take().or_else(|| pairs.queues[queue].queue.name().cloned());
        row.requested += 1;
        if is_first {
            row.add(&outcomes.by_pair[pair]);
        }
    })
}

/// Creates a row for each queue, and adds each mention of a pair to its row. The last argument of `add` says whether no
/// earlier mention was of the same distinct pair, so that the rows add up to the totals.
pub(crate) fn rows_of_queues<Row>(
    pairs: &Pairs,
    plan: &Plan,
    new: impl Fn(QueueIndex, Option<GroupIndex>) -> Row,
    mut add: impl FnMut(&mut Row, QueueIndex, PairIndex, bool),
) -> Vec<Row> {
    let mut rows = Vec::new();
    // A queue that requests identify in two ways has one row. A queue whose name was not found has a row of its own.
    let mut row_of: HashMap<Result<GroupIndex, QueueIndex>, usize> = HashMap::new();
    let mut counted: HashSet<DistinctPair> = HashSet::new();
    for mention in &pairs.mentions {
        let queue = pairs.pairs[mention.pair].queue();
        let group = plan.group_of[queue].as_ref().ok().copied();
        let next = rows.len();
        let row = *row_of.entry(group.ok_or(queue)).or_insert(next);
        if row == next {
            rows.push(new(queue, group));
        }
        add(&mut rows[row], queue, mention.pair, counted.insert(plan.distinct(mention.pair)));
    }
    rows
}

#[cfg(test)]
mod tests;
