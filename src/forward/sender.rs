//! Sender: sends messages to SQS in batches, within the limits of SQS, and knows which messages arrived.

use std::time::Duration;

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures_util::StreamExt;
use tokio::time::{Instant, sleep, timeout_at};

use crate::calls::backoff::{Backoff, BackoffSettings};
use crate::deferred::Deferred;
use crate::sqs::{BATCH_ENTRIES, CONCURRENT_BATCHES, SqsError};

use super::decide::{Destination, Outgoing};

/// Size limit of a batch in bytes. It is slightly below the limit of SQS (SQS API reference, SendMessageBatch: 1 MiB).
const BATCH_BYTES: usize = 1_040_000;
/// Attempts of one batch. The function cannot reach a quota of SQS, so three attempts are enough.
const ATTEMPTS: u32 = 3;
/// Waits between attempts.
const BACKOFF: BackoffSettings =
    BackoffSettings { initial: Duration::from_millis(100), max: Duration::from_secs(2) };

/// Sends messages to the two queues.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    client: Deferred<aws_sdk_sqs::Client>,
    failures: Option<String>,
    continuation: Option<String>,
}

impl Sender {
    /// Creates a sender to the queues of these URLs. The client must not retry by itself.
    pub(crate) fn new(
        client: Deferred<aws_sdk_sqs::Client>,
        failures: Option<String>,
        continuation: Option<String>,
    ) -> Self {
        Sender { client, failures, continuation }
    }

    /// Sends the messages and tells for each whether it arrived. It gives up the messages that have not arrived by
    /// `ends`.
    pub(crate) async fn send(&self, outgoing: &[Outgoing], ends: Instant) -> Vec<bool> {
        let mut arrived = vec![false; outgoing.len()];
        let batches = [Destination::Failures, Destination::Continuation]
            .into_iter()
            .flat_map(|destination| batches(outgoing, destination).map(move |batch| (destination, batch)));
        let sends = batches.map(|(destination, batch)| self.send_batch(outgoing, destination, batch, ends));
        let mut results = futures_util::stream::iter(sends).buffer_unordered(CONCURRENT_BATCHES);
        while let Some(sent) = results.next().await {
            for message in sent {
                arrived[message] = true;
            }
        }
        arrived
    }

    /// Sends one batch, and retries it if that may help. Returns the messages that arrived.
    async fn send_batch(
        &self,
        outgoing: &[Outgoing],
        destination: Destination,
        mut left: Vec<usize>,
        ends: Instant,
    ) -> Vec<usize> {
        let queue_url = match destination {
            Destination::Failures => self.failures.as_deref(),
            Destination::Continuation => self.continuation.as_deref(),
        };
        let Some(queue_url) = queue_url else { return Vec::new() };
        let mut arrived = Vec::new();
        let mut backoff = Backoff::new(BACKOFF);
        for attempt in 1..=ATTEMPTS {
            let Ok(result) = timeout_at(ends, self.attempt(queue_url, outgoing, &left)).await else {
                tracing::warn!(
                    queueUrl = queue_url,
                    messages = left.len(),
                    "no time was left to send messages on"
                );
                return arrived;
            };
            let (code, again) = match result {
                Ok(refused) => {
                    arrived.extend(
                        left.iter().filter(|message| !refused.iter().any(|r| r.message == **message)),
                    );
                    let (again, for_good): (Vec<_>, Vec<_>) = refused.into_iter().partition(|r| r.may_pass);
                    for refused in for_good {
                        tracing::warn!(
                            queueUrl = queue_url,
                            messageId = outgoing[refused.message].message_id,
                            error = refused.code,
                            "a message could not be sent on"
                        );
                    }
                    let Some(code) = again.first().map(|refused| refused.code.clone()) else {
                        return arrived;
                    };
                    left = again.into_iter().map(|refused| refused.message).collect();
                    (code, true)
                }
                Err(SqsError { code, may_pass }) => (code, may_pass),
            };
            let wait = backoff.next_wait();
            if !again || attempt == ATTEMPTS || Instant::now() + wait >= ends {
                tracing::warn!(
                    queueUrl = queue_url,
                    messages = left.len(),
                    error = code,
                    attempt,
                    "messages could not be sent on"
                );
                return arrived;
            }
            sleep(wait).await;
        }
        arrived
    }

    async fn attempt(
        &self,
        queue_url: &str,
        outgoing: &[Outgoing],
        batch: &[usize],
    ) -> Result<Vec<RefusedMessage>, SqsError> {
        let entries = batch
            .iter()
            .map(|message| {
                let Outgoing { body, delay, .. } = &outgoing[*message];
                SendMessageBatchRequestEntry::builder()
                    .id(message.to_string())
                    .message_body(body)
                    .set_delay_seconds(i32::try_from(delay.as_secs()).ok().filter(|delay| *delay > 0))
                    .build()
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| SqsError { code: "MessageNotBuilt".to_owned(), may_pass: false })?;
        let output = self
            .client
            .get()
            .send_message_batch()
            .queue_url(queue_url)
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| SqsError::of(&error))?;
        // A message has arrived only if SQS confirms it.
        let refused = batch.iter().filter(|message| {
            let id = message.to_string();
            !output.successful().iter().any(|sent| sent.id() == id)
        });
        Ok(refused
            .map(|message| {
                let id = message.to_string();
                let failed = output.failed().iter().find(|failed| failed.id() == id);
                RefusedMessage {
                    message: *message,
                    code: failed.map_or("NotAnswered", |failed| failed.code()).to_owned(),
                    may_pass: failed.is_none_or(|failed| !failed.sender_fault()),
                }
            })
            .collect())
    }
}

/// A message that SQS refused although it accepted the batch.
struct RefusedMessage {
    message: usize,
    code: String,
    may_pass: bool,
}

/// Divides the messages for one queue into batches.
fn batches(outgoing: &[Outgoing], destination: Destination) -> std::vec::IntoIter<Vec<usize>> {
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut bytes = 0;
    for (number, message) in
        outgoing.iter().enumerate().filter(|(_, message)| message.destination == destination)
    {
        let own = message.body.len();
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH_ENTRIES && bytes + own <= BATCH_BYTES => {
                batch.push(number);
                bytes += own;
            }
            _ => {
                batches.push(vec![number]);
                bytes = own;
            }
        }
    }
    batches.into_iter()
}

#[cfg(test)]
mod tests {
    use crate::index::{Index, SourceIndex};

    use super::*;

    fn message(destination: Destination, bytes: usize) -> Outgoing {
        Outgoing {
            source: SourceIndex::new(0),
            message_id: None,
            destination,
            body: "x".repeat(bytes),
            carries: Vec::new(),
            delay: Duration::ZERO,
        }
    }

    #[test]
    fn batches_keep_to_ten_entries_and_one_mebibyte() {
        let mut outgoing: Vec<Outgoing> = (0..23).map(|_| message(Destination::Failures, 10)).collect();
        outgoing.insert(3, message(Destination::Continuation, 10));
        let sizes: Vec<usize> = batches(&outgoing, Destination::Failures).map(|batch| batch.len()).collect();
        assert_eq!(sizes, [10, 10, 3]);
        assert_eq!(batches(&outgoing, Destination::Continuation).collect::<Vec<_>>(), [vec![3]]);
        let large: Vec<Outgoing> = (0..4).map(|_| message(Destination::Failures, 500_000)).collect();
        let sizes: Vec<usize> = batches(&large, Destination::Failures).map(|batch| batch.len()).collect();
        assert_eq!(sizes, [2, 2]);
    }
}
