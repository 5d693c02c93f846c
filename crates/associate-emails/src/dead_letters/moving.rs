//! A pass that moves or deletes the selected dead letters.
//!
//! Dead letters are handled in batches of ten. The program sends a batch, and then deletes the dead letters that
//! arrived. A signal ends the pass between two batches. If the program is killed within a batch, the dead letters of
//! that batch may be in both queues, but none is lost.

use std::collections::{HashMap, HashSet};

use super::queue::{Queue, ReceivedMessage};
use super::reading::{EmptyReceives, VisibilityTimeout};
use crate::progress::Steps;
use crate::signals::{Signal, Signals};

/// The action on the selected dead letters.
#[derive(Debug)]
pub(super) enum Action {
    /// Send each to this queue, then delete it.
    Move(Queue),
    /// Delete each.
    Delete,
}

/// The result of a pass.
#[derive(Debug, Default)]
pub(super) struct MoveResult {
    /// Dead letters moved or deleted.
    pub(super) done: usize,
    /// Selected dead letters that are still in the queue.
    pub(super) left: usize,
    /// The error of the first dead letter that could not be moved or deleted.
    pub(super) first_problem: Option<String>,
    /// The signal that ended the pass.
    pub(super) interrupted: Option<Signal>,
}

/// Moves or deletes the dead letters with these identifiers. The queue contains about `others` more dead letters, which
/// stay hidden from other consumers until the end of the pass.
pub(super) async fn apply(
    queue: &Queue,
    action: &Action,
    selected: &HashSet<&str>,
    others: usize,
    quiet: bool,
    signals: &Signals,
) -> MoveResult {
    let steps = Steps::start("dead letters", selected.len(), quiet);
    let mut result = MoveResult::default();
    let mut tried: HashSet<String> = HashSet::new();
    let mut hidden: HashMap<String, String> = HashMap::new();
    let mut stop = signals.stop();
    let (mut timeout, mut empty_receives) = (VisibilityTimeout::of(others), EmptyReceives::default());
    while tried.len() < selected.len() {
        // A signal may only end the wait for dead letters. A batch that is being moved is completed.
        let received = tokio::select! {
            biased;
            signal = stop.requested() => {
                result.interrupted = Some(signal);
                break;
            }
            received = queue.receive(timeout.seconds(), empty_receives.wait()) => received,
        };
        let received = match received {
            Ok(received) => received,
            Err(problem) => {
                result.first_problem.get_or_insert(problem);
                break;
            }
        };
        if empty_receives.queue_is_empty(received.len()) {
            break;
        }
        if received.iter().any(|letter| hidden.contains_key(&letter.id)) {
            timeout.lengthen();
        }
        let is_next =
            |letter: &&ReceivedMessage| selected.contains(&*letter.id) && !tried.contains(&letter.id);
        let (batch, others): (Vec<&ReceivedMessage>, Vec<&ReceivedMessage>) =
            received.iter().partition(is_next);
        hidden.extend(others.iter().map(|letter| (letter.id.clone(), letter.handle.clone())));
        let gone = apply_to_batch(queue, action, &batch, &mut result.first_problem).await;
        for (letter, gone) in batch.iter().zip(gone) {
            result.done += usize::from(gone);
            tried.insert(letter.id.clone());
            if !gone {
                hidden.insert(letter.id.clone(), letter.handle.clone());
            }
        }
        steps.show(result.done);
    }
    steps.end();
    queue.make_visible(&hidden.into_values().collect::<Vec<_>>()).await;
    result.left = selected.len() - result.done;
    result
}

/// Moves or deletes some dead letters. Returns for each whether it was removed from the queue.
async fn apply_to_batch(
    queue: &Queue,
    action: &Action,
    batch: &[&ReceivedMessage],
    first_problem: &mut Option<String>,
) -> Vec<bool> {
    let mut note = |problem: Option<String>| {
        if let (None, Some(problem)) = (&first_problem, problem) {
            *first_problem = Some(problem);
        }
    };
    let arrived = match action {
        Action::Delete => vec![true; batch.len()],
        Action::Move(target) => {
            let (arrived, problem) = target.send(batch).await;
            note(problem);
            arrived
        }
    };
    let sent: Vec<&ReceivedMessage> =
        batch.iter().zip(&arrived).filter(|(_, arrived)| **arrived).map(|(l, _)| *l).collect();
    let (deleted, problem) = queue.delete(&sent).await;
    note(problem);
    let mut deleted = deleted.into_iter();
    arrived.into_iter().map(|arrived| arrived && deleted.next().unwrap_or(false)).collect()
}
