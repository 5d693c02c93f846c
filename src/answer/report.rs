//! The report: what became of an invocation, small enough for a Step Functions payload.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::calls::Tally;
use crate::failures::{Failed, Failures};
use crate::outcomes::{Outcome, Outcomes};
use crate::pairs::{Named, Pairs};
use crate::plan::Plan;
use crate::writer::json_size;

use super::Counts;

/// A Step Functions payload ends at 262,144 bytes (Step Functions Developer Guide, "Quotas related to state
/// executions"), and a state machine puts other things beside the report.
const MAX_BYTES: usize = 200_000;

/// What became of an invocation as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Nothing failed.
    Succeeded,
    /// Some failed, and something else came of it.
    Partial,
    /// Something failed, and nothing else came of it.
    Failed,
    /// Nothing failed, and something was only planned.
    Planned,
}

impl Status {
    /// The status that the counts amount to.
    pub fn of(counts: &Counts) -> Self {
        let came_of_it = counts.associated + counts.already_associated + counts.planned;
        match (counts.failed, came_of_it, counts.planned) {
            (1.., 0, _) => Status::Failed,
            (1.., _, _) => Status::Partial,
            (0, _, 1..) => Status::Planned,
            (0, _, 0) => Status::Succeeded,
        }
    }
}

/// What became of one queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueRow {
    /// The instance.
    pub instance_id: Arc<str>,
    /// The queue's identifier, unless its name was not found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_id: Option<Arc<str>>,
    /// The queue's name, if it was named by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_name: Option<Arc<str>>,
    /// Pairs asked for, repetitions included.
    pub requested: usize,
    /// Pairs that a call associated.
    pub associated: usize,
    /// Pairs that were found on the queue.
    pub already_associated: usize,
    /// Pairs that only dry runs ask for; left out where there are none.
    #[serde(skip_serializing_if = "is_zero")]
    pub planned: usize,
    /// Pairs that were not associated.
    pub failed: usize,
    /// Calls that the queue's addresses need if nothing fails.
    pub chunks: usize,
    /// Addresses on the queue, beside its default one, that nobody asks for. Known only if a dry run checked the queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unrequested: Option<usize>,
    /// The identifiers of those addresses, for a person who looks.
    #[serde(skip)]
    pub unrequested_ids: Vec<String>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The answer to a direct invocation, a Distributed Map batch, and an event that went well.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What became of it as a whole.
    pub status: Status,
    /// How many pairs came to what.
    #[serde(flatten)]
    pub counts: Counts,
    /// Calls to Connect, look-ups and retries included.
    pub api_calls: u64,
    /// Calls that were refused by throttling.
    pub throttled_calls: u64,
    /// The queues, in the order they were first named.
    pub queues: Vec<QueueRow>,
    /// The failures, in the order of the request.
    pub failures: Vec<Failed>,
    /// Failures that are left out.
    pub failures_omitted: usize,
    /// Queues that are left out.
    pub queues_omitted: usize,
    /// An association request of the pairs that may succeed later, if the request wants them back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<Value>,
}

impl Report {
    /// The whole report.
    pub fn new(pairs: &Pairs, plan: &Plan, outcomes: &Outcomes, failures: &Failures, tally: Tally) -> Self {
        let counts = Counts::new(pairs, outcomes, failures);
        Report {
            status: Status::of(&counts),
            counts,
            api_calls: tally.api_calls,
            throttled_calls: tally.throttled_calls,
            queues: queue_rows(pairs, plan, outcomes),
            failures: failures.as_slice().to_vec(),
            failures_omitted: 0,
            queues_omitted: 0,
            remaining: None,
        }
    }

    /// A copy without failures that cannot fit in any case: with the names of its members alone, each takes more than
    /// forty bytes.
    #[must_use]
    pub fn shortened(&self) -> Self {
        let kept = self.failures.len().min(MAX_BYTES / 40);
        Report {
            queues: self.queues.clone(),
            failures: self.failures[..kept].to_vec(),
            failures_omitted: self.failures_omitted + self.failures.len() - kept,
            remaining: self.remaining.clone(),
            ..*self
        }
    }

