//! Agenda: the attempts that are to be made, in their order, and those that wait for their backoff.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use tokio::time::Instant;

use crate::connect::{Operation, Refusal};

use super::backoff::Backoff;
use super::step::{Attempt, Step};

/// An attempt that may begin as soon as pace and permits allow.
#[derive(Debug)]
pub(super) enum Pending {
    /// The first attempt of a step.
    First(Box<Step>),
    /// Another attempt of a call that was refused.
    Again(Box<Retry>),
}

/// A call that was refused and is made again.
#[derive(Debug)]
pub(super) struct Retry {
    pub(super) attempt: Attempt,
    pub(super) rank: Rank,
    /// Attempts that were made.
    pub(super) attempts: u32,
    pub(super) backoff: Backoff,
    /// Why the last attempt was refused.
    pub(super) last: Refusal,
    /// An attempt may have been carried out although its answer was lost.
    pub(super) maybe_done: bool,
}

/// The order of attempts: the least goes first. A call that is made again keeps its rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    pub(super) urgency: usize,
    pub(super) place: usize,
}

/// Attempts by operation and rank, and by the time until which they wait.
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

    /// Moves what has waited long enough to what is ready, and tells when the next wait ends.
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

    /// Of these operations, the one whose next attempt comes first.
    pub(super) fn next_operation(&self, among: impl Fn(Operation) -> bool) -> Option<Operation> {
        let head = |operation: &Operation| {
            self.ready[*operation as usize].peek().map(|Reverse(pending)| pending.rank())
        };
        Operation::ALL
            .into_iter()
            .filter(|operation| among(*operation) && head(operation).is_some())
            .min_by_key(head)
    }

    /// The next attempt of an operation, which leaves the agenda.
    pub(super) fn pop(&mut self, operation: Operation) -> Option<Pending> {
        self.ready[operation as usize].pop().map(|Reverse(pending)| pending)
    }

    /// All attempts of an operation that are ready, which leave the agenda.
    pub(super) fn drain(&mut self, operation: Operation) -> Vec<Pending> {
        self.ready[operation as usize].drain().map(|Reverse(pending)| pending).collect()
    }

    /// All attempts, which leave the agenda.
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

    fn operation(&self) -> Operation {
        match self {
            Pending::First(step) => step.task.operation(),
            Pending::Again(retry) => retry.attempt.operation(),
        }
    }
}

impl Ord for Pending {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
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
