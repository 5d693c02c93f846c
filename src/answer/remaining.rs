//! Writes pairs of an invocation as parts of a request, so that callers can use them in further requests.

use serde_json::Value;

use crate::associate::{Outcome, Outcomes};
use crate::pairs::Pairs;
use crate::requests::Intent;
use crate::settle::{FailureEntry, Failures};
use crate::writer::{WrittenRequest, pair_entries};

/// The remaining items of a Distributed Map batch differ in whether they are dry runs or check queues, so no single request
/// can contain all of them.
#[derive(Debug)]
pub(super) struct MixedIntents;

/// The pairs that may succeed later, as an association request, or `None` if there are none.
///
/// Only requests with `"failOnRetryable": false` get their pairs back. The new request has the same flag, so a state
/// machine can loop on it.
pub(super) fn remaining(failures: &Failures, pairs: &Pairs) -> Result<Option<Value>, MixedIntents> {
    let wanted = || {
        let may_succeed = |entry: &&FailureEntry| {
            entry.pair().is_some() && entry.retryable && !entry.options.fail_on_retryable
        };
        failures.as_slice().iter().filter(may_succeed)
    };
    let Some(first) = wanted().next() else { return Ok(None) };
    let intent = first.options.intent;
    if wanted().any(|other| other.options.intent != intent) {
        return Err(MixedIntents);
    }
    // Each item may have its own reference, but a request has only one.
    let reference = wanted().all(|entry| entry.reference == first.reference).then_some(&*first.reference);
    let instance = first.instance_id.as_deref();
    let request: WrittenRequest<'_> = WrittenRequest {
        instance_id: instance,
        dry_run: intent.is_dry(),
        check_queues: intent == Intent::Check,
        fail_on_permanent: wanted().all(|entry| entry.options.fail_on_permanent),
        fail_on_retryable: Some(false),
        reference,
        associations: pair_entries(wanted().filter_map(FailureEntry::pair), pairs, instance),
        continued: false,
        failures: None,
    };
    // Serializing a request cannot fail.
    Ok(serde_json::to_value(request).ok())
}

/// The pairs that the function found on their queues, under the caller's names. `None` if there are none.
pub(super) fn already_associated(pairs: &Pairs, outcomes: &Outcomes) -> Option<Value> {
    let found = outcomes.by_pair.indexed();
    let found = found.filter(|(_, outcome)| matches!(outcome, Outcome::AlreadyAssociated));
    let entries = pair_entries(found.map(|(pair, _)| pair), pairs, None);
    if entries.is_empty() {
        return None;
    }
    // Serializing entries cannot fail.
    serde_json::to_value(entries).ok()
}
