//! Moves or deletes the selected dead letters, in a pass of its own.
//!
//! The program sends a dead letter to the other queue, and only then deletes it from this one. If it is killed, the ten dead
//! letters that it was moving may be in both queues, but none is lost.

use std::collections::HashSet;

use futures_util::future::join_all;

use super::args::DeadLetters;
use super::dead_letter::DeadLetter;
use super::pass::{Pass, Stopped};
use super::queue::{Queue, ReceivedMessage};
use crate::confirmation::confirmed;
use crate::outcome::Exit;
use crate::printable::print_error;
use crate::progress::Progress;
use crate::signals::Signals;
use crate::workload::count;

/// The action on the selected dead letters.
pub(super) enum Action {
    /// Send each to this queue, then delete it.
    Move(Queue),
    Delete,
}

/// Moves or deletes the selected dead letters, after confirmation. The queue contains about `others` more dead letters,
/// which stay hidden from other consumers until the end of the pass.
pub(super) async fn apply(
    args: &DeadLetters,
    queue: &Queue,
    action: &Action,
    selected: &[DeadLetter],
    others: usize,
    signals: &Signals,
) -> Result<Exit, String> {
    let letters = count(selected.len(), "dead letter");
    let (question, verb) = match action {
        Action::Move(target) => (format!("Move {letters} to {}?", target.url), "moved"),
        Action::Delete => (format!("Delete {letters} permanently?"), "deleted"),
    };
    if !args.yes && !confirmed(&question)? {
        print_error("Nothing was changed.");
        return Ok(Exit::Done);
    }
    let mut waiting: HashSet<&str> = selected.iter().map(|letter| &*letter.id).collect();
    let (mut done, mut first_problem, mut interrupted) = (0, None, None);
    let progress = Progress::start("dead letters", selected.len(), args.quiet);
    let mut pass = Pass::new(queue, others, signals);
    while !waiting.is_empty() {
        let received = match pass.next().await {
            Ok(received) => received,
            Err(Stopped::Signal(signal)) => {
                interrupted = Some(signal);
                break;
            }
            Err(Stopped::Problem(problem)) => {
                first_problem.get_or_insert(problem);
                break;
            }
        };
        if received.is_empty() {
            break;
        }
        let batch: Vec<&ReceivedMessage> =
            received.iter().filter(|letter| waiting.remove(&*letter.id)).collect();
        let results = join_all(batch.iter().map(|letter| move_or_delete(queue, action, letter))).await;
        for (letter, result) in batch.into_iter().zip(results) {
            match result {
                Ok(()) => {
                    done += 1;
                    pass.deleted(letter);
                }
                Err(problem) => {
                    first_problem.get_or_insert(problem);
                }
            }
        }
        progress.show(done, selected.len(), "");
    }
    progress.end();
    pass.end().await;
    let left = selected.len() - done;
    print_error(&format!("{} {verb}, {left} left in the queue", count(done, "dead letter")));
    if let Some(problem) = first_problem {
        print_error(&format!("associate-emails: {problem}"));
    }
    Ok(match (interrupted, left) {
        (Some(signal), _) => Exit::Interrupted(signal),
        (None, 0) => Exit::Done,
        (None, _) => Exit::Failed,
    })
}

async fn move_or_delete(queue: &Queue, action: &Action, letter: &ReceivedMessage) -> Result<(), String> {
    if let Action::Move(target) = action {
        target.send(letter).await?;
    }
    queue.delete(letter).await
}
