//! The answer to a batch of messages: which of them are to be delivered again.

use std::collections::HashSet;

use serde::Serialize;

use crate::payload::Source;

/// `batchItemFailures`, as an event source mapping with `ReportBatchItemFailures` and a pipe expect it (Lambda
/// Developer Guide, "Handling errors for an SQS event source in Lambda").
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailures {
    /// The messages to be delivered again, once each, in the batch's order.
    pub batch_item_failures: Vec<BatchItemFailure>,
}

/// A message to be delivered again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailure {
    /// Its `messageId`.
    pub item_identifier: String,
}

impl BatchItemFailures {
    /// Lists the messages that failed, given for each source whether it did. On a FIFO queue every message behind a
    /// listed one of its group is listed too, so that their order holds.
    pub fn new(sources: &[Source<'_>], failing: &[bool]) -> Self {
        let mut held_groups = HashSet::new();
        let mut listed = HashSet::new();
        let mut batch_item_failures = Vec::new();
        for (source, failing) in sources.iter().zip(failing) {
            let group = source.delivery.ordered_group();
            if !failing && !group.is_some_and(|group| held_groups.contains(group)) {
                continue;
            }
            held_groups.extend(group);
            let id = source.id.as_deref().unwrap_or_default();
            if listed.insert(id) {
                batch_item_failures.push(BatchItemFailure { item_identifier: id.to_owned() });
            }
        }
        BatchItemFailures { batch_item_failures }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{Body, Delivery};

    fn message(id: &'static str, fifo: bool, group: Option<&'static str>) -> Source<'static> {
        Source {
            id: Some(id.into()),
            body: Body::Text("".into()),
            delivery: Delivery {
                queue_arn: Some(if fifo { "q.fifo" } else { "q" }.into()),
                message_group: group.map(Into::into),
                ..Delivery::default()
            },
        }
    }

    fn listed(sources: &[Source<'_>], failing: &[&str]) -> Vec<String> {
        let failing: Vec<bool> =
            sources.iter().map(|source| failing.contains(&source.id.as_deref().unwrap())).collect();
        BatchItemFailures::new(sources, &failing)
            .batch_item_failures
            .into_iter()
            .map(|failure| failure.item_identifier)
            .collect()
    }

    #[test]
    fn failed_messages_are_listed_once_and_in_order() {
        let batch = [message("a", false, None), message("b", false, None), message("a", false, None)];
        assert_eq!(listed(&batch, &[]), [""; 0]);
        assert_eq!(listed(&batch, &["b"]), ["b"]);
        assert_eq!(listed(&batch, &["a", "b"]), ["a", "b"]);
    }

    #[test]
    fn on_a_fifo_queue_what_stands_behind_a_failure_of_its_group_waits() {
        let batch = [
            message("a1", true, Some("a")),
            message("b1", true, Some("b")),
            message("a2", true, Some("a")),
            message("x", true, None),
            message("y", true, None),
            message("b2", true, Some("b")),
        ];
        assert_eq!(listed(&batch, &["a1"]), ["a1", "a2"]);
        assert_eq!(listed(&batch, &["a2"]), ["a2"]);
        assert_eq!(listed(&batch, &["x"]), ["x"]);
        assert_eq!(listed(&batch, &["b1", "a2"]), ["b1", "a2", "b2"]);
    }
}
