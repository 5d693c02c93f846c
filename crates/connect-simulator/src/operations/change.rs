//! The parts that the two operations that change a queue's addresses share.

use super::{Rules, check};
use crate::directory::{Directory, TokenKey};
use crate::error::ApiError;
use crate::fixture::QueueFixture;
use crate::operation::Reply;
use crate::wire::Call;

/// The change that a call requests.
pub(super) struct Change {
    /// The field of the body that contains the addresses, for messages.
    pub(super) member: &'static str,
    pub(super) ids: Vec<String>,
    pub(super) client_token: Option<String>,
}

/// Checks the call, and changes the queue unless the call is rejected.
///
/// A repeated token with the same addresses succeeds without further checks. A repeated call therefore succeeds even if
/// the simulator rejects associations that already exist. Rejected calls do not use up their token.
pub(super) fn perform(
    change: Change,
    call: &Call,
    directory: &mut Directory,
    rules: &Rules,
    apply: impl FnOnce(&mut QueueFixture, &[String]) -> Result<(), ApiError>,
) -> Reply {
    let Change { member, ids, client_token } = change;
    let (instance_id, queue_id) = call.queue_path();
    check::instance(instance_id)?;
    check::queue(queue_id)?;
    check::addresses(member, &ids)?;
    check::client_token(client_token.as_deref())?;
    if rules.switches.auto_create {
        directory.create(instance_id, Some(queue_id), &ids);
    }
    directory.instance(instance_id)?.find_queue(queue_id)?;
    let token = client_token.map(|token| TokenKey::new(call, token));
    if let Some(token) = &token
        && directory.is_repeated(token, &ids)?
    {
        return Ok(None);
    }

    let instance = directory.instance_mut(instance_id)?;
    if ids.iter().any(|id| !instance.email_addresses.contains_key(id)) {
        return Err(rules.unknown_address());
    }
    apply(instance.find_queue_mut(queue_id)?, &ids)?;
    if let Some(token) = token {
        directory.store_token(token, ids);
    }
    Ok(None)
}

impl TokenKey {
    fn new(call: &Call, token: String) -> Self {
        let (instance, queue) = call.queue_path();
        Self { operation: call.operation, instance: instance.to_owned(), queue: queue.to_owned(), token }
    }
}
