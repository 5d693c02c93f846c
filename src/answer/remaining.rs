//! What is left of a request, as a request to send again.

use serde_json::{Map, Value};

use crate::failures::{Failed, Failures, Origin};
use crate::pairs::Pairs;
use crate::requests::Field;
use crate::writer::pair_entries;

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
    let mut request = Map::new();
    if dry_run {
        request.insert(Field::DryRun.name().to_owned(), true.into());
    }
    if wanted(dry_run).all(|failed| failed.fail_on_permanent) {
        request.insert(Field::FailOnPermanent.name().to_owned(), true.into());
    }
    request.insert(Field::FailOnRetryable.name().to_owned(), false.into());
    // Items may have references of their own, and one request has one.
    let reference = left.peek().map(|failed| failed.reference.clone());
    if let Some(reference) = reference.filter(|one| wanted(dry_run).all(|failed| failed.reference == *one)) {
        request.insert(Field::Reference.name().to_owned(), (*reference).into());
    }
    let instance = left.peek().and_then(|failed| failed.instance_id.clone());
    let entries = pair_entries(left.filter_map(Failed::pair), pairs, instance.as_deref());
    if let Some(instance) = instance {
        request.insert(Field::InstanceId.name().to_owned(), (*instance).into());
    }
    request.insert(Field::Associations.name().to_owned(), entries.into());
    Ok(Some(Value::Object(request)))
}
