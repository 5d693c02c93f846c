//! Rejects request fields that were placed in the envelope instead of the request.

use std::borrow::Cow;

use crate::payload::{Json, Members};
use crate::requests::{Field, FieldMatch, Invalid, Path};

/// Rejects request fields among the members of an envelope, even if they are misspelled. If the function ignored `dryRun`
/// there, it would make live calls. `content` is the member with the requests, and the field belongs in `destination`.
pub(crate) fn no_misplaced_fields(
    members: &Members<'_>,
    content: &str,
    destination: &str,
) -> Result<(), Invalid> {
    members.iter().find_map(field_of).map_or(Ok(()), |field| Err(misplaced(field, content, destination)))
}

/// The failure of a field that is outside its request.
pub(in crate::requests) fn misplaced(field: Field, content: &str, destination: &str) -> Invalid {
    let message = format!("{field} cannot be combined with {content}; move it into {destination}");
    Invalid::new(Path::default(), message)
}

/// Returns the request field that has this name, or nearly this name. A known field that is `null` counts as absent.
fn field_of((name, value): &(Cow<'_, str>, Json<'_>)) -> Option<Field> {
    match Field::of(name) {
        FieldMatch::Exact(_) if *value == Json::Null => None,
        FieldMatch::Exact(field) | FieldMatch::Similar(field) => Some(field),
        FieldMatch::None => None,
    }
}

/// Returns a request field of an object that may be an envelope. A field that shows that the object is a request takes
/// precedence over the first field.
pub(in crate::requests) fn misplaced_field(members: &Members<'_>) -> Option<Field> {
    let mut first = None;
    for field in members.iter().filter_map(field_of) {
        if field.requests_pairs() {
            return Some(field);
        }
        first.get_or_insert(field);
    }
    first
}
