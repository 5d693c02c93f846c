//! A pass that moves or deletes the selected dead letters.
//!
//! Dead letters are handled in batches of ten. The program sends a batch, and then deletes what arrived. A signal ends the
//! pass between two batches. If the program is killed within a batch, the dead letters of that batch may be in both
//! queues, but none is lost.

use std::collections::{HashMap, HashSet};

use super::queue::{Queue, ReceivedMessage};
use super::reading::{EmptyReceives, VisibilityTimeout};
use crate::progress::Progress;
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
    let progress = Progress::start("dead letters", selected.len(), quiet);
    let mut result = MoveResult::default();
    let mut tried: HashSet<String> = HashSet::new();
    let mut hidden: HashMap<String, String> = HashMap::new();
    let mut stop = signals.stop();
    let (mut timeout, mut empty_receives) = (VisibilityTimeout::of(others), EmptyReceives::default());
    while tried.len() < selected.len() {
        // A signal ends only the wait for dead letters. A batch that is being moved is completed.
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
        for (letter, applied) in batch.iter().zip(apply_to_batch(queue, action, &batch).await) {
            tried.insert(letter.id.clone());
            match applied {
                Ok(()) => result.done += 1,
                Err(problem) => {
                    result.first_problem.get_or_insert(problem);
                    hidden.insert(letter.id.clone(), letter.handle.clone());
                }
            }
        }
        progress.show(result.done, selected.len(), "");
    }
    progress.end();
    queue.make_visible(&hidden.into_values().collect::<Vec<_>>()).await;
    result.left = selected.len() - result.done;
    result
}

/// Moves or deletes up to ten dead letters. Returns a result for each.
async fn apply_to_batch(
    queue: &Queue,
    action: &Action,
    batch: &[&ReceivedMessage],
) -> Vec<Result<(), String>> {
    if batch.is_empty() {
        return Vec::new();
    }
    let sent = match action {
        Action::Delete => vec![Ok(()); batch.len()],
        Action::Move(target) => target.send(batch).await,
    };
    let arrived: Vec<&ReceivedMessage> =
        batch.iter().zip(&sent).filter(|(_, sent)| sent.is_ok()).map(|(letter, _)| *letter).collect();
    let mut deleted = queue.delete(&arrived).await.into_iter();
    let mut next = |()| deleted.next().unwrap_or_else(|| Err("the dead letter was not deleted".to_owned()));
    sent.into_iter().map(|sent| sent.and_then(&mut next)).collect()
}
