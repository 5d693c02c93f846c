//! The record of a call, with its parameters and its outcome.

use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::Operation;

/// A call that reached the simulator. Requests that match no operation are not recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedCall {
    /// The operation.
    pub operation: Operation,
    /// The decoded identifier of the instance. Empty if the call has none.
    #[serde(rename = "instanceId")]
    pub instance: String,
    /// The decoded identifier of the queue, if the operation's path has one.
    #[serde(rename = "queueId", skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// The identifiers of the addresses to associate or disassociate, in the order of the call.
    #[serde(rename = "emailAddressIds", skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// The client token, if the call had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
    /// The status of the response. `None` if the response was missing or incomplete (a reset, a hang, a truncated
    /// body).
    pub status: Option<u16>,
    /// The error code of the response, if it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The time at which the call arrived.
    #[serde(skip)]
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
        let mut call = json!(self);
        call["atMs"] = json!(u64::try_from(at).unwrap_or(u64::MAX));
        call
    }
}
