//! Writes the messages that contain the failures of a source.

use std::time::Duration;

use crate::failure::Retry;
use crate::index::SourceIndex;
use crate::pairs::Pairs;
use crate::payload::Envelope;
use crate::sqs::OutgoingMessage;

use super::body::{BodyInput, bodies};
use super::disposition::{Destination, Disposition, Dispositions, Queues};
use super::{FailureEntry, Failures};

/// Maximum size of a message in bytes (SQS Developer Guide, "Amazon SQS message quotas": 1 MiB). Only a body that cannot
/// be divided can be larger.
const MAX_BYTES: usize = 1 << 20;
/// Delay of a continuation if its source failed for any reason other than a lack of time.
const CONTINUATION_DELAY: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(super) struct Outbox<'q> {
    pub(super) messages: Vec<OutgoingMessage<'q>>,
    /// For each message, the source whose failures it contains.
    pub(super) sources: Vec<SourceIndex>,
    /// The sources whose failures do not fit into a message.
    pub(super) too_large: Vec<SourceIndex>,
}

impl<'q> Outbox<'q> {
    /// Writes the messages of all sources whose failures are sent on.
    pub(super) fn new(
        envelope: &Envelope<'_>,
        pairs: &Pairs,
        failures: &Failures,
        dispositions: &Dispositions<'_>,
        queues: Queues<'q>,
        default_instance: Option<&str>,
    ) -> Self {
        let mut outbox = Outbox::default();
        for (source, entries) in failures.by_source() {
            let Disposition::SentOn { permanent } = dispositions.of(source) else { continue };
            let messages: Vec<OutgoingMessage<'_>> = [Destination::Failures, Destination::Continuation]
                .into_iter()
                .flat_map(|destination| {
                    let is_sent = |entry: &&FailureEntry| match entry.retryable {
                        true => destination == Destination::Continuation,
                        false => Some(destination) == permanent,
                    };
                    let entries: Vec<&FailureEntry> = entries.iter().filter(is_sent).collect();
                    messages(&entries, destination, queues, pairs, default_instance)
                })
                .collect();
            if messages.iter().any(|message| message.body.len() > MAX_BYTES) {
                // The whole source is redelivered, and ends unchanged in the dead-letter queue.
                let message_id = envelope.sources[source].id.as_deref();
                tracing::warn!(
                    messageId = message_id,
                    "the failures of a message are too large to be sent on"
                );
                outbox.too_large.push(source);
            } else {
                outbox.sources.extend(messages.iter().map(|_| source));
                outbox.messages.extend(messages);
            }
        }
        outbox
    }
}

/// Writes the messages that contain some failures of one source to one destination.
fn messages<'q>(
    entries: &[&FailureEntry],
    destination: Destination,
    queues: Queues<'q>,
    pairs: &Pairs,
    default_instance: Option<&str>,
) -> Vec<OutgoingMessage<'q>> {
    if entries.is_empty() {
        return Vec::new();
    }
    let queue_url = queues.url(destination).unwrap_or_default();
    // Permanent failures in a continuation do not count, because waiting does not help them.
    let mut retryable = entries.iter().filter(|entry| entry.retryable);
    let delay = match destination {
        Destination::Continuation if retryable.any(|entry| entry.failure.retry != Retry::NextInvocation) => {
            CONTINUATION_DELAY
        }
        Destination::Continuation | Destination::Failures => Duration::ZERO,
    };
    let with_reasons = destination == Destination::Failures;
    let bodies = bodies(&BodyInput { entries, with_reasons, default_instance, pairs });
    bodies.into_iter().map(|body| OutgoingMessage { queue_url, body, delay }).collect()
}
