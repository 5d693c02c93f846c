//! Requests to SQS: sends messages and sets visibility timeouts, ten entries to a call.
//!
//! This module owns the batches, their limits, the attempts and the time limit of each attempt. Callers get one result
//! for each entry.

mod batch;
mod queue_url;

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, SendMessageBatchRequestEntry};

pub(crate) use batch::{SqsError, call_in_batches};
pub(crate) use queue_url::queue_url;

use batch::{BATCH_ENTRIES, BatchEntry, BatchResult, CONCURRENT_BATCHES};

/// Usual upper bound for the time of a round of concurrent batches.
const ROUND: Duration = Duration::from_millis(250);

/// The time that SQS usually needs for this number of entries.
pub(crate) fn time_for(entries: usize) -> Duration {
    let rounds = entries.div_ceil(BATCH_ENTRIES).div_ceil(CONCURRENT_BATCHES);
    ROUND * u32::try_from(rounds).unwrap_or(u32::MAX)
}

#[derive(Debug)]
pub(crate) struct OutgoingMessage<'a> {
    pub(crate) queue_url: &'a str,
    /// The body. SQS accepts at most 1 MiB.
    pub(crate) body: String,
    /// The delay of the message, in whole seconds. SQS accepts at most 15 minutes.
    pub(crate) delay: Duration,
}

/// A received message and its new visibility timeout.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VisibilityTimeout<'a> {
    pub(crate) queue_url: &'a str,
    pub(crate) receipt_handle: &'a str,
    /// The timeout from now on, in whole seconds.
    pub(crate) timeout: Duration,
}

impl BatchEntry for OutgoingMessage<'_> {
    fn queue_url(&self) -> &str {
        self.queue_url
    }

    fn bytes(&self) -> usize {
        self.body.len()
    }

    async fn call(
        client: &Client,
        queue_url: &str,
        batch: &[(usize, &Self)],
    ) -> Result<BatchResult, SqsError> {
        let entries = batch.iter().map(|(position, message)| {
            SendMessageBatchRequestEntry::builder()
                .id(position.to_string())
                .message_body(&message.body)
                .set_delay_seconds(i32::try_from(message.delay.as_secs()).ok().filter(|delay| *delay > 0))
                .build()
        });
        let request = client.send_message_batch().queue_url(queue_url);
        let output = request.set_entries(Some(entries.collect::<Result<_, _>>()?)).send().await?;
        Ok(BatchResult::new(output.successful().iter().map(|entry| entry.id()), output.failed()))
    }
}

impl BatchEntry for VisibilityTimeout<'_> {
    fn queue_url(&self) -> &str {
        self.queue_url
    }

    fn bytes(&self) -> usize {
        0
    }

    async fn call(
        client: &Client,
        queue_url: &str,
        batch: &[(usize, &Self)],
    ) -> Result<BatchResult, SqsError> {
        let entries = batch.iter().map(|(position, message)| {
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(position.to_string())
                .receipt_handle(message.receipt_handle)
                .visibility_timeout(i32::try_from(message.timeout.as_secs()).unwrap_or(i32::MAX))
                .build()
        });
        let request = client.change_message_visibility_batch().queue_url(queue_url);
        let output = request.set_entries(Some(entries.collect::<Result<_, _>>()?)).send().await?;
        Ok(BatchResult::new(output.successful().iter().map(|entry| entry.id()), output.failed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_grows_with_the_entries() {
        assert_eq!(time_for(0), Duration::ZERO);
        assert_eq!(time_for(1), ROUND);
        assert_eq!(time_for(80), ROUND);
        assert_eq!(time_for(10_000), ROUND * 125);
    }
}
