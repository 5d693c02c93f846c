//! The record of a call, with its parameters and its outcome.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::Operation;
use crate::wire::loggable;

/// A call that reached the simulator. Requests that match no operation are not recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCall {
    /// The operation.
    pub operation: Operation,
    /// The decoded identifier of the instance. Empty if the call has none.
    pub instance: String,
    /// The decoded identifier of the queue, if the operation's path has one.
    pub queue: Option<String>,
    /// The identifiers of the addresses to associate or disassociate, in the order of the call.
    pub addresses: Vec<String>,
    /// The client token, if the call had one.
    pub client_token: Option<String>,
    /// The status of the response. `None` if the response was missing or incomplete (a reset, a hang, a truncated
    /// body).
    pub status: Option<u16>,
    /// The error code of the response, if it had one.
    pub error: Option<String>,
    /// The time at which the call arrived.
    pub at: Instant,
    /// Path and query as sent.
    pub uri: String,
}

impl RecordedCall {
    /// Returns whether the call was throttled: status 429 with any code except `LimitExceededException`, which means
    /// that a queue is full.
    pub fn throttled(&self) -> bool {
        self.status == Some(429) && self.error.as_deref() != Some("LimitExceededException")
    }

    /// Returns the call as JSON, with `atMs` in milliseconds since `start`. The JSON contains identifiers but no email
    /// addresses: an address that was sent in place of an identifier is left out.
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
