//! Implements `DisassociateQueueEmailAddresses`, which removes all the addresses of a call from a queue, or none.
//!
//! The reference does not say how the service responds to a call with an address that is not on the queue. A
//! [switch](crate::RepeatedRemoval) decides. The reference also does not say whether the default address can be removed. In
//! the simulator it cannot, and the call is rejected with `InvalidParameterException`.

use serde::Deserialize;

use super::Rules;
use super::change::{self, Change};
use crate::RepeatedRemoval;
use crate::directory::Directory;
use crate::error::ApiError;
use crate::operation::Reply;
use crate::wire::Call;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DisassociateBody {
    email_addresses_id: Vec<String>,
    client_token: Option<String>,
}

/// Removes every address of the call from the queue, or rejects the call and removes none.
pub(super) fn perform(call: &Call, directory: &mut Directory, rules: &Rules) -> Reply {
    let DisassociateBody { email_addresses_id: ids, client_token } = call.body()?;
    let change = Change { member: "EmailAddressesId", ids, client_token };
    change::perform(change, call, directory, rules, |queue, ids| {
        if queue.default_email_address_id.as_ref().is_some_and(|default| ids.contains(default)) {
            return Err(ApiError::invalid_parameter(
                "the default outbound email address of a queue cannot be disassociated",
            ));
        }
        let rejects = rules.switches.repeated_removal == RepeatedRemoval::Reject;
        if rejects && ids.iter().any(|id| !queue.email_address_ids.contains(id)) {
            return Err(ApiError::invalid_parameter("an email address is not associated with the queue"));
        }
        queue.email_address_ids.retain(|associated| !ids.contains(associated));
        Ok(())
    })
}
