//! What is left of a request, as a request to send again.

use serde_json::Value;

use crate::failures::{Failed, Failures, Origin};
use crate::pairs::Pairs;
use crate::requests::Intent;
use crate::writer::{WrittenRequest, pair_entries};

/// Pairs of different intents are left, which no single request can ask for.
#[derive(Debug)]
pub(super) struct Mixed;

/// The pairs that may succeed later, of requests that want them back instead of an error (`"failOnRetryable": false`);
/// nothing if there are none. It says so itself, so that a state machine can loop on it.
///
/// # Errors
/// Where items of a Distributed Map batch are left of which some are dry runs and some are not, or some check queues and
/// some do not.
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
    // Items may have references of their own, and one request has one.
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
    // Nothing in a request can fail to be written.
    Ok(serde_json::to_value(request).ok())
}
