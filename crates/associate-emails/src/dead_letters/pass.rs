//! A pass over the dead letters of a queue.
//!
//! Each dead letter stays hidden during the pass, so that it is received once. At the end the pass makes the remaining
//! ones visible again. If the program is killed, they become visible when their visibility timeout ends.

use std::collections::HashMap;

use super::queue::{Queue, ReceivedMessage};
use crate::signals::{Signal, Signals, Stop};

/// Maximum visibility timeout, in seconds: twelve hours (SQS Developer Guide, "Amazon SQS visibility timeout").
const MAX_TIMEOUT: i32 = 43_200;

/// Number of receives in a row without a message after which a queue counts as empty.
const EMPTY_RECEIVES: u32 = 3;

pub(super) struct Pass<'q> {
    queue: &'q Queue,
    stop: Stop,
    /// The visibility timeout of the messages that the pass receives, in seconds.
    timeout: i32,
    /// Receives in a row without a message.
    empty_receives: u32,
    /// The receipt handle of each message by its identifier, or `None` if the message is no longer in the queue.
    handles: HashMap<String, Option<String>>,
}

/// Why a pass did not reach the end of the queue.
#[derive(Debug)]
pub(super) enum Stopped {
    Signal(Signal),
    Problem(String),
}

impl<'q> Pass<'q> {
    /// Starts a pass that hides about `expected` messages. A signal stops it. The messages of a receive that was under way
    /// then stay hidden until their visibility timeout ends.
    pub(super) fn new(queue: &'q Queue, expected: usize, signals: &Signals) -> Self {
        Pass {
            queue,
            stop: signals.stop(),
            timeout: visibility_timeout(expected),
            empty_receives: 0,
            handles: HashMap::new(),
        }
    }

    /// Returns up to ten further dead letters, or none at the end of the queue.
    pub(super) async fn next(&mut self) -> Result<Vec<ReceivedMessage>, Stopped> {
        loop {
            // After an empty receive SQS must wait, because then it queries all of its servers (SQS Developer Guide,
            // "Amazon SQS short and long polling").
            let wait = i32::from(self.empty_receives > 0);
            let mut received = tokio::select! {
                biased;
                signal = self.stop.requested() => return Err(Stopped::Signal(signal)),
                received = self.queue.receive(self.timeout, wait) => received.map_err(Stopped::Problem)?,
            };
            if received.is_empty() {
                self.empty_receives += 1;
                if self.empty_receives == EMPTY_RECEIVES {
                    return Ok(received);
                }
                continue;
            }
            self.empty_receives = 0;
            let all = received.len();
            // Only the newest receipt handle can make a dead letter visible that was received again.
            received.retain(|letter| {
                self.handles.insert(letter.id.clone(), Some(letter.handle.clone())).is_none()
            });
            if received.len() < all {
                // With a timeout that is too short, the first dead letters would be received again and again, and the
                // last ones never.
                self.timeout = self.timeout.saturating_mul(2).min(MAX_TIMEOUT);
            }
            if !received.is_empty() {
                return Ok(received);
            }
        }
    }

    /// Records that a dead letter was deleted.
    pub(super) fn deleted(&mut self, letter: &ReceivedMessage) {
        self.handles.insert(letter.id.clone(), None);
    }

    /// Makes the dead letters that are still in the queue visible.
    pub(super) async fn end(self) {
        let handles: Vec<String> = self.handles.into_values().flatten().collect();
        self.queue.make_visible(&handles).await;
    }
}

/// Returns the timeout in seconds for a pass over about `count` messages, at roughly 100 messages per second.
fn visibility_timeout(count: usize) -> i32 {
    i32::try_from(30 + count / 100).unwrap_or(MAX_TIMEOUT).min(MAX_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visibility_timeout_grows_with_dead_letters() {
        for (letters, seconds) in [(0, 30), (10_000, 130), (100_000_000, 43_200), (usize::MAX / 2, 43_200)] {
            assert_eq!(visibility_timeout(letters), seconds);
        }
    }
}
