//! Settles the sources of an invocation after its calls.
//!
//! Each source is done, or its failures are sent on, or it is redelivered. Permanent failures are sent to the failures
//! queue with their reasons (dead letters). Pairs that may succeed later are sent to the continuation queue as a smaller
//! message. So the deliveries of the source queue are not used up by pairs that are done or can never succeed.
//!
//! A redelivered message gets a visibility timeout of its own. By default SQS delivers a message again when the queue's
//! visibility timeout ends. That timeout must be longer than any invocation, so the wait would be long.

mod body;
mod delay;
mod disposition;
mod failure_entry;
mod failures;
mod outgoing;
mod reasons;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::associate::Outcomes;
use crate::backoff::WaitBounds;
use crate::index::SourceIndex;
use crate::pairs::Pairs;
use crate::payload::Envelope;
use crate::sdk::LazyClient;
use crate::settings::Settings;
use crate::sqs::{VisibilityTimeout, call_in_batches, queue_url, time_for};

pub use failure_entry::FailureEntry;
pub(crate) use failure_entry::Subject;
pub use failures::Failures;

use delay::delay;
use disposition::{Disposition, Dispositions, Queues, Redelivery};
use outgoing::Outbox;

/// Settles the sources of an invocation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settler<'s> {
    pub(crate) sqs: &'s LazyClient<aws_sdk_sqs::Client>,
    pub(crate) settings: &'s Settings,
}

