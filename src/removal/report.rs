//! Reports the state of each pair of a removal.

use std::sync::Arc;

use serde::Serialize;

use crate::answer::{Status, rows_of_queues};
use crate::index::{GroupIndex, QueueIndex};
use crate::requests::{InstanceId, QueueId};
use crate::settle::{FailureEntry, Failures};

use super::{Removal, RemovalState};

/// The plan or the outcome of a removal.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovalReport {
    /// The outcome of the removal as a whole.
    pub status: Status,
    /// Different pairs, and everything invalid.
    pub distinct: usize,
    /// The number of pairs in each state.
    #[serde(flatten)]
    pub counts: RemovalCounts,
    /// Calls to Connect, look-ups and retries included.
    pub api_calls: u64,
    /// Calls that the API rejected by throttling.
    pub throttled_calls: u64,
    /// The queues, in the order of their first pairs.
    pub queues: Vec<RemovalRow>,
    /// The failures, in the order of the file.
    pub failures: Vec<FailureEntry>,
}

/// The number of pairs in each state. All but `requested` add up to the number of different pairs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovalCounts {
    /// Pairs in the file, repetitions included.
    pub requested: usize,
    /// Pairs that a call removed.
    pub removed: usize,
    /// Pairs whose address is not on the queue.
    pub not_on_queue: usize,
    /// Pairs whose address is the queue's default one, which is never removed.
    pub default_addresses: usize,
    /// Pairs that the caller keeps.
    pub kept: usize,
    /// Pairs that are to be removed.
    pub planned: usize,
    /// Pairs that were not removed, and everything invalid.
    pub failed: usize,
}

/// The pairs of one queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovalRow {
    /// The instance.
    pub instance_id: InstanceId,
    /// The queue's identifier. A queue whose name was not found has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_id: Option<QueueId>,
    /// The queue's name, if the file identifies the queue by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_name: Option<Arc<str>>,
    /// The number of pairs in each state.
    #[serde(flatten)]
    pub counts: RemovalCounts,
}

impl RemovalCounts {
    /// Counts a pair. A pair without a state could not be resolved.
    fn count(&mut self, state: Option<&RemovalState>) {
        *match state {
            Some(RemovalState::Planned) => &mut self.planned,
            Some(RemovalState::Removed) => &mut self.removed,
            Some(RemovalState::NotOnQueue) => &mut self.not_on_queue,
            Some(RemovalState::Default) => &mut self.default_addresses,
            Some(RemovalState::Kept) => &mut self.kept,
            Some(RemovalState::Failed(_)) | None => &mut self.failed,
        } += 1;
    }

    fn distinct(&self) -> usize {
        let RemovalCounts { requested: _, removed, not_on_queue, default_addresses, kept, planned, failed } =
            self;
        removed + not_on_queue + default_addresses + kept + planned + failed
    }

    fn status(&self) -> Status {
        match (self.failed, self.planned) {
            (0, 0) => Status::Succeeded,
            (0, _) => Status::Planned,
            (failed, _) if failed == self.distinct() => Status::Failed,
            _ => Status::Partial,
        }
    }
}

impl RemovalReport {
    pub(super) fn new(removal: &Removal<'_>) -> Self {
        let Removal { envelope, source_ids, pairs, plan, call_counts, .. } = removal;
        let failures =
            Failures::new(&envelope.sources, source_ids, pairs, plan, |pair| removal.failure(pair));
        let mut counts = RemovalCounts {
            requested: pairs.mentions.len() + pairs.invalid.len(),
            failed: pairs.invalid.len(),
            ..RemovalCounts::default()
        };
        let new = |queue: QueueIndex, group: Option<GroupIndex>| RemovalRow {
            instance_id: pairs.queues[queue].instance.clone(),
            queue_id: group.map(|group| plan.groups[group].queue.clone()),
            queue_name: None,
            counts: RemovalCounts::default(),
        };
        let queues = rows_of_queues(pairs, plan, new, |row, queue, pair, is_first| {
            row.queue_name = row.queue_name.take().or_else(|| pairs.queues[queue].queue.name().cloned());
            row.counts.requested += 1;
            if is_first {
                row.counts.count(removal.state(pair));
                counts.count(removal.state(pair));
            }
        });
        RemovalReport {
            status: counts.status(),
            distinct: counts.distinct(),
            counts,
            api_calls: call_counts.api_calls,
            throttled_calls: call_counts.throttled_calls,
            queues,
            failures: failures.into_vec(),
        }
    }
}
