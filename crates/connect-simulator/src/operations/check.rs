//! Checks the parameters of a call against the constraints of the service's model. Lengths are in characters.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use crate::error::ApiError;

/// Checks the identifiers of a call's addresses: 1 to 50 of them, each of 1 to 500 characters (API reference,
/// `AssociateQueueEmailAddresses` and `EmailAddressConfig`). Also rejects a repeated identifier. The reference
/// does not say so, but a client that sends an identifier twice has a bug.
pub(super) fn addresses(member: &str, ids: &[String]) -> Result<(), ApiError> {
    in_range(member, "items", ids.len(), 1..=50)?;
    let mut seen = HashSet::with_capacity(ids.len());
    for (index, id) in ids.iter().enumerate() {
        let at = format!("{member}[{index}]");
        length(&at, id, 1..=500)?;
        if !seen.insert(id) {
            return Err(ApiError::invalid_parameter(format!("{at} repeats an email address of this call")));
        }
    }
    Ok(())
}

/// Checks a client token: at most 500 characters.
pub(super) fn client_token(token: Option<&str>) -> Result<(), ApiError> {
    token.map_or(Ok(()), |token| length("ClientToken", token, 0..=500))
}

/// Checks the identifier of an instance: 1 to 100 characters.
pub(super) fn instance(id: &str) -> Result<(), ApiError> {
    length("InstanceId", id, 1..=100)
}

/// Checks the identifier of a queue. The reference lists no maximum length.
pub(super) fn queue(id: &str) -> Result<(), ApiError> {
    if id.is_empty() { Err(ApiError::invalid_parameter("QueueId is empty")) } else { Ok(()) }
}

/// Checks the length of a page: 1 to the maximum of the operation.
pub(super) fn max_results(requested: i64, longest: usize) -> Result<usize, ApiError> {
    // A value that does not fit the length's type is out of range, like 0.
    let length = usize::try_from(requested).unwrap_or(0);
    if (1..=longest).contains(&length) {
        Ok(length)
    } else {
        Err(ApiError::invalid_parameter(format!("MaxResults is {requested}; expected 1 to {longest}")))
    }
}

fn length(member: &str, value: &str, accepted: RangeInclusive<usize>) -> Result<(), ApiError> {
    in_range(member, "characters", value.chars().count(), accepted)
}

fn in_range(member: &str, unit: &str, count: usize, accepted: RangeInclusive<usize>) -> Result<(), ApiError> {
    if accepted.contains(&count) {
        return Ok(());
    }
    let (least, most) = accepted.into_inner();
    Err(ApiError::invalid_parameter(format!("{member} has {count} {unit}; expected {least} to {most}")))
}
