//! Sets the visibility timeout of listed messages, so that each is redelivered after its own delay.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::payload::Delivery;
use crate::sqs::{Sqs, VisibilityTimeout};

/// Sets the visibility of listed messages.
#[derive(Debug, Clone)]
pub(crate) struct Visibility {
    sqs: Sqs,
}

/// A listed message and its delay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due<'p> {
    /// The delivery of the message.
    pub delivery: &'p Delivery<'p>,
    /// How long the message stays hidden from now on, in whole seconds.
    pub delay: Duration,
}

impl Visibility {
    /// Calls the queues of a Region.
    pub(crate) fn new(sqs: Sqs) -> Self {
        Visibility { sqs }
    }

    /// Sets the visibility of as many messages as possible until `ends`. The other messages keep the queue's own
    /// timeout, and one warning contains their number and the most frequent cause.
    pub(crate) async fn set(&self, due: &[Due<'_>], ends: Instant) {
        let mut unset: BTreeMap<String, usize> = BTreeMap::new();
        let mut urls: Vec<Option<String>> = Vec::with_capacity(due.len());
        for Due { delivery, .. } in due {
            urls.push(delivery.queue_arn.as_deref().and_then(|arn| self.sqs.queue_url(arn)));
        }
        let mut timeouts = Vec::with_capacity(due.len());
        for (Due { delivery, delay }, url) in due.iter().zip(&urls) {
            match (url, delivery.receipt_handle.as_deref()) {
                (Some(queue_url), Some(receipt_handle)) => {
                    timeouts.push(VisibilityTimeout { queue_url, receipt_handle, timeout: *delay });
                }
                (None, _) => *unset.entry("QueueUnknown".to_owned()).or_default() += 1,
                (Some(_), None) => *unset.entry("ReceiptHandleMissing".to_owned()).or_default() += 1,
            }
        }
        for error in self.sqs.set_visibility(&timeouts, ends).await.into_iter().filter_map(Result::err) {
            *unset.entry(error.code).or_default() += 1;
        }
        if let Some((cause, _)) = unset.iter().max_by_key(|(_, messages)| **messages) {
            tracing::warn!(
                messages = unset.values().sum::<usize>(),
                error = cause,
                "the visibility timeout of listed messages could not be set; they will be redelivered when their \
                 queue's own visibility timeout ends (if access was denied, the function's role needs \
                 sqs:ChangeMessageVisibility)"
            );
        }
    }
}
