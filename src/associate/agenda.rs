//! Orders the steps that are ready, and keeps the steps that wait for their backoff.

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::connect::Operation;

use super::step::{Rank, Step};

/// The steps that have not started, or wait for a retry.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    /// The steps that can start as soon as pace and permits allow, for each operation. They are boxed, because the nodes of
    /// a map are often half empty.
    ready: [BTreeMap<(Rank, u64), Box<Step>>; Operation::ALL.len()],
    /// The other steps, by the end of their wait.
    waiting: BTreeMap<(Instant, u64), Box<Step>>,
    /// Number of steps that were added, so that steps of equal rank stay in order.
    added: u64,
}

impl Agenda {
    pub(super) fn push(&mut self, step: Step) {
        self.push_boxed(Box::new(step));
    }

    pub(super) fn push_later(&mut self, due: Instant, step: Step) {
        self.added += 1;
        self.waiting.insert((due, self.added), Box::new(step));
    }

    fn push_boxed(&mut self, step: Box<Step>) {
        self.added += 1;
        self.ready[step.task.operation() as usize].insert((step.rank, self.added), step);
    }

    /// Moves the steps whose wait is over to the ready ones. Returns the end of the next wait.
    pub(super) fn wake(&mut self, now: Instant) -> Option<Instant> {
        while let Some(waiting) = self.waiting.first_entry() {
            let (due, _) = *waiting.key();
            if due > now {
                return Some(due);
            }
            let step = waiting.remove();
            self.push_boxed(step);
        }
        None
    }

    /// The operation whose next step goes first, among the operations that pass the test.
    pub(super) fn next_operation(&self, among: impl Fn(Operation) -> bool) -> Option<Operation> {
        let next =
            |operation: &Operation| self.ready[*operation as usize].first_key_value().map(|(key, _)| key);
        Operation::ALL
            .into_iter()
            .filter(|operation| among(*operation) && next(operation).is_some())
            .min_by_key(next)
    }

    /// Whether the next ready step of an operation reads a directory of names.
    pub(super) fn is_directory_next(&self, operation: Operation) -> bool {
        self.ready[operation as usize].values().next().is_some_and(|step| step.task.reads_directory())
    }

    pub(super) fn pop(&mut self, operation: Operation) -> Option<Step> {
        self.ready[operation as usize].pop_first().map(|(_, step)| *step)
    }

    pub(super) fn drain(&mut self, operation: Operation) -> Vec<Step> {
        std::mem::take(&mut self.ready[operation as usize]).into_values().map(|step| *step).collect()
    }

    pub(super) fn drain_all(&mut self) -> Vec<Step> {
        let mut all: Vec<_> = std::mem::take(&mut self.waiting).into_values().map(|step| *step).collect();
        all.extend(Operation::ALL.into_iter().flat_map(|operation| self.drain(operation)));
        all
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.ready.iter().all(BTreeMap::is_empty)
    }
}
