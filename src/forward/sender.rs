//! Sends messages to the failures queue and the continuation queue.

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::sqs::{OutgoingMessage, Sqs};

use super::decide::{Destination, Outgoing};

/// Sends messages to the two queues.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    sqs: Sqs,
    failures: Option<String>,
    continuation: Option<String>,
}

impl Sender {
    /// Creates a sender to the queues of these URLs.
    pub(crate) fn new(sqs: Sqs, failures: Option<String>, continuation: Option<String>) -> Self {
        Sender { sqs, failures, continuation }
    }

    /// Sends the messages. Returns for each whether it arrived. Stops at `ends`.
    pub(crate) async fn send(&self, outgoing: &[Outgoing], ends: Instant) -> Vec<bool> {
        let mut messages = Vec::with_capacity(outgoing.len());
        for message in outgoing {
            let queue_url = match message.destination {
                Destination::Failures => self.failures.as_deref(),
                Destination::Continuation => self.continuation.as_deref(),
            };
            messages.push(OutgoingMessage {
                queue_url: queue_url.unwrap_or_default(),
                body: &message.body,
                delay: message.delay,
            });
        }
        let results = self.sqs.send(&messages, ends).await;
        let mut lost: BTreeMap<(&str, &str), (usize, Option<&str>)> = BTreeMap::new();
        for ((message, outgoing), result) in messages.iter().zip(outgoing).zip(&results) {
            if let Err(error) = result {
                let (count, _) = lost
                    .entry((message.queue_url, &error.code))
                    .or_insert((0, outgoing.message_id.as_deref()));
                *count += 1;
            }
        }
        for ((queue_url, error), (count, message_id)) in lost {
            tracing::warn!(
                queueUrl = queue_url,
                messages = count,
                messageId = message_id,
                error,
                "failures could not be sent; their messages will be redelivered"
            );
        }
        results.into_iter().map(|result| result.is_ok()).collect()
    }
}
