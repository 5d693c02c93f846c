//! A pass that reads every dead letter and removes none.
//!
//! Each dead letter stays hidden during the pass, so that it is received once. At the end the pass makes all of them
//! visible again. If the program is killed, they become visible when their visibility timeout ends.

use std::collections::HashMap;

use super::dead_letter::DeadLetter;
use super::queue::Queue;
use crate::progress::Progress;
use crate::signals::{Signal, Signals};

/// The visibility timeout of the messages that a pass receives.
#[derive(Debug)]
pub(super) struct VisibilityTimeout {
    seconds: i32,
}

impl VisibilityTimeout {
    /// Maximum of SQS, in seconds: twelve hours (SQS Developer Guide, "Amazon SQS visibility timeout").
    const MAX: i32 = 43_200;

    /// Visibility timeout for a pass over about `count` messages, at roughly 100 messages per second.
    pub(super) fn of(count: usize) -> Self {
        let seconds = i32::try_from(30 + count / 100).unwrap_or(Self::MAX);
        VisibilityTimeout { seconds: seconds.min(Self::MAX) }
    }

    /// Returns the timeout in seconds.
    pub(super) fn seconds(&self) -> i32 {
        self.seconds
    }

    /// Doubles the timeout, after a dead letter was received twice in one pass. With a timeout that is too short, the
    /// first dead letters would be received again and again, and the last ones never.
    pub(super) fn lengthen(&mut self) {
        self.seconds = self.seconds.saturating_mul(2).min(Self::MAX);
    }
}

/// Counts the receives in a row that returned nothing. Three of them end a pass.
#[derive(Debug, Default)]
pub(super) struct EmptyReceives(u32);

impl EmptyReceives {
    /// Returns the wait time of the next receive in seconds. After an empty receive SQS must wait, because then it
    /// queries all of its servers (SQS Developer Guide, "Amazon SQS short and long polling").
    pub(super) fn wait(&self) -> i32 {
        i32::from(self.0 > 0)
    }

    /// Records a receive. Returns whether the queue counts as empty.
    pub(super) fn queue_is_empty(&mut self, received: usize) -> bool {
        self.0 = if received == 0 { self.0 + 1 } else { 0 };
        self.0 >= 3
    }
}

/// The result of a pass.
pub(super) enum ReadResult {
    /// The dead letters of the queue.
    Complete(Vec<DeadLetter>),
    /// A signal ended the pass.
    Interrupted(Signal),
}

/// Reads every dead letter, unless a signal ends the pass.
pub(super) async fn read(
    queue: &Queue,
    expected: usize,
    quiet: bool,
    signals: &Signals,
) -> Result<ReadResult, String> {
    let mut stop = signals.stop();
    let progress = Progress::start("dead letters read", expected, quiet);
    let mut handles: HashMap<String, String> = HashMap::new();
    let mut letters = Vec::new();
    let result = tokio::select! {
        read = pass(queue, expected, &mut handles, &mut letters, &progress) => Ok(read),
        signal = stop.requested() => Err(signal),
    };
    progress.end();
    let handles: Vec<String> = handles.into_values().collect();
    queue.make_visible(&handles).await;
    match result {
        Ok(Ok(())) => Ok(ReadResult::Complete(letters)),
        Ok(Err(problem)) => Err(problem),
        Err(signal) => Ok(ReadResult::Interrupted(signal)),
    }
}

async fn pass(
    queue: &Queue,
    expected: usize,
    handles: &mut HashMap<String, String>,
    letters: &mut Vec<DeadLetter>,
    progress: &Progress,
) -> Result<(), String> {
    let mut timeout = VisibilityTimeout::of(expected);
    let mut empty_receives = EmptyReceives::default();
    loop {
        let received = queue.receive(timeout.seconds(), empty_receives.wait()).await?;
        if empty_receives.queue_is_empty(received.len()) {
            return Ok(());
        }
        let before = letters.len();
        for message in &received {
            // Only the newest receipt handle can make a dead letter visible that was received again.
            if handles.insert(message.id.clone(), message.handle.clone()).is_none() {
                letters.push(DeadLetter::read(message));
            }
        }
        if letters.len() - before < received.len() {
            timeout.lengthen();
        }
        progress.show(letters.len(), expected, "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visibility_timeout_grows_with_dead_letters_and_repeats() {
        for (letters, seconds) in [(0, 30), (10_000, 130), (100_000_000, 43_200)] {
            assert_eq!(VisibilityTimeout::of(letters).seconds(), seconds);
        }
        let mut timeout = VisibilityTimeout::of(0);
        timeout.lengthen();
        assert_eq!(timeout.seconds(), 60);
        (0..20).for_each(|_| timeout.lengthen());
        assert_eq!(timeout.seconds(), 43_200);
    }

    #[test]
    fn three_empty_receives_end_a_pass() {
        let mut empty_receives = EmptyReceives::default();
        let results = [0, 0, 1, 0, 0, 0].map(|received| empty_receives.queue_is_empty(received));
        assert_eq!(results, [false, false, false, false, false, true]);
    }
}
