//! The operations that the simulator implements, and the result of a call.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::ApiError;

/// An operation of Amazon Connect that the simulator implements. It is displayed with its name in the API reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Operation {
    /// `POST /queues/{InstanceId}/{QueueId}/associate-email-addresses`
    AssociateQueueEmailAddresses,
    /// `GET /queues/{InstanceId}/{QueueId}/email-addresses`
    ListQueueEmailAddresses,
    /// `POST /queues/{InstanceId}/{QueueId}/disassociate-email-addresses`
    DisassociateQueueEmailAddresses,
    /// `POST /search-email-addresses`
    SearchEmailAddresses,
    /// `POST /search-queues`
    SearchQueues,
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

/// The body of a successful call, if it has one, or the reason for a rejected call, which changed nothing.
pub(crate) type Reply = Result<Option<Value>, ApiError>;
