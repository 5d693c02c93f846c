//! Runs the measured work: everything between a payload's bytes and the first call.

use std::error::Error;

use queue_email_associator::associate::{Plan, Resolutions};
use queue_email_associator::pairs::Pairs;
use queue_email_associator::payload::Envelope;
use queue_email_associator::requests::{ArnScope, Context, InstanceId};

/// Reads, checks and plans a payload. Returns the number of pairs and of calls.
pub(crate) fn plan(payload: &[u8], scope: &ArnScope) -> Result<(usize, usize), Box<dyn Error>> {
    let envelope = Envelope::read(payload).map_err(|error| error.to_string())?;
    let instance = InstanceId::parse("11111111-2222-3333-4444-555555555555", scope)?;
    let pairs = Pairs::read(&envelope, Context::new(scope, Some(&instance)))
        .map_err(|invalid| invalid.message.to_string())?;
    if let Some((_, invalid)) = pairs.invalid.first() {
        return Err(invalid.message.to_string().into());
    }
    let resolved = Resolutions {
        queues: pairs.queues.iter().filter_map(|queue| queue.queue.id().cloned().map(Ok)).collect(),
        addresses: pairs
            .pairs
            .iter()
            .filter_map(|pair| pair.address().id().map(|id| Ok((*id).clone())))
            .collect(),
    };
    let (_, added) = Plan::new(&pairs, resolved);
    Ok((pairs.mentions.len(), added.iter().map(|added| added.chunks.len()).sum()))
}
