//! `DisassociateQueueEmailAddresses`: takes addresses off a queue, all of a call's or none.
//!
//! The reference does not say what becomes of an address that is not on the queue, nor of the default one:
//! here the first counts as done, and the second is refused with `InvalidParameterException`.

use serde::Deserialize;

use super::{Reply, Rules, check, unknown_address};
use crate::directory::{Directory, TokenKey};
use crate::error::ApiError;
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
    let (instance_id, queue_id) = call.queue_path();
    check::instance(instance_id)?;
    check::queue(queue_id)?;
    check::addresses("EmailAddressesId", &ids)?;
    check::client_token(client_token.as_deref())?;
    if rules.switches.auto_create {
        directory.create(instance_id, Some(queue_id), &ids);
    }
    directory.instance(instance_id)?.find_queue(queue_id)?;
    let token = client_token.map(|token| TokenKey::new(call, token));
    if let Some(token) = &token
        && directory.repeated(token, &ids)?
    {
        return Ok(None);
    }

    let instance = directory.instance_mut(instance_id)?;
    if ids.iter().any(|id| !instance.email_addresses.contains_key(id)) {
        return Err(unknown_address(&rules.switches));
    }
    let queue = instance.find_queue_mut(queue_id)?;
    if queue.default_email_address_id.as_ref().is_some_and(|default| ids.contains(default)) {
        return Err(ApiError::invalid_parameter(
            "the default outbound email address of a queue cannot be disassociated",
        ));
    }
    queue.email_address_ids.retain(|associated| !ids.contains(associated));
    if let Some(token) = token {
        directory.remember(token, ids);
    }
    Ok(None)
}
