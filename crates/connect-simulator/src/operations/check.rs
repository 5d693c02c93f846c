//! Checks the parameters of a call against the constraints of the service's model. Lengths are in characters.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use crate::error::ApiError;

/// Checks the identifiers of a call's addresses: 1 to 50 of them, each of 1 to 500 characters (API reference,
/// `AssociateQueueEmailAddresses` and `EmailAddressConfig`). Rejects a repeated identifier too. The reference does not
/// say so, but a client that sends an identifier twice has a fault.
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
pub(super) fn max_results(asked: i64, longest: usize) -> Result<usize, ApiError> {
    // A value that does not fit the length's type is out of range, like 0.
    let asked_length = usize::try_from(asked).unwrap_or(0);
    if (1..=longest).contains(&asked_length) {
        Ok(asked_length)
    } else {
        Err(ApiError::invalid_parameter(format!("MaxResults is {asked}: 1 to {longest} is accepted")))
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
    Err(ApiError::invalid_parameter(format!("{member} has {count} {unit}: {least} to {most} are accepted")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(count: usize) -> Vec<String> {
        (0..count).map(|index| format!("a{index}")).collect()
    }

    #[test]
    fn constraints() {
        let cases = [
            (addresses("Ids", &ids(1)), None),
            (addresses("Ids", &ids(50)), None),
            (addresses("Ids", &ids(0)), Some("Ids has 0 items: 1 to 50 are accepted")),
            (addresses("Ids", &ids(51)), Some("Ids has 51 items: 1 to 50 are accepted")),
            (addresses("Ids", &["é".repeat(500)]), None),
            (addresses("Ids", &["a".repeat(501)]), Some("Ids[0] has 501 characters: 1 to 500 are accepted")),
            (addresses("Ids", &[String::new()]), Some("Ids[0] has 0 characters: 1 to 500 are accepted")),
            (
                addresses("Ids", &["a".to_owned(), "b".to_owned(), "a".to_owned()]),
                Some("Ids[2] repeats an email address of this call"),
            ),
            (client_token(None), None),
            (client_token(Some(&"t".repeat(500))), None),
            (
                client_token(Some(&"t".repeat(501))),
                Some("ClientToken has 501 characters: 0 to 500 are accepted"),
            ),
            (instance(&"i".repeat(100)), None),
            (instance(&"i".repeat(101)), Some("InstanceId has 101 characters: 1 to 100 are accepted")),
            (queue(""), Some("QueueId is empty")),
            (max_results(500, 500).map(|_| ()), None),
            (max_results(101, 100).map(|_| ()), Some("MaxResults is 101: 1 to 100 is accepted")),
            (max_results(0, 100).map(|_| ()), Some("MaxResults is 0: 1 to 100 is accepted")),
            (max_results(-5, 100).map(|_| ()), Some("MaxResults is -5: 1 to 100 is accepted")),
        ];
        for (index, (result, message)) in cases.into_iter().enumerate() {
            assert_eq!(result.err().map(|error| error.message).as_deref(), message, "case {index}");
        }
    }
}
