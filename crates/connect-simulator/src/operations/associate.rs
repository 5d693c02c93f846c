//! `AssociateQueueEmailAddresses`: all the addresses of a call, or none.

use serde::Deserialize;

use super::{Reply, Rules, check, unknown_address};
use crate::directory::{Directory, TokenKey};
use crate::error::ApiError;
use crate::fixture::QueueFixture;
use crate::wire::Call;
use crate::{AssociatedAgain, FullWithoutDefault};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    email_addresses_config: Vec<EmailAddressConfig>,
    client_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EmailAddressConfig {
    email_address_id: String,
}

/// Associates every address of the call, or refuses the call and associates none.
///
/// A token that was seen with the same addresses is answered without looking at anything else, so that a
/// repeated call succeeds even where an association that is there is refused. Calls that were refused do not
/// use up their token.
pub(super) fn perform(call: &Call, directory: &mut Directory, rules: &Rules) -> Reply {
    let Body { email_addresses_config, client_token } = call.body()?;
    let ids: Vec<String> = email_addresses_config.into_iter().map(|config| config.email_address_id).collect();
    let (instance_id, queue_id) = call.queue_path();
    check::instance(instance_id)?;
    check::queue(queue_id)?;
    check::addresses("EmailAddressesConfig", &ids)?;
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
    let missing: Vec<String> = ids.iter().filter(|id| !queue.holds(id)).cloned().collect();
    if missing.len() < ids.len() && rules.switches.associated_again == AssociatedAgain::Refuse {
        return Err(ApiError::invalid_parameter("an email address is associated with the queue already"));
    }
    let capacity = capacity(queue, rules);
    if queue.email_address_ids.len() + missing.len() > capacity {
        return Err(ApiError::limit_exceeded(format!(
            "the queue takes at most {capacity} email addresses beside its default one"
        )));
    }
    queue.email_address_ids.extend(missing);
    if let Some(token) = token {
        directory.remember(token, ids);
    }
    Ok(None)
}

/// How many addresses the queue takes beside its default one.
fn capacity(queue: &QueueFixture, rules: &Rules) -> usize {
    let limit = queue.limit.unwrap_or(rules.limit);
    match (&queue.default_email_address_id, rules.switches.full_without_default) {
        (None, FullWithoutDefault::Fifty) => limit.saturating_add(1),
        (Some(_), _) | (None, FullWithoutDefault::FortyNine) => limit,
    }
}

impl TokenKey {
    pub(super) fn new(call: &Call, token: String) -> Self {
        let (instance, queue) = call.queue_path();
        Self { operation: call.operation, instance: instance.to_owned(), queue: queue.to_owned(), token }
    }
}
