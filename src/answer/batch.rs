//! The response to a batch of messages, with the messages to redeliver.

use std::collections::HashSet;

use serde::Serialize;

use crate::index::{IndexList, SourceIndex};
use crate::payload::Source;

/// The response with `batchItemFailures` that an event source mapping with `ReportBatchItemFailures` and a pipe expect
/// (Lambda Developer Guide, "Handling errors for an SQS event source in Lambda").
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailures {
    /// The messages to redeliver, once each, in the order of the batch.
    pub batch_item_failures: Vec<BatchItemFailure>,
}

/// A message to redeliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailure {
    /// The message's `messageId`.
    pub(crate) item_identifier: String,
}

impl BatchItemFailures {
    /// Lists the messages to redeliver. `redelivered` is in the order of the batch.
    pub fn new(sources: &IndexList<SourceIndex, Source<'_>>, redelivered: &[SourceIndex]) -> Self {
        let mut known = HashSet::new();
        let ids = redelivered.iter().map(|source| sources[*source].id.as_deref().unwrap_or_default());
        let batch_item_failures = ids
            .filter(|id| known.insert(*id))
            .map(|id| BatchItemFailure { item_identifier: id.to_owned() })
            .collect();
        BatchItemFailures { batch_item_failures }
    }
}
