//! The order in which attempts are begun, and those that wait for their backoff.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use tokio::time::Instant;

use super::backoff::Backoff;
use super::operation::{Call, Operation};
use super::refusal::Refusal;

/// A job whose next attempt may begin as soon as pace and permits allow.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) job: usize,
    pub(super) operation: Operation,
    /// The least goes first; among equals, who was there first, and so a call made again keeps its place.
    pub(super) urgency: usize,
    pub(super) place: u64,
    /// What was tried already; nothing before the first attempt.
    pub(super) tried: Option<Tried>,
    /// The job asked for its call once more.
    pub(super) again: bool,
}

/// A call that was attempted and is to be made again.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) call: Call,
    pub(super) attempts: u32,
    pub(super) backoff: Backoff,
    pub(super) last: Refusal,
    pub(super) maybe_done: bool,
}

/// Attempts by operation and urgency, and by the time until which they wait.
#[derive(Debug, Default)]
pub(super) struct Queue {
    ready: [BinaryHeap<Reverse<Ready>>; Operation::ALL.len()],
    waiting: BinaryHeap<Reverse<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    due: Instant,
    ready: Ready,
}

impl Queue {
    pub(super) fn push(&mut self, ready: Ready) {
        self.ready[ready.operation as usize].push(Reverse(ready));
    }

    pub(super) fn push_later(&mut self, due: Instant, ready: Ready) {
        self.waiting.push(Reverse(Waiting { due, ready }));
    }

    /// Moves what has waited long enough to what is ready, and tells when the next wait ends.
    pub(super) fn wake(&mut self, now: Instant) -> Option<Instant> {
        while let Some(Reverse(waiting)) = self.waiting.peek() {
            if waiting.due > now {
                return Some(waiting.due);
            }
            if let Some(Reverse(waiting)) = self.waiting.pop() {
                self.push(waiting.ready);
            }
        }
        None
    }

    /// Of these operations, the one whose next attempt is the most urgent.
    pub(super) fn most_urgent(&self, among: impl Fn(Operation) -> bool) -> Option<Operation> {
        let head =
            |operation: &Operation| self.ready[*operation as usize].peek().map(|Reverse(ready)| ready.key());
        Operation::ALL
            .into_iter()
            .filter(|operation| among(*operation) && head(operation).is_some())
            .min_by_key(head)
    }

    pub(super) fn pop(&mut self, operation: Operation) -> Option<Ready> {
        self.ready[operation as usize].pop().map(|Reverse(ready)| ready)
    }

    /// Everything of an operation that is ready, which leaves the queue.
    pub(super) fn drain(&mut self, operation: Operation) -> Vec<Ready> {
        self.ready[operation as usize].drain().map(|Reverse(ready)| ready).collect()
    }

    /// Everything that waits, which leaves the queue.
    pub(super) fn drain_waiting(&mut self) -> Vec<Ready> {
        self.waiting.drain().map(|Reverse(waiting)| waiting.ready).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.ready.iter().all(BinaryHeap::is_empty)
    }
}

impl Ready {
    fn key(&self) -> (usize, u64) {
        (self.urgency, self.place)
    }
}

impl Ord for Ready {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Ready {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ready {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Ready {}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.due, &self.ready).cmp(&(other.due, &other.ready))
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
