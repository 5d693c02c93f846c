//! The operations, which read or change the directory. They run after the faults and the quota.

mod change;
mod check;
mod list;
mod page;
mod search;

use crate::Switches;
use crate::directory::Directory;
use crate::error::ApiError;
use crate::operation::{Operation, Reply};
use crate::wire::Call;

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
        if self.switches.unknown_address_is_not_found {
            ApiError::not_found(message)
        } else {
            ApiError::invalid_parameter(message)
        }
    }
}

/// Carries out the call.
pub(crate) fn perform(call: &Call, directory: &mut Directory, rules: &Rules) -> Reply {
    match call.operation {
        Operation::AssociateQueueEmailAddresses => change::associate(call, directory, rules),
        Operation::ListQueueEmailAddresses => list::perform(call, directory, rules),
        Operation::DisassociateQueueEmailAddresses => change::disassociate(call, directory, rules),
        Operation::SearchEmailAddresses => search::email_addresses(call, directory, rules),
        Operation::SearchQueues => search::queues(call, directory, rules),
    }
}