    /// The report within its size, with what is left; nothing if that does not fit.
    #[must_use]
    pub fn with_remaining(mut self, remaining: Option<Value>) -> Option<Self> {
        self.remaining = remaining;
        Some(self.within_size()).filter(|report| json_size(report) <= MAX_BYTES)
    }

    /// The report within its size: first queues without failures are left out, then failures, then queues, always
    /// from the end.
    fn within_size(mut self) -> Self {
        let mut size = json_size(&self);
        // Each entry goes with its comma.
        let queue_sizes: Vec<usize> = self.queues.iter().map(|queue| json_size(queue) + 1).collect();
        let mut kept = vec![true; self.queues.len()];
        // The counters grow by some digits while entries are left out.
        let limit = MAX_BYTES - 32;
        for (number, queue) in self.queues.iter().enumerate().rev() {
            if size > limit && queue.failed == 0 {
                kept[number] = false;
                size -= queue_sizes[number];
            }
        }
        while size > limit
            && let Some(failure) = self.failures.pop()
        {
            size -= json_size(&failure) + 1;
            self.failures_omitted += 1;
        }
        for number in (0..kept.len()).rev() {
            if size > limit && kept[number] {
                kept[number] = false;
                size -= queue_sizes[number];
            }
        }
        let mut kept = kept.into_iter();
        let before = self.queues.len();
        self.queues.retain(|_| kept.next().unwrap_or(true));
        self.queues_omitted = before - self.queues.len();
        self
    }
}

fn queue_rows(pairs: &Pairs, plan: &Plan, outcomes: &Outcomes) -> Vec<QueueRow> {
    let mut rows: Vec<QueueRow> = Vec::with_capacity(plan.groups.len());
    // A queue named in two ways is one row; one whose name was not found has a row of its own.
    let mut row_of_group: HashMap<usize, usize> = HashMap::with_capacity(plan.groups.len());
    let mut row_of_queue = Vec::with_capacity(pairs.queues.len());
    for (queue, group) in pairs.queues.iter().zip(&plan.group_of) {
        let next = rows.len();
        let row = match group {
            Ok(group) => *row_of_group.entry(*group).or_insert(next),
            Err(_) => next,
        };
        let group = group.as_ref().ok().map(|group| (&plan.groups[*group], &outcomes.by_group[*group]));
        let name = match &queue.queue {
            Named::Id(_) => None,
            Named::Name(name) => Some(name.clone()),
        };
        if row == next {
            let count = |counts: fn(&Outcome) -> bool| {
                group.map_or(0, |(_, outcomes)| {
                    outcomes.by_address.iter().filter(|outcome| counts(outcome)).count()
                })
            };
            let unrequested = group.and_then(|(_, outcomes)| outcomes.unrequested.as_ref());
            rows.push(QueueRow {
                instance_id: queue.instance.clone(),
                queue_id: group.map(|(group, _)| group.queue.clone()),
                queue_name: name,
                requested: 0,
                associated: count(|outcome| matches!(outcome, Outcome::Associated)),
                already_associated: count(|outcome| matches!(outcome, Outcome::AlreadyAssociated)),
                planned: count(|outcome| matches!(outcome, Outcome::Planned)),
                failed: count(|outcome| matches!(outcome, Outcome::Failed(_))),
                chunks: group.map_or(0, |(group, _)| group.calls_needed()),
                unrequested: unrequested.map(Vec::len),
                unrequested_ids: unrequested.cloned().unwrap_or_default(),
            });
        } else if rows[row].queue_name.is_none() {
            rows[row].queue_name = name;
        }
        row_of_queue.push(row);
    }
    for ask in &pairs.asks {
        rows[row_of_queue[pairs.pairs[ask.pair()].queue()]].requested += 1;
    }
    for (pair, place) in pairs.pairs.iter().zip(&plan.places) {
        if place.is_err() {
            rows[row_of_queue[pair.queue()]].failed += 1;
        }
    }
    rows
}

#[cfg(test)]
mod tests;
