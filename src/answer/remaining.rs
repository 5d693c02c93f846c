//! Remaining: the pairs of a request that may succeed later, as a request to send again.

use serde_json::Value;

use crate::failures::{Failed, Failures, Origin};
use crate::pairs::Pairs;
use crate::requests::Intent;
use crate::writer::{WrittenRequest, pair_entries};

/// The remaining pairs have different intents, and no single request can ask for all of them.
#[derive(Debug)]
pub(super) struct Mixed;

/// The pairs that may succeed later, as an association request, or `None` if there are none.
///
/// Only requests with `"failOnRetryable": false` get their pairs back. The new request has the same flag, so a state
/// machine can loop on it.
///
/// # Errors
/// Returns [`Mixed`] if the remaining items of a Distributed Map batch differ in whether they are dry runs, or in
/// whether they check queues.
pub(super) fn remaining(failures: &Failures, pairs: &Pairs) -> Result<Option<Value>, Mixed> {
    let wanted = || {
        failures.as_slice().iter().filter_map(|failed| match failed.origin {
            Origin::Pair { intent, .. } if failed.retryable && !failed.fail_on_retryable => {
                Some((intent, failed))
            }
            Origin::Pair { .. } | Origin::Invalid(_) => None,
        })
    };
    let Some((intent, first)) = wanted().next() else { return Ok(None) };
    if wanted().any(|(other, _)| other != intent) {
        return Err(Mixed);
    }
    let left = || wanted().map(|(_, failed)| failed);
    // Each item may have its own reference, but a request has only one.
    let reference = left().all(|failed| failed.reference == first.reference).then_some(&*first.reference);
    let instance = first.instance_id.as_deref();
    let request = WrittenRequest {
        instance_id: instance,
        dry_run: intent.is_dry(),
        check_queues: intent == Intent::Check,
        fail_on_permanent: left().all(|failed| failed.fail_on_permanent),
        fail_on_retryable: Some(false),
        reference,
        associations: pair_entries(left().filter_map(Failed::pair), pairs, instance),
        ..WrittenRequest::default()
    };
    // Serializing a request cannot fail.
    Ok(serde_json::to_value(request).ok())
}
