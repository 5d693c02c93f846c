//! Rejects request fields that were placed in the envelope instead of the request.

use std::borrow::Cow;

use crate::payload::{Json, Members};
use crate::requests::{Field, Invalid, Name, Path};

/// Rejects request fields among the members of an envelope, even if they are misspelled. If the function ignored `dryRun`
/// there, it would make live calls. `content` is the member with the requests, and `destination` the place
/// where the field belongs.
///
/// # Errors
/// Rejects the first such field.
pub(crate) fn no_misplaced_fields(
    members: &Members<'_>,
    content: &str,
    destination: &str,
) -> Result<(), Invalid> {
    members.iter().find_map(field_of).map_or(Ok(()), |field| Err(misplaced(field, content, destination)))
}

/// The failure of a field that is next to the request and not in it.
pub(in crate::requests) fn misplaced(field: Field, content: &str, destination: &str) -> Invalid {
    let message = format!("{field} is not allowed next to {content}; move it into {destination}");
    Invalid::new(Path::default(), message)
}

/// Returns the request field that has this name, or nearly this name. A known field that is `null` counts as absent.
fn field_of((name, value): &(Cow<'_, str>, Json<'_>)) -> Option<Field> {
    match Field::of(name) {
        Name::Known(_) if *value == Json::Null => None,
        Name::Known(field) | Name::Nearly(field) => Some(field),
        Name::Unknown => None,
    }
}

/// The request fields of an object that may be an envelope.
pub(in crate::requests) enum Misplaced {
    /// The object has no request field.
    Nothing,
    /// The first field, which belongs in the request.
    Field(Field),
    /// The object has fields that specify pairs, so it is a request and not an envelope.
    Pairs,
}

/// Finds the request fields among the members of an object.
pub(in crate::requests) fn misplaced_fields(members: &Members<'_>) -> Misplaced {
    let mut first = None;
    for field in members.iter().filter_map(field_of) {
        if field == Field::Associations || field.names_a_pair() {
            return Misplaced::Pairs;
        }
        first.get_or_insert(field);
    }
    first.map_or(Misplaced::Nothing, Misplaced::Field)
}