impl Settler<'_> {
    /// The time that SQS usually needs after the calls. Each message is sent on or gets a visibility timeout.
    pub(crate) fn time_needed(&self, envelope: &Envelope<'_>) -> Duration {
        if !is_settled(envelope) {
            return Duration::ZERO;
        }
        let Queues { failures, continuation } = self.queues();
        let queues = usize::from(failures.is_some()) + usize::from(continuation.is_some());
        let sending = time_for(envelope.sources.len() * queues);
        match self.settings.redelivery {
            Some(_) if envelope.kind.is_batch() && queues == 0 => time_for(envelope.sources.len()),
            _ => sending + self.time_for_visibility(envelope),
        }
    }

    /// Settles every source until `ends`. Marks the failures that were sent on, and returns the sources that are
    /// redelivered, in the order of the batch.
    pub(crate) async fn settle(
        &self,
        envelope: &Envelope<'_>,
        pairs: &Pairs,
        outcomes: &Outcomes,
        failures: &mut Failures,
        ends: Instant,
    ) -> Vec<SourceIndex> {
        if !is_settled(envelope) {
            return Vec::new();
        }
        let queues = self.queues();
        let mut dispositions = Dispositions::new(envelope, pairs, outcomes, failures, queues);
        let default_instance = self.settings.instance.as_deref();
        let outbox = Outbox::new(envelope, pairs, failures, &dispositions, queues, default_instance);
        // Messages whose failures could not be sent are redelivered, and setting their visibility needs time too.
        let sending_ends = ends.checked_sub(self.time_for_visibility(envelope)).unwrap_or(ends);
        let unsent = self.send(&outbox, envelope, sending_ends).await;
        dispositions.redeliver(outbox.too_large.into_iter().chain(unsent));
        failures.note_sent_on(|source| dispositions.of(source) == Disposition::SentOn);
        if !envelope.kind.is_batch() {
            return Vec::new();
        }
        dispositions.hold_groups();
        let redelivered = dispositions.redelivered();
        if let Some(bounds) = self.settings.redelivery {
            self.set_visibility(envelope, &redelivered, bounds, ends).await;
        }
        redelivered.into_iter().map(|(source, _)| source).collect()
    }

    fn queues(&self) -> Queues<'_> {
        let Settings { failures_queue, continuation_queue, .. } = self.settings;
        Queues { failures: failures_queue.as_deref(), continuation: continuation_queue.as_deref() }
    }

    /// The time for the visibility timeouts of the few messages that are redelivered although failures can be sent on.
    fn time_for_visibility(&self, envelope: &Envelope<'_>) -> Duration {
        let sets_visibility = envelope.kind.is_batch() && self.settings.redelivery.is_some();
        time_for(usize::from(sets_visibility))
    }

    /// Sends messages. Returns the sources whose messages SQS did not accept.
    async fn send(
        &self,
        outbox: &Outbox<'_>,
        envelope: &Envelope<'_>,
        ends: Instant,
    ) -> HashSet<SourceIndex> {
        let results = call_in_batches(self.sqs, &outbox.messages, ends).await;
        let mut unsent = HashSet::new();
        let mut warnings: BTreeMap<(&str, &str), (usize, Option<&str>)> = BTreeMap::new();
        for ((message, source), result) in outbox.messages.iter().zip(&outbox.sources).zip(&results) {
            if let Err(error) = result {
                unsent.insert(*source);
                let message_id = envelope.sources[*source].id.as_deref();
                warnings.entry((message.queue_url, &error.code)).or_insert((0, message_id)).0 += 1;
            }
        }
        for ((queue_url, error), (messages, message_id)) in warnings {
            tracing::warn!(
                queueUrl = queue_url,
                messages,
                messageId = message_id,
                error,
                "failures could not be sent; their messages will be redelivered"
            );
        }
        unsent
    }

    /// Sets the visibility timeout of as many messages as possible until `ends`. The others keep the queue's own
    /// timeout, and one warning contains their number and the most frequent cause.
    async fn set_visibility(
        &self,
        envelope: &Envelope<'_>,
        redelivered: &[(SourceIndex, Redelivery)],
        bounds: WaitBounds,
        ends: Instant,
    ) {
        let mut unset: BTreeMap<String, usize> = BTreeMap::new();
        let mut note = |cause: &str| *unset.entry(cause.to_owned()).or_default() += 1;
        let mut delay_of: HashMap<SourceIndex, Duration> = HashMap::new();
        let Settings { scope, sqs_endpoint, .. } = self.settings;
        let mut urls: HashMap<&str, Option<String>> = HashMap::new();
        for (source, _) in redelivered {
            if let Some(arn) = envelope.sources[*source].delivery.queue_arn.as_deref() {
                urls.entry(arn).or_insert_with(|| queue_url(arn, scope.region(), sqs_endpoint.as_deref()));
            }
        }
        let mut timeouts = Vec::with_capacity(redelivered.len());
        for (source, Redelivery { first, retry }) in redelivered {
            let timeout = *delay_of.entry(*first).or_insert_with(|| {
                let receive_count = envelope.sources[*first].delivery.receive_count.unwrap_or(1);
                delay(bounds, *retry, receive_count, fastrand::f64())
            });
            let delivery = &envelope.sources[*source].delivery;
            let url = delivery.queue_arn.as_deref().and_then(|arn| urls.get(arn)?.as_deref());
            match (url, delivery.receipt_handle.as_deref()) {
                (Some(queue_url), Some(receipt_handle)) => {
                    timeouts.push(VisibilityTimeout { queue_url, receipt_handle, timeout });
                }
                (None, _) => note("QueueUnknown"),
                (Some(_), None) => note("ReceiptHandleMissing"),
            }
        }
        let results = call_in_batches(self.sqs, &timeouts, ends).await;
        results.iter().filter_map(|result| result.as_ref().err()).for_each(|error| note(&error.code));
        if let Some((cause, _)) = unset.iter().max_by_key(|(_, messages)| **messages) {
            tracing::warn!(
                messages = unset.values().sum::<usize>(),
                error = cause,
                "the visibility timeout of messages could not be set; they will be redelivered when their queue's own \
                 visibility timeout ends (if access was denied, the function's role needs \
                 sqs:ChangeMessageVisibility)"
            );
        }
    }
}

/// Whether the sources are messages or events. Any other caller gets its failures in a report.
fn is_settled(envelope: &Envelope<'_>) -> bool {
    envelope.kind.is_batch() || envelope.kind.is_asynchronous()
}
