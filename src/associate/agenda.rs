//! Orders the attempts that are ready, and keeps the attempts that wait for their backoff.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::connect::{Operation, Rejection};
use crate::index::GroupIndex;

use super::step::{Attempt, Step, Task};

/// An attempt that starts as soon as pace and permits allow.
#[derive(Debug)]
pub(super) enum PendingAttempt {
    /// The first attempt of a step.
    First(Box<Step>),
    /// Another attempt of a call that the API rejected.
    Again(Box<RetryAttempt>),
}

/// A call that the API rejected and that is made again.
#[derive(Debug)]
pub(super) struct RetryAttempt {
    pub(super) attempt: Attempt,
    pub(super) rank: Rank,
    /// Number of attempts so far.
    pub(super) attempts: u32,
    pub(super) backoff: Backoff,
    /// The rejection of the last attempt.
    pub(super) last: Rejection,
    /// Connect may have carried out an earlier attempt although its response was lost.
    pub(super) maybe_done: bool,
}

/// The order of attempts: the lowest rank goes first. A retry keeps the rank of its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    pub(super) urgency: usize,
    pub(super) place: usize,
}

/// The attempts. Ready attempts are ordered by operation and rank, waiting attempts by the end of their wait.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    ready: [BinaryHeap<Reverse<PendingAttempt>>; Operation::ALL.len()],
    waiting: BinaryHeap<Reverse<WaitingAttempt>>,
}

#[derive(Debug)]
struct WaitingAttempt {
    due: Instant,
    pending: PendingAttempt,
}

impl Agenda {
    pub(super) fn push(&mut self, pending: PendingAttempt) {
        self.ready[pending.operation() as usize].push(Reverse(pending));
    }

    pub(super) fn push_later(&mut self, due: Instant, pending: PendingAttempt) {
        self.waiting.push(Reverse(WaitingAttempt { due, pending }));
    }

    /// Moves the attempts whose wait is over to the ready ones. Returns the end of the next wait.
    pub(super) fn wake(&mut self, now: Instant) -> Option<Instant> {
        while let Some(Reverse(waiting)) = self.waiting.peek() {
            if waiting.due > now {
                return Some(waiting.due);
            }
            if let Some(Reverse(waiting)) = self.waiting.pop() {
                self.push(waiting.pending);
            }
        }
        None
    }

    /// The operation with the most urgent ready attempt, among the operations that pass the test.
    pub(super) fn next_operation(&self, among: impl Fn(Operation) -> bool) -> Option<Operation> {
        let head = |operation: &Operation| {
            self.ready[*operation as usize].peek().map(|Reverse(pending)| pending.rank())
        };
        Operation::ALL
            .into_iter()
            .filter(|operation| among(*operation) && head(operation).is_some())
            .min_by_key(head)
    }

    /// Whether the next ready attempt of an operation reads a directory of names.
    pub(super) fn is_directory_next(&self, operation: Operation) -> bool {
        self.ready[operation as usize].peek().is_some_and(|Reverse(pending)| pending.reads_directory())
    }

    /// Removes the next ready attempt of an operation.
    pub(super) fn pop(&mut self, operation: Operation) -> Option<PendingAttempt> {
        self.ready[operation as usize].pop().map(|Reverse(pending)| pending)
    }

    /// Removes all ready attempts of an operation.
    pub(super) fn drain(&mut self, operation: Operation) -> Vec<PendingAttempt> {
        self.ready[operation as usize].drain().map(|Reverse(pending)| pending).collect()
    }

    pub(super) fn drain_all(&mut self) -> Vec<PendingAttempt> {
        let mut all: Vec<PendingAttempt> =
            self.waiting.drain().map(|Reverse(waiting)| waiting.pending).collect();
        all.extend(Operation::ALL.into_iter().flat_map(|operation| self.drain(operation)));
        all
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.ready.iter().all(BinaryHeap::is_empty)
    }
}

impl PendingAttempt {
    pub(super) fn rank(&self) -> Rank {
        match self {
            PendingAttempt::First(step) => Rank { urgency: step.urgency, place: step.place },
            PendingAttempt::Again(retry) => retry.rank,
        }
    }

    /// The group whose call this is, if it is one.
    pub(super) fn group(&self) -> Option<GroupIndex> {
        match self {
            PendingAttempt::First(step) => step.task.group(),
            PendingAttempt::Again(retry) => retry.attempt.group(),
        }
    }

    fn operation(&self) -> Operation {
        match self {
            PendingAttempt::First(step) => step.task.operation(),
            PendingAttempt::Again(retry) => retry.attempt.operation(),
        }
    }

    fn reads_directory(&self) -> bool {
        match self {
            PendingAttempt::First(step) => matches!(step.task, Task::Search { .. }),
            PendingAttempt::Again(retry) => matches!(retry.attempt, Attempt::Search { .. }),
        }
    }
}

impl Ord for PendingAttempt {
    fn cmp(&self, other: &Self) -> Ordering {
        // Calls of a whole instance wait for its check, so it goes before a directory of the same rank.
        self.rank().cmp(&other.rank()).then(self.reads_directory().cmp(&other.reads_directory()))
    }
}

impl PartialOrd for PendingAttempt {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for PendingAttempt {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for PendingAttempt {}

impl Ord for WaitingAttempt {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.due, &self.pending).cmp(&(other.due, &other.pending))
    }
}

impl PartialOrd for WaitingAttempt {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for WaitingAttempt {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for WaitingAttempt {}
