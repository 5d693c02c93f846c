//! Check: decides the addresses that requests only check, by the queue's list.
//!
//! The rules are those of a live run. An address on the list is already associated. The other addresses are planned in
//! the requested order while there is room, and an address that is missing from the directory is not found. After the
//! first address that does not fit, the queue is full for all other addresses.

use std::collections::HashSet;
use std::sync::Arc;

use crate::connect::{Class, Refused};
use crate::failure::{Blame, Failure, Retry};
use crate::index::AddressIndex;
use crate::outcomes::Outcome;
use crate::plan::Group;
use crate::requests::EmailAddressId;

use super::Progress;
use super::failure::{Fill, failed, list_unread};
use super::listing::OnQueue;

impl Progress {
    /// The addresses that are still to be checked.
    pub(super) fn to_check(&self) -> impl Iterator<Item = AddressIndex> {
        self.checked.iter().copied().filter(|member| self.outcomes[*member].is_none())
    }

    /// Decides the addresses that the queue's list does not hold. The list was read to its end.
    pub(super) fn checked(
        &mut self,
        on_queue: &OnQueue,
        group: &Group,
        existing: impl Fn(&EmailAddressId) -> Result<(), Arc<Failure>>,
    ) {
        let requested: HashSet<&str> = group.addresses.iter().map(|address| &*address.id).collect();
        let mut unrequested: Vec<String> =
            on_queue.beside_default().filter(|id| !requested.contains(id)).map(str::to_owned).collect();
        unrequested.sort_unstable();
        self.unrequested = Some(unrequested);

        let limit = self.limits.additional_addresses;
        let held = on_queue.additional();
        let (mut to_add, mut left) = (Vec::new(), Vec::new());
        let mut undecided: Vec<AddressIndex> = self.to_check().collect();
        // An address whose name was found late is at the end of the group.
        undecided.sort_by_key(|member| group.addresses[*member].first_pair);
        for member in undecided {
            match existing(&group.addresses[member].id) {
                // After an address that does not fit, a live run makes no more calls for the queue.
                _ if !left.is_empty() => left.push(member),
                Err(failure) => self.decide(&[member], &Outcome::Failed(failure)),
                Ok(()) if held + to_add.len() < limit => to_add.push(member),
                Ok(()) => left.push(member),
            }
        }
        self.decide(&to_add, &Outcome::Planned);
        if !left.is_empty() {
            self.fail(&left, Fill { held, added: to_add.len(), left: left.len(), limit }.by_plan());
        }
    }

    /// Closes the group because the queue's list could not be read although the queue may exist.
    pub(super) fn not_checked(&mut self, refused: &Refused) {
        let failure = match refused.refusal.class {
            Class::Denied => Failure {
                message: format!(
                    "the queue cannot be checked: {}; the function's role needs connect:ListQueueEmailAddresses on the \
                     instance and its queues",
                    refused.refusal.message
                ),
                ..failed(&refused.refusal, Retry::Never, Blame::Nothing)
            },
            _ => list_unread("the queue cannot be checked, because its list cannot be read", refused),
        };
        self.close(Arc::new(failure));
    }
}
