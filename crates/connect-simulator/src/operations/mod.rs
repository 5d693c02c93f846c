//! The operations, which read or change the directory. They run after the faults and the quota.

mod associate;
mod change;
mod check;
mod disassociate;
mod list;
mod page;
mod search;

use crate::directory::Directory;
use crate::error::ApiError;
use crate::operation::{Operation, Reply};
use crate::wire::Call;
use crate::{Switches, UnknownAddress};

/// The configured rules of the operations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) switches: Switches,
    pub(crate) limit: usize,
}

impl Rules {
    /// Returns the error for an address that the instance does not have. The message does not contain the address, so
    /// that a client that narrows a rejected call cannot depend on a message that AWS does not guarantee.
    fn unknown_address(&self) -> ApiError {
        let message = "an email address does not exist in the instance";
        match self.switches.unknown_address {
            UnknownAddress::InvalidParameter => ApiError::invalid_parameter(message),
            UnknownAddress::ResourceNotFound => ApiError::not_found(message),
        }
    }
}

/// Carries out the call.
pub(crate) fn perform(call: &Call, directory: &mut Directory, rules: &Rules) -> Reply {
    match call.operation {
        Operation::AssociateQueueEmailAddresses => associate::perform(call, directory, rules),
        Operation::ListQueueEmailAddresses => list::perform(call, directory, rules),
        Operation::DisassociateQueueEmailAddresses => disassociate::perform(call, directory, rules),
        Operation::SearchEmailAddresses => search::email_addresses(call, directory, rules),
        Operation::SearchQueues => search::queues(call, directory, rules),
    }
}
