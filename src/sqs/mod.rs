//! Requests to SQS: sends messages and sets visibility timeouts, ten entries to a call.
//!
//! This module owns the batches, their limits, the attempts and the time limit of each attempt. Callers get one result
//! for each entry.

mod batch;
mod entry;
mod queue_url;

use std::time::Duration;

use tokio::time::Instant;

use crate::sdk::LazyClient;

pub(crate) use batch::{BatchEntry, SqsError};
pub(crate) use entry::{OutgoingMessage, VisibilityTimeout};

use batch::{BATCH_ENTRIES, CONCURRENT_BATCHES, call_in_batches};
use queue_url::queue_url;

/// Usual upper bound for the time of a round of concurrent batches.
const ROUND: Duration = Duration::from_millis(250);

/// The time that SQS usually needs for this number of entries.
pub(crate) fn time_for(entries: usize) -> Duration {
    let rounds = entries.div_ceil(BATCH_ENTRIES).div_ceil(CONCURRENT_BATCHES);
    ROUND * u32::try_from(rounds).unwrap_or(u32::MAX)
}

/// A client of the queues in one Region.
#[derive(Debug, Clone)]
pub(crate) struct Sqs {
    client: LazyClient<aws_sdk_sqs::Client>,
    region: String,
    endpoint: Option<String>,
}

impl Sqs {
    /// Creates a client. The SDK's client must not retry by itself. `endpoint` is its custom endpoint, if it has one.
    pub(crate) fn new(
        client: LazyClient<aws_sdk_sqs::Client>,
        region: impl Into<String>,
        endpoint: Option<String>,
    ) -> Self {
        Sqs { client, region: region.into(), endpoint }
    }

    /// Returns the URL of a queue in the client's Region, or `None` for any other ARN.
    pub(crate) fn queue_url(&self, arn: &str) -> Option<String> {
        queue_url(arn, &self.region, self.endpoint.as_deref())
    }

    /// Sends messages, or sets visibility timeouts. Returns a result for each. Stops at `ends`.
    pub(crate) async fn call<E: BatchEntry>(
        &self,
        entries: &[E],
        ends: Instant,
    ) -> Vec<Result<(), SqsError>> {
        // Without an entry, the client is not needed.
        if entries.is_empty() {
            return Vec::new();
        }
        call_in_batches(&self.client, entries, ends).await
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
