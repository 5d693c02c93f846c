//! A pass that moves or deletes the chosen dead letters.
//!
//! Dead letters go in batches of ten. The program sends a batch, and then deletes the dead letters that arrived. A
//! person's interrupt ends the pass between two batches. If the program is killed within a batch, the dead letters of
//! that batch may be in both queues, and no dead letter is in none.

use std::collections::{HashMap, HashSet};

use super::queue::{Queue, Received};
use super::reading::{Emptiness, Hiding};
use crate::progress::Steps;
use crate::signals::{Signal, Signals};

/// The action on the chosen dead letters.
#[derive(Debug)]
pub(super) enum Fate {
    /// It is sent to this queue, then deleted.
    Moved(Queue),
    /// It is deleted.
    Deleted,
}

/// How a pass ended.
#[derive(Debug, Default)]
pub(super) struct Moved {
    /// Dead letters moved or deleted.
    pub(super) done: usize,
    /// Chosen dead letters that are where they were.
    pub(super) left: usize,
    /// The error of the first dead letter that could not be moved or deleted.
    pub(super) first_problem: Option<String>,
    /// The signal that ended it.
    pub(super) interrupted: Option<Signal>,
}

/// Moves or deletes the dead letters with these identifiers. The queue holds about `others` dead letters beside them.
/// The pass hides those to its end.
pub(super) async fn carry_out(
    queue: &Queue,
    fate: &Fate,
    chosen: &HashSet<&str>,
    others: usize,
    quiet: bool,
    signals: &Signals,
) -> Moved {
    let steps = Steps::begin("dead letters", chosen.len(), quiet);
    let mut moved = Moved::default();
    let mut tried: HashSet<String> = HashSet::new();
    let mut held: HashMap<String, String> = HashMap::new();
    let mut stop = signals.stop();
    let (mut hiding, mut emptiness) = (Hiding::of(others), Emptiness::default());
    while tried.len() < chosen.len() {
        // An interrupt may only end the wait for dead letters. A batch that is being moved is moved to its end.
        let received = tokio::select! {
            biased;
            signal = stop.requested() => {
                moved.interrupted = Some(signal);
                break;
            }
            received = queue.receive(hiding.seconds(), emptiness.wait()) => received,
        };
        let received = match received {
            Ok(received) => received,
            Err(problem) => {
                moved.first_problem.get_or_insert(problem);
                break;
            }
        };
        if emptiness.is_certain(received.len()) {
            break;
        }
        if received.iter().any(|letter| held.contains_key(&letter.id)) {
            hiding.lengthen();
        }
        let is_next = |letter: &&Received| chosen.contains(&*letter.id) && !tried.contains(&letter.id);
        let (batch, others): (Vec<&Received>, Vec<&Received>) = received.iter().partition(is_next);
        held.extend(others.iter().map(|letter| (letter.id.clone(), letter.handle.clone())));
        let gone = carry_out_batch(queue, fate, &batch, &mut moved.first_problem).await;
        for (letter, gone) in batch.iter().zip(gone) {
            moved.done += usize::from(gone);
            tried.insert(letter.id.clone());
            if !gone {
                held.insert(letter.id.clone(), letter.handle.clone());
            }
        }
        steps.show(moved.done);
    }
    steps.end();
    queue.release(&held.into_values().collect::<Vec<_>>()).await;
    moved.left = chosen.len() - moved.done;
    moved
}

/// Moves or deletes some dead letters. Gives for each whether it is gone from the queue.
async fn carry_out_batch(
    queue: &Queue,
    fate: &Fate,
    batch: &[&Received],
    first_problem: &mut Option<String>,
) -> Vec<bool> {
    let mut note = |problem: Option<String>| {
        if let (None, Some(problem)) = (&first_problem, problem) {
            *first_problem = Some(problem);
        }
    };
    let arrived = match fate {
        Fate::Deleted => vec![true; batch.len()],
        Fate::Moved(target) => {
            let (arrived, problem) = target.send(batch).await;
            note(problem);
            arrived
        }
    };
    let sent: Vec<&Received> =
        batch.iter().zip(&arrived).filter(|(_, arrived)| **arrived).map(|(l, _)| *l).collect();
    let (deleted, problem) = queue.delete(&sent).await;
    note(problem);
    let mut deleted = deleted.into_iter();
    arrived.into_iter().map(|arrived| arrived && deleted.next().unwrap_or(false)).collect()
}
