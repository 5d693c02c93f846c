//! The operations: what each does to the directory, once faults and quota have let it through.

mod associate;
mod change;
mod check;
mod disassociate;
mod list;
mod page;
mod search;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Switches;
use crate::directory::Directory;
use crate::error::ApiError;
use crate::wire::Call;

/// An operation of Amazon Connect that the simulator speaks; displayed by its name in the API reference.
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

impl Operation {
    /// The name of the operation in the API reference.
    pub fn name(self) -> &'static str {
        match self {
            Self::AssociateQueueEmailAddresses => "AssociateQueueEmailAddresses",
            Self::ListQueueEmailAddresses => "ListQueueEmailAddresses",
            Self::DisassociateQueueEmailAddresses => "DisassociateQueueEmailAddresses",
            Self::SearchEmailAddresses => "SearchEmailAddresses",
            Self::SearchQueues => "SearchQueues",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What the operations go by beside the directory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) switches: Switches,
    pub(crate) limit: usize,
}

/// The body of a success, if it has one; or why the call was refused, and then nothing was done.
pub(crate) type Reply = Result<Option<Value>, ApiError>;

/// Does what the call asks for.
pub(crate) fn perform(call: &Call, directory: &mut Directory, rules: &Rules) -> Reply {
    match call.operation {
        Operation::AssociateQueueEmailAddresses => associate::perform(call, directory, rules),
        Operation::ListQueueEmailAddresses => list::perform(call, directory, rules),
        Operation::DisassociateQueueEmailAddresses => disassociate::perform(call, directory, rules),
        Operation::SearchEmailAddresses => search::email_addresses(call, directory, rules),
        Operation::SearchQueues => search::queues(call, directory, rules),
    }
}

/// How an address that the instance does not have is reported. It is not named: whoever narrows a refused
/// call down to the addresses at fault cannot come to rely on a message that AWS does not promise.
fn unknown_address(switches: &Switches) -> ApiError {
    let message = "an email address does not exist in the instance";
    match switches.unknown_address {
        crate::UnknownAddress::InvalidParameter => ApiError::invalid_parameter(message),
        crate::UnknownAddress::ResourceNotFound => ApiError::not_found(message),
    }
}
