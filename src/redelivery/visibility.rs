//! Sets the visibility of listed messages, so that each comes again after its own delay.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry;
use futures_util::StreamExt;
use tokio::time::{Instant, sleep, timeout_at};

use crate::calls::backoff::{Backoff, BackoffSettings};
use crate::deferred::Deferred;
use crate::payload::Delivery;
use crate::sqs::{BATCH_ENTRIES, CONCURRENT_BATCHES, SqsError};

use super::queue_url::queue_url;

/// Attempts of one batch.
const ATTEMPTS: u32 = 3;
/// Time limit of one attempt. If SQS cannot be reached, the answer must not wait for the deadline. The queue's own
/// timeout then applies to the messages.
const ATTEMPT: Duration = Duration::from_secs(2);
/// Waits between attempts.
const BACKOFF: BackoffSettings =
    BackoffSettings { initial: Duration::from_millis(100), max: Duration::from_secs(1) };

/// Sets the visibility of messages of the queues in one Region.
#[derive(Debug, Clone)]
pub(crate) struct Visibility {
    client: Deferred<aws_sdk_sqs::Client>,
    region: String,
    endpoint: Option<String>,
}

/// A listed message and its delay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due<'p> {
    /// The delivery of the message.
    pub delivery: &'p Delivery<'p>,
    /// How long the message stays hidden from now on, in whole seconds.
    pub delay: Duration,
}

/// A message whose visibility can be set.
#[derive(Debug, Clone, Copy)]
struct Entry<'p> {
    receipt_handle: &'p str,
    delay: Duration,
}

/// For each cause, the number of messages that keep their queue's own timeout.
type Unset = BTreeMap<String, usize>;

impl Visibility {
    /// Calls the queues of a Region. The client must not retry by itself. `endpoint` is its custom endpoint, if it has
    /// one.
    pub(crate) fn new(
        client: Deferred<aws_sdk_sqs::Client>,
        region: impl Into<String>,
        endpoint: Option<String>,
    ) -> Self {
        Visibility { client, region: region.into(), endpoint }
    }

    /// Sets the visibility of as many messages as possible until `ends`. The other messages keep the queue's own
    /// timeout, and one warning gives their number and the causes.
    pub(crate) async fn set(&self, due: &[Due<'_>], ends: Instant) {
        let mut unset = Unset::new();
        let mut queues: BTreeMap<String, Vec<Entry<'_>>> = BTreeMap::new();
        for Due { delivery, delay } in due {
            let url = delivery
                .queue_arn
                .as_deref()
                .and_then(|arn| queue_url(arn, &self.region, self.endpoint.as_deref()));
            match (url, delivery.receipt_handle.as_deref()) {
                (Some(url), Some(receipt_handle)) => {
                    queues.entry(url).or_default().push(Entry { receipt_handle, delay: *delay });
                }
                (None, _) => note(&mut unset, "QueueUnknown", 1),
                (Some(_), None) => note(&mut unset, "ReceiptHandleMissing", 1),
            }
        }
        // A closure with borrowed arguments would make the future of the invocation not `Send`, so the batches are in a
        // list.
        let mut batches = Vec::new();
        for (url, entries) in &queues {
            batches.extend(entries.chunks(BATCH_ENTRIES).map(|batch| self.set_batch(url, batch, ends)));
        }
        let mut results = futures_util::stream::iter(batches).buffer_unordered(CONCURRENT_BATCHES);
        while let Some(of_batch) = results.next().await {
            for (cause, messages) in of_batch {
                note(&mut unset, &cause, messages);
            }
        }
        if let Some((cause, _)) = unset.iter().max_by_key(|(_, messages)| **messages) {
            tracing::warn!(
                messages = unset.values().sum::<usize>(),
                error = cause,
                "the visibility of listed messages could not be set; they come again when their queue's own \
                 visibility timeout ends (if access was denied, the function's role needs sqs:ChangeMessageVisibility)"
            );
        }
    }

    /// Sets the visibility of one batch. Returns the messages whose visibility it could not set.
    async fn set_batch(&self, queue_url: &str, batch: &[Entry<'_>], ends: Instant) -> Unset {
        let mut unset = Unset::new();
        let mut left: Vec<usize> = (0..batch.len()).collect();
        let mut backoff = Backoff::new(BACKOFF);
        for attempt in 1..=ATTEMPTS {
            let now = Instant::now();
            if now >= ends {
                note(&mut unset, "NoTimeLeft", left.len());
                return unset;
            }
            let attempt_ends = ends.min(now + ATTEMPT);
            let result = timeout_at(attempt_ends, self.attempt(queue_url, batch, &left)).await;
            let refused = match result {
                Ok(Ok(refused)) => refused,
                Ok(Err(error)) => left.iter().map(|entry| (*entry, error.clone())).collect(),
                Err(_) => {
                    let error = SqsError { code: "TimedOut".to_owned(), may_pass: true };
                    left.iter().map(|entry| (*entry, error.clone())).collect()
                }
            };
            left.clear();
            let wait = backoff.next_wait();
            let again = attempt < ATTEMPTS && Instant::now() + wait < ends;
            for (entry, error) in refused {
                if error.may_pass && again {
                    left.push(entry);
                } else {
                    note(&mut unset, &error.code, 1);
                }
            }
            if left.is_empty() {
                break;
            }
            sleep(wait).await;
        }
        unset
    }

    /// Makes one call. Returns the entries that SQS refused.
    async fn attempt(
        &self,
        queue_url: &str,
        batch: &[Entry<'_>],
        left: &[usize],
    ) -> Result<Vec<(usize, SqsError)>, SqsError> {
        let entries = left
            .iter()
            .map(|number| {
                let Entry { receipt_handle, delay } = batch[*number];
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(number.to_string())
                    .receipt_handle(receipt_handle)
                    .visibility_timeout(i32::try_from(delay.as_secs()).unwrap_or(i32::MAX))
                    .build()
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| SqsError { code: "EntryNotBuilt".to_owned(), may_pass: false })?;
        let output = self
            .client
            .get()
            .change_message_visibility_batch()
            .queue_url(queue_url)
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| SqsError::of(&error))?;
        let refused = output.failed().iter().filter_map(|failed| {
            let number = failed.id().parse::<usize>().ok().filter(|number| left.contains(number))?;
            Some((number, SqsError { code: failed.code().to_owned(), may_pass: !failed.sender_fault() }))
        });
        Ok(refused.collect())
    }
}

fn note(unset: &mut Unset, cause: &str, messages: usize) {
    *unset.entry(cause.to_owned()).or_default() += messages;
}
