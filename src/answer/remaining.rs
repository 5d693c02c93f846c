//! What is left of a request, as a request to send again.

use serde_json::Value;

use crate::failures::{Failed, Failures, Origin};
use crate::pairs::Pairs;
use crate::writer::{WrittenRequest, pair_entries};

/// Live pairs and dry ones are left, which no single request can ask for.
#[derive(Debug)]
pub(super) struct Mixed;

/// The pairs that may succeed later, of requests that want them back instead of an error (`"failOnRetryable": false`);
/// nothing if there are none. It says so itself, so that a state machine can loop on it.
///
/// # Errors
/// Where items of a Distributed Map batch are left of which some are dry runs and some are not.
pub(super) fn remaining(failures: &Failures, pairs: &Pairs) -> Result<Option<Value>, Mixed> {
    let wanted = |dry: bool| {
        failures.as_slice().iter().filter(move |failed| {
            let of_that_kind = matches!(failed.origin, Origin::Pair { dry_run, .. } if dry_run == dry);
            failed.retryable && !failed.fail_on_retryable && of_that_kind
        })
    };
    let dry_run = wanted(true).next().is_some();
    if dry_run && wanted(false).next().is_some() {
        return Err(Mixed);
    }
    let mut left = wanted(dry_run).peekable();
    if left.peek().is_none() {
        return Ok(None);
    }
    // Items may have references of their own, and one request has one.
    let reference = left.peek().map(|failed| failed.reference.clone());
    let reference = reference.filter(|one| wanted(dry_run).all(|failed| failed.reference == *one));
    let instance = left.peek().and_then(|failed| failed.instance_id.clone());
    let request = WrittenRequest {
        instance_id: instance.as_deref(),
        dry_run,
        fail_on_permanent: wanted(dry_run).all(|failed| failed.fail_on_permanent),
        fail_on_retryable: Some(false),
        reference: reference.as_deref(),
        associations: pair_entries(left.filter_map(Failed::pair), pairs, instance.as_deref()),
        ..WrittenRequest::default()
    };
    // Nothing in a request can fail to be written.
    Ok(serde_json::to_value(request).ok())
}
