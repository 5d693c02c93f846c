//! The record of a call, with its parameters and its outcome.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::Operation;

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
}

impl RecordedCall {
    /// Returns whether the call was throttled. `LimitExceededException` has the same status, but means that a queue is
    /// full.
    pub fn throttled(&self) -> bool {
        self.status == Some(429) && self.error.as_deref() != Some("LimitExceededException")
    }

    /// Returns the call as JSON, with `atMs` in milliseconds since `start`.
    pub fn to_json(&self, start: Instant) -> Value {
        let at = self.at.saturating_duration_since(start).as_millis();
        let mut call = json!({
            "atMs": u64::try_from(at).unwrap_or(u64::MAX),
            "operation": self.operation,
            "instanceId": self.instance,
            "status": self.status,
        });
        if let Some(queue) = &self.queue {
            call["queueId"] = json!(queue);
        }
        if !self.addresses.is_empty() {
            call["emailAddressIds"] = json!(self.addresses);
        }
        if let Some(token) = &self.client_token {
            call["clientToken"] = json!(token);
        }
        if let Some(error) = &self.error {
            call["error"] = json!(error);
        }
        call
    }
}
