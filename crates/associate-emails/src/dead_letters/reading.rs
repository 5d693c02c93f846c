//! One pass over the queue that removes nothing.
//!
//! The pass hides each dead letter while it lasts, so that each comes once. At the end it makes the dead letters
//! visible again. If the program is killed, SQS shows the dead letters again by itself.

use std::collections::HashMap;

use super::dead_letter::DeadLetter;
use super::queue::Queue;
use crate::progress::Steps;
use crate::signals::{Signal, Signals};

/// The time for which a pass hides dead letters from others.
#[derive(Debug)]
pub(super) struct Hiding {
    seconds: i32,
}

impl Hiding {
    /// SQS hides for twelve hours at most (SQS Developer Guide, "Amazon SQS visibility timeout").
    const LONGEST: i32 = 43_200;

    /// For a pass that holds about so many dead letters to its end. SQS gives some hundred a second.
    pub(super) fn of(letters: usize) -> Self {
        let seconds = i32::try_from(30 + letters / 100).unwrap_or(Self::LONGEST);
        Hiding { seconds: seconds.min(Self::LONGEST) }
    }

    /// In seconds.
    pub(super) fn seconds(&self) -> i32 {
        self.seconds
    }

    /// A dead letter came again while the pass held it, so the hiding time was too short for this queue. With a short
    /// time the first dead letters would come round and round, and the last ones never.
    pub(super) fn lengthen(&mut self) {
        self.seconds = self.seconds.saturating_mul(2).min(Self::LONGEST);
    }
}

/// Ends a pass after three receives in a row that brought no dead letter.
#[derive(Debug, Default)]
pub(super) struct Emptiness(u32);

impl Emptiness {
    /// The time that the next receive waits, in seconds. A receive on a queue that seems empty waits, because SQS then
    /// asks all of its servers (SQS Developer Guide, "Amazon SQS short and long polling").
    pub(super) fn wait(&self) -> i32 {
        i32::from(self.0 > 0)
    }

    /// Whether the queue counts as read, after another receive.
    pub(super) fn is_certain(&mut self, received: usize) -> bool {
        self.0 = if received == 0 { self.0 + 1 } else { 0 };
        self.0 >= 3
    }
}

/// How a reading pass ended.
pub(super) enum Reading {
    /// The dead letters of the queue.
    Complete(Vec<DeadLetter>),
    /// A signal ended the pass.
    Interrupted(Signal),
}

/// Reads every dead letter, unless a signal ends the pass.
///
/// # Errors
/// One line: the queue cannot be read.
pub(super) async fn read(
    queue: &Queue,
    expected: usize,
    quiet: bool,
    signals: &Signals,
) -> Result<Reading, String> {
    let mut stop = signals.stop();
    let steps = Steps::begin("letters read", expected, quiet);
    let mut handles: HashMap<String, String> = HashMap::new();
    let mut letters = Vec::new();
    let ended = tokio::select! {
        read = pass(queue, expected, &mut handles, &mut letters, &steps) => Ok(read),
        signal = stop.requested() => Err(signal),
    };
    steps.end();
    let handles: Vec<String> = handles.into_values().collect();
    queue.release(&handles).await;
    match ended {
        Ok(Ok(())) => Ok(Reading::Complete(letters)),
        Ok(Err(problem)) => Err(problem),
        Err(signal) => Ok(Reading::Interrupted(signal)),
    }
}

async fn pass(
    queue: &Queue,
    expected: usize,
    handles: &mut HashMap<String, String>,
    letters: &mut Vec<DeadLetter>,
    steps: &Steps,
) -> Result<(), String> {
    let mut hiding = Hiding::of(expected);
    let mut emptiness = Emptiness::default();
    loop {
        let received = queue.receive(hiding.seconds(), emptiness.wait()).await?;
        if emptiness.is_certain(received.len()) {
            return Ok(());
        }
        let before = letters.len();
        for received in &received {
            // A dead letter that is received again can be released only by its newest handle.
            if handles.insert(received.id.clone(), received.handle.clone()).is_none() {
                letters.push(DeadLetter::read(received));
            }
        }
        if letters.len() - before < received.len() {
            hiding.lengthen();
        }
        steps.show(letters.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hiding_time_grows_with_dead_letters_and_repeats() {
        for (letters, seconds) in [(0, 30), (10_000, 130), (100_000_000, 43_200)] {
            assert_eq!(Hiding::of(letters).seconds(), seconds);
        }
        let mut hiding = Hiding::of(0);
        hiding.lengthen();
        assert_eq!(hiding.seconds(), 60);
        (0..20).for_each(|_| hiding.lengthen());
        assert_eq!(hiding.seconds(), 43_200);
    }

    #[test]
    fn three_empty_receives_end_a_pass() {
        let mut emptiness = Emptiness::default();
        let ended: Vec<bool> = [0, 0, 1, 0, 0, 0].map(|received| emptiness.is_certain(received)).to_vec();
        assert_eq!(ended, [false, false, false, false, false, true]);
    }
}
