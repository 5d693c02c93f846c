//! One pass over the queue that takes nothing away.
//!
//! Each letter is hidden while the pass lasts, so that it comes once, and is made visible again at the end. If the
//! program is killed, the letters show up again by themselves.

use std::collections::HashMap;

use super::letter::Letter;
use super::queue::Queue;
use crate::progress::Steps;

/// Receives in a row that bring nothing new, after which the queue counts as read.
pub(super) const NOTHING_NEW: usize = 3;

/// How long letters are hidden, in seconds, while about so many are held: SQS gives some hundred a second.
pub(super) fn hidden_for(letters: usize) -> i32 {
    /// SQS hides for twelve hours at most (SQS Developer Guide, "Amazon SQS visibility timeout").
    const LONGEST: usize = 43_200;
    i32::try_from((30 + letters / 100).min(LONGEST)).unwrap_or(i32::MAX)
}

/// Reads every letter; nothing, if a person interrupts it.
///
/// # Errors
/// One line: the queue cannot be read.
pub(super) async fn read(queue: &Queue, expected: usize, quiet: bool) -> Result<Option<Vec<Letter>>, String> {
    let steps = Steps::begin("letters read", expected, quiet);
    let mut handles: HashMap<String, String> = HashMap::new();
    let mut letters = Vec::new();
    let ended = tokio::select! {
        read = pass(queue, expected, &mut handles, &mut letters, &steps) => Some(read),
        Ok(()) = tokio::signal::ctrl_c() => None,
    };
    steps.end();
    let handles: Vec<String> = handles.into_values().collect();
    queue.release(&handles).await;
    match ended {
        Some(Ok(())) => Ok(Some(letters)),
        Some(Err(problem)) => Err(problem),
        None => Ok(None),
    }
}

async fn pass(
    queue: &Queue,
    expected: usize,
    handles: &mut HashMap<String, String>,
    letters: &mut Vec<Letter>,
    steps: &Steps,
) -> Result<(), String> {
    let mut nothing_new = 0;
    while nothing_new < NOTHING_NEW {
        let received = queue.receive(hidden_for(expected)).await?;
        let before = letters.len();
        for received in received {
            // Who receives a letter again holds it by its newest handle.
            if handles.insert(received.id.clone(), received.handle.clone()).is_none() {
                letters.push(Letter::read(&received));
            }
        }
        nothing_new = if letters.len() == before { nothing_new + 1 } else { 0 };
        steps.show(letters.len());
    }
    Ok(())
}
