//! The operations, which read or change the directory. They run after the faults and the quota.

mod associate;
mod change;
mod check;
mod disassociate;
mod list;
mod page;
mod rules;
mod search;

pub(crate) use rules::Rules;

use crate::directory::Directory;
use crate::operation::{Operation, Reply};
use crate::wire::Call;

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
