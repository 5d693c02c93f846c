//! Agenda: the attempts that are ready, in their order, and the attempts that wait for their backoff.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use tokio::time::Instant;

use crate::connect::{Operation, Refusal};
use crate::index::GroupIndex;

use super::step::{Attempt, Step, Task};
use crate::backoff::Backoff;

/// An attempt that may begin as soon as pace and permits allow.
#[derive(Debug)]
pub(super) enum Pending {
    /// The first attempt of a step.
    First(Box<Step>),
    /// Another attempt of a call that the API refused.
    Again(Box<Retry>),
}

/// A call that the API refused and that the caller makes again.
#[derive(Debug)]
pub(super) struct Retry {
    pub(super) attempt: Attempt,
    pub(super) rank: Rank,
    /// Number of attempts so far.
    pub(super) attempts: u32,
    pub(super) backoff: Backoff,
    /// Why the API refused the last attempt.
    pub(super) last: Refusal,
    /// Connect may have carried out an earlier attempt although its answer was lost.
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
    ready: [BinaryHeap<Reverse<Pending>>; Operation::ALL.len()],
    waiting: BinaryHeap<Reverse<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    due: Instant,
    pending: Pending,
}

impl Agenda {
    pub(super) fn push(&mut self, pending: Pending) {
        self.ready[pending.operation() as usize].push(Reverse(pending));
    }

    pub(super) fn push_later(&mut self, due: Instant, pending: Pending) {
        self.waiting.push(Reverse(Waiting { due, pending }));
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
    pub(super) fn pop(&mut self, operation: Operation) -> Option<Pending> {
        self.ready[operation as usize].pop().map(|Reverse(pending)| pending)
    }

    /// Removes all ready attempts of an operation.
    pub(super) fn drain(&mut self, operation: Operation) -> Vec<Pending> {
        self.ready[operation as usize].drain().map(|Reverse(pending)| pending).collect()
    }

    pub(super) fn drain_all(&mut self) -> Vec<Pending> {
        let mut all: Vec<Pending> = self.waiting.drain().map(|Reverse(waiting)| waiting.pending).collect();
        all.extend(Operation::ALL.into_iter().flat_map(|operation| self.drain(operation)));
        all
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.ready.iter().all(BinaryHeap::is_empty)
    }
}

impl Pending {
    pub(super) fn rank(&self) -> Rank {
        match self {
            Pending::First(step) => Rank { urgency: step.urgency, place: step.place },
            Pending::Again(retry) => retry.rank,
        }
    }

    /// The group whose call this is, if it is one.
    pub(super) fn group(&self) -> Option<GroupIndex> {
        match self {
            Pending::First(step) => step.task.group(),
            Pending::Again(retry) => retry.attempt.group(),
        }
    }

    fn operation(&self) -> Operation {
        match self {
            Pending::First(step) => step.task.operation(),
            Pending::Again(retry) => retry.attempt.operation(),
        }
    }

    fn reads_directory(&self) -> bool {
        match self {
            Pending::First(step) => matches!(step.task, Task::Search { .. }),
            Pending::Again(retry) => matches!(retry.attempt, Attempt::Search { .. }),
        }
    }
}

impl Ord for Pending {
    fn cmp(&self, other: &Self) -> Ordering {
        // Calls of a whole instance wait for its check, so it goes before a directory of the same rank.
        self.rank().cmp(&other.rank()).then(self.reads_directory().cmp(&other.reads_directory()))
    }
}

impl PartialOrd for Pending {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Pending {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Pending {}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.due, &self.pending).cmp(&(other.due, &other.pending))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Waiting {}
