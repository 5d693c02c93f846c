//! The work that is measured: everything between a payload's bytes and the first call.

use std::sync::Arc;

use queue_email_associator::names::Resolved;
use queue_email_associator::pairs::{Named, Pairs};
use queue_email_associator::payload::Envelope;
use queue_email_associator::plan::Plan;
use queue_email_associator::requests::Home;

use crate::failure::Failure;

/// Reads, checks and plans a payload. Gives the number of pairs and of calls.
pub(crate) fn plan(payload: &[u8], home: &Home) -> Result<(usize, usize), Failure> {
    let envelope = Envelope::read(payload).map_err(|error| Failure::Payload(error.to_string()))?;
    let pairs = Pairs::read(&envelope, home, Some("11111111-2222-3333-4444-555555555555"))
        .map_err(|invalid| Failure::Payload(invalid.message))?;
    if let Some((_, invalid)) = pairs.invalid.first() {
        return Err(Failure::Payload(invalid.message.clone()));
    }
    // As the resolver does it where nothing is named by name.
    let id = |named: Named<&Arc<str>>| match named {
        Named::Id(id) | Named::Name(id) => Ok(id.clone()),
    };
    let resolved = Resolved {
        queues: pairs.queues.iter().map(|queue| id(queue.queue.as_ref())).collect(),
        addresses: pairs.pairs.iter().map(|pair| id(pair.address())).collect(),
    };
    let plan = Plan::new(&pairs, resolved);
    Ok((pairs.mentions.len(), plan.calls()))
}
