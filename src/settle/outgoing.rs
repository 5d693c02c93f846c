//! Writes the messages that contain the failures of a source.

use std::time::Duration;

use crate::index::SourceIndex;
use crate::pairs::Pairs;
use crate::payload::Envelope;

use super::body::{BodyInput, bodies};
use super::disposition::{Destination, Disposition, Dispositions};
use super::{FailureEntry, Failures, Reason};

/// Maximum size of a message in bytes (SQS Developer Guide, "Amazon SQS message quotas": 1 MiB). Only a body that cannot
/// be divided can be larger.
const MAX_BYTES: usize = 1 << 20;
/// Delay of a continuation, unless only time was short.
const PAUSE: Duration = Duration::from_secs(30);

/// A message to be sent.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// The source whose failures it contains.
    pub(super) source: SourceIndex,
    /// The queue that it is sent to.
    pub(super) destination: Destination,
    /// An association request.
    pub(super) body: String,
    /// How long the message stays hidden.
    pub(super) delay: Duration,
}

/// The messages to be sent.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) messages: Vec<Outgoing>,
    /// The sources whose failures do not fit into a message.
    pub(super) too_large: Vec<SourceIndex>,
}

impl Outbox {
    /// Writes the messages of all sources whose failures are sent on.
    pub(super) fn new(
        envelope: &Envelope<'_>,
        pairs: &Pairs,
        failures: &Failures,
        dispositions: &Dispositions<'_>,
        default_instance: Option<&str>,
    ) -> Self {
        let mut outbox = Outbox::default();
        for (source, entries) in failures.by_source() {
            let Disposition::SentOn { permanent } = dispositions.of(source) else { continue };
            let messages = messages(source, entries, permanent, pairs, default_instance);
            if messages.iter().any(|message| message.body.len() > MAX_BYTES) {
                // The whole source is redelivered, and ends unchanged in the dead-letter queue.
                let message_id = envelope.sources[source].id.as_deref();
                tracing::warn!(
                    messageId = message_id,
                    "the failures of a message are too large to be sent on"
                );
                outbox.too_large.push(source);
            } else {
                outbox.messages.extend(messages);
            }
        }
        outbox
    }
}

/// Writes the messages for one source.
fn messages(
    source: SourceIndex,
    entries: &[FailureEntry],
    permanent: Destination,
    pairs: &Pairs,
    default_instance: Option<&str>,
) -> Vec<Outgoing> {
    let mut messages = Vec::new();
    for destination in [Destination::Failures, Destination::Continuation] {
        let is_sent = |entry: &&FailureEntry| match entry.retryable {
            true => destination == Destination::Continuation,
            false => destination == permanent,
        };
        let entries: Vec<&FailureEntry> = entries.iter().filter(is_sent).collect();
        if entries.is_empty() {
            continue;
        }
        // Permanent failures in a continuation do not count, because waiting does not help them.
        let only_time =
            entries.iter().filter(|entry| entry.retryable).all(|entry| Reason::of(entry) == Reason::Time);
        let delay = match destination {
            Destination::Continuation if !only_time => PAUSE,
            Destination::Continuation | Destination::Failures => Duration::ZERO,
        };
        let input = BodyInput {
            entries: &entries,
            with_reasons: destination == Destination::Failures,
            default_instance,
            pairs,
        };
        messages.extend(bodies(&input).into_iter().map(|body| Outgoing { source, destination, body, delay }));
    }
    messages
}
