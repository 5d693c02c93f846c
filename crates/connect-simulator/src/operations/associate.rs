//! Implements `AssociateQueueEmailAddresses`, which associates all the addresses of a call or none.

use serde::Deserialize;

use super::Rules;
use super::change::{self, Change};
use crate::directory::Directory;
use crate::error::ApiError;
use crate::fixture::QueueFixture;
use crate::operation::Reply;
use crate::wire::Call;
use crate::{LimitWithoutDefault, RepeatedAssociation};

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

/// Associates every address of the call, or rejects the call and associates none.
pub(super) fn perform(call: &Call, directory: &mut Directory, rules: &Rules) -> Reply {
    let AssociateBody { email_addresses_config, client_token } = call.body()?;
    let ids = email_addresses_config.into_iter().map(|config| config.email_address_id).collect();
    let change = Change { member: "EmailAddressesConfig", ids, client_token };
    change::perform(change, call, directory, rules, |queue, ids| {
        let missing: Vec<String> = ids.iter().filter(|id| !queue.contains(id)).cloned().collect();
        if missing.len() < ids.len() && rules.switches.repeated_association == RepeatedAssociation::Reject {
            return Err(ApiError::invalid_parameter("an email address is associated with the queue already"));
        }
        let capacity = capacity(queue, rules);
        if queue.email_address_ids.len() + missing.len() > capacity {
            return Err(ApiError::limit_exceeded(format!(
                "the queue accepts at most {capacity} email addresses in addition to its default one"
            )));
        }
        queue.email_address_ids.extend(missing);
        Ok(())
    })
}

/// Returns the number of addresses that fit on the queue in addition to its default address.
fn capacity(queue: &QueueFixture, rules: &Rules) -> usize {
    let limit = queue.limit.unwrap_or(rules.limit);
    match (&queue.default_email_address_id, rules.switches.limit_without_default) {
        (None, LimitWithoutDefault::Fifty) => limit.saturating_add(1),
        (Some(_), _) | (None, LimitWithoutDefault::FortyNine) => limit,
    }
}
