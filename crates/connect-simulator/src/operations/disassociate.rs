//! `DisassociateQueueEmailAddresses`: takes addresses off a queue, all of a call's or none.
//!
//! The reference does not say how an address that is not on the queue is answered, nor the default one:
//! here the first counts as done, and the second is refused with `InvalidParameterException`.

use serde::Deserialize;

use super::Rules;
use super::change::{self, Change};
use crate::directory::Directory;
use crate::error::ApiError;
use crate::operation::Reply;
use crate::wire::Call;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    email_addresses_id: Vec<String>,
    client_token: Option<String>,
}

/// Takes every address of the call off the queue, or refuses the call and takes off none.
pub(super) fn perform(call: &Call, directory: &mut Directory, rules: &Rules) -> Reply {
    let Body { email_addresses_id: ids, client_token } = call.body()?;
    let change = Change { member: "EmailAddressesId", ids, client_token };
    change::perform(change, call, directory, rules, |queue, ids| {
        if queue.default_email_address_id.as_ref().is_some_and(|default| ids.contains(default)) {
            return Err(ApiError::invalid_parameter(
                "the default outbound email address of a queue cannot be disassociated",
            ));
        }
        queue.email_address_ids.retain(|associated| !ids.contains(associated));
        Ok(())
    })
}
