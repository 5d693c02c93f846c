//! Implements `AssociateQueueEmailAddresses` and `DisassociateQueueEmailAddresses`, which change all the addresses of a call
//! or none.
//!
//! The reference does not say whether the default address can be disassociated. In the simulator it cannot, and the call is
//! rejected with `InvalidParameterException`.

use serde::Deserialize;

use super::{Rules, check};
use crate::directory::Directory;
use crate::error::ApiError;
use crate::fixture::QueueFixture;
use crate::operation::Reply;
use crate::wire::Call;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssociateBody {
    email_addresses_config: Vec<EmailAddressConfig>,
    client_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EmailAddressConfig {
    email_address_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DisassociateBody {
    email_addresses_id: Vec<String>,
    client_token: Option<String>,
}

/// The change that a call requests.
struct Change {
    /// The field of the body that contains the addresses, for messages.
    member: &'static str,
    ids: Vec<String>,
    client_token: Option<String>,
}

pub(super) fn associate(call: &Call, directory: &mut Directory, rules: &Rules) -> Reply {
    let AssociateBody { email_addresses_config, client_token } = call.body()?;
    let ids = email_addresses_config.into_iter().map(|config| config.email_address_id).collect();
    let change = Change { member: "EmailAddressesConfig", ids, client_token };
    perform(change, call, directory, rules, |queue, ids| {
        let missing: Vec<String> = ids.iter().filter(|id| !queue.contains(id)).cloned().collect();
        if missing.len() < ids.len() && rules.switches.reject_repeated_associations {
            return Err(ApiError::invalid_parameter("an email address is associated with the queue already"));
        }
        let has_free_slot = queue.default_email_address_id.is_none() && rules.switches.use_default_slot;
        let capacity = queue.limit.unwrap_or(rules.limit).saturating_add(usize::from(has_free_slot));
        if queue.email_address_ids.len() + missing.len() > capacity {
            return Err(ApiError::limit_exceeded(format!(
                "the queue accepts at most {capacity} email addresses in addition to its default one"
            )));
        }
        queue.email_address_ids.extend(missing);
        Ok(())
    })
}

pub(super) fn disassociate(call: &Call, directory: &mut Directory, rules: &Rules) -> Reply {
    let DisassociateBody { email_addresses_id: ids, client_token } = call.body()?;
    let change = Change { member: "EmailAddressesId", ids, client_token };
    perform(change, call, directory, rules, |queue, ids| {
        if queue.default_email_address_id.as_ref().is_some_and(|default| ids.contains(default)) {
            return Err(ApiError::invalid_parameter(
                "the default outbound email address of a queue cannot be disassociated",
            ));
        }
        let rejects = rules.switches.reject_repeated_removals;
        if rejects && ids.iter().any(|id| !queue.email_address_ids.contains(id)) {
            return Err(ApiError::invalid_parameter("an email address is not associated with the queue"));
        }
        queue.email_address_ids.retain(|associated| !ids.contains(associated));
        Ok(())
    })
}

/// Checks the call, and changes the queue unless the call is rejected.
///
/// A repeated token with the same addresses succeeds without further checks. A repeated call therefore succeeds even if
/// the simulator rejects associations that already exist. Rejected calls do not use up their token.
fn perform(
    Change { member, ids, client_token }: Change,
    call: &Call,
    directory: &mut Directory,
    rules: &Rules,
    apply: impl FnOnce(&mut QueueFixture, &[String]) -> Result<(), ApiError>,
) -> Reply {
    let (instance_id, queue_id) = call.queue_path();
    check::instance(instance_id)?;
    check::queue(queue_id)?;
    check::addresses(member, &ids)?;
    check::client_token(client_token.as_deref())?;
    if rules.switches.auto_create {
        directory.create(instance_id, Some(queue_id), &ids);
    }
    directory.instance(instance_id)?.find_queue(queue_id)?;
    let token =
        client_token.map(|token| (call.operation, instance_id.to_owned(), queue_id.to_owned(), token));
    if let Some(token) = &token
        && directory.is_repeated(token, &ids)?
    {
        return Ok(None);
    }

    let instance = directory.instance(instance_id)?;
    if ids.iter().any(|id| !instance.email_addresses.contains_key(id)) {
        return Err(rules.unknown_address());
    }
    apply(instance.find_queue(queue_id)?, &ids)?;
    if let Some(token) = token {
        directory.store_token(token, ids);
    }
    Ok(None)
}
