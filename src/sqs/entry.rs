//! The entries of the two batch operations.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, SendMessageBatchRequestEntry};

use super::SqsError;
use super::batch::{BatchEntry, BatchResult};

/// A message to send.
#[derive(Debug)]
pub(crate) struct OutgoingMessage<'a> {
    /// The queue.
    pub(crate) queue_url: &'a str,
    /// The body. SQS accepts at most 1 MiB.
    pub(crate) body: String,
    /// The delay of the message, in whole seconds. SQS accepts at most 15 minutes.
    pub(crate) delay: Duration,
}

/// A received message and its new visibility timeout.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VisibilityTimeout<'a> {
    /// The queue.
    pub(crate) queue_url: &'a str,
    /// The receipt handle of this delivery.
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
