//! Writes the messages that contain the failures of a source.

use std::time::Duration;

use crate::failure::Retry;
use crate::index::SourceIndex;
use crate::pairs::Pairs;
use crate::payload::Envelope;
use crate::sqs::OutgoingMessage;

use super::body::{BodyInput, bodies};
use super::disposition::{Disposition, Dispositions, Queues};
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
            if dispositions.of(source) != Disposition::SentOn {
                continue;
            }
            let is_dead_letter = |entry: &&FailureEntry| !entry.retryable && queues.failures.is_some();
            let (dead_letters, continued) = entries.iter().partition::<Vec<_>, _>(is_dead_letter);
            let mut messages = Vec::new();
            for (entries, queue_url, with_reasons) in
                [(dead_letters, queues.failures, true), (continued, queues.continuation, false)]
            {
                let Some(queue_url) = queue_url.filter(|_| !entries.is_empty()) else { continue };
                let delay = if with_reasons { Duration::ZERO } else { continuation_delay(&entries) };
                let input = BodyInput { entries: &entries, with_reasons, default_instance, pairs };
                let message = |body| OutgoingMessage { queue_url, body, delay };
                messages.extend(bodies(&input).into_iter().map(message));
            }
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

/// The delay of a continuation. Permanent failures in it do not count, because waiting does not help them.
fn continuation_delay(entries: &[&FailureEntry]) -> Duration {
    let mut retryable = entries.iter().filter(|entry| entry.retryable);
    match retryable.any(|entry| entry.failure.retry != Retry::NextInvocation) {
        true => CONTINUATION_DELAY,
        false => Duration::ZERO,
    }
}
