//! The record of a call: its parameters, and its outcome.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::Operation;
use crate::wire::loggable;

/// A call that reached the simulator, in the order of arrival; requests that are no operation's are not
/// recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCall {
    /// The operation.
    pub operation: Operation,
    /// The identifier of the instance, decoded; empty if the call named none.
    pub instance: String,
    /// The identifier of the queue, decoded, where the operation's path has one.
    pub queue: Option<String>,
    /// The identifiers of the addresses to associate or disassociate, as the call ordered them.
    pub addresses: Vec<String>,
    /// The client token, if the call had one.
    pub client_token: Option<String>,
    /// The status of the answer; `None` if there was no whole answer (a reset, a hang, a cut-off).
    pub status: Option<u16>,
    /// The error code of the answer, if it had one.
    pub error: Option<String>,
    /// When the call arrived.
    pub at: Instant,
    /// Path and query, as they were sent.
    pub uri: String,
}

impl RecordedCall {
    /// Whether the call was answered with a throttle: 429 with any code but `LimitExceededException`, which
    /// says that a queue is full.
    pub fn throttled(&self) -> bool {
        self.status == Some(429) && self.error.as_deref() != Some("LimitExceededException")
    }

    /// The call as JSON, with `atMs` in milliseconds since `start`. It holds identifiers and never an email
    /// address: one that was sent in the place of an identifier is not repeated.
    pub fn to_json(&self, start: Instant) -> Value {
        let at = self.at.saturating_duration_since(start).as_millis();
        let mut call = json!({
            "atMs": u64::try_from(at).unwrap_or(u64::MAX),
            "operation": self.operation,
            "instanceId": loggable(&self.instance),
            "status": self.status,
        });
        if let Some(queue) = &self.queue {
            call["queueId"] = json!(loggable(queue));
        }
        if !self.addresses.is_empty() {
            call["emailAddressIds"] = self.addresses.iter().map(|id| json!(loggable(id))).collect();
        }
        if let Some(token) = &self.client_token {
            call["clientToken"] = json!(loggable(token));
        }
        if let Some(error) = &self.error {
            call["error"] = json!(error);
        }
        call
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn call() -> RecordedCall {
        RecordedCall {
            operation: Operation::AssociateQueueEmailAddresses,
            instance: "i".to_owned(),
            queue: Some("q".to_owned()),
            addresses: vec!["a".to_owned(), "billing@brand.example".to_owned()],
            client_token: Some("t".to_owned()),
            status: Some(429),
            error: Some("TooManyRequestsException".to_owned()),
            at: Instant::now(),
            uri: "/queues/i/q/associate-email-addresses".to_owned(),
        }
    }

    #[test]
    fn full_queue_is_no_throttle() {
        assert!(call().throttled());
        assert!(!RecordedCall { error: Some("LimitExceededException".to_owned()), ..call() }.throttled());
        assert!(!RecordedCall { status: None, error: None, ..call() }.throttled());
    }

    #[test]
    fn record_as_json_has_no_email_address() {
        let call = call();
        let start = call.at - Duration::from_millis(1500);
        let expected = json!({
            "atMs": 1500,
            "operation": "AssociateQueueEmailAddresses",
            "instanceId": "i",
            "queueId": "q",
            "emailAddressIds": ["a", "(an email address)"],
            "clientToken": "t",
            "status": 429,
            "error": "TooManyRequestsException",
        });
        assert_eq!(call.to_json(start), expected);
    }
}
