//! Beside: refuses request fields that stand in an envelope, beside the request.

use std::borrow::Cow;

use crate::payload::{Json, Members};

use super::{Field, Invalid, Name, Path};

/// Refuses request fields among the members of an envelope, and names that are nearly theirs. If the function ignored a
/// `dryRun` there, it would make live calls. `belongs` ends the message. It names the member that the field stands
/// beside and the place where the field belongs.
///
/// # Errors
/// Refuses the first such field.
pub(crate) fn no_fields_beside(members: &Members<'_>, belongs: &str) -> Result<(), Invalid> {
    match members.iter().find_map(field_of) {
        Some(field) => Err(Invalid::new(Path::default(), format!("{field} stands beside {belongs}"))),
        None => Ok(()),
    }
}

/// The request field that a member's name is, or nearly is. A known field that is `null` counts as absent.
pub(super) fn field_of((name, value): &(Cow<'_, str>, Json<'_>)) -> Option<Field> {
    match Field::of(name) {
        Name::Known(_) if *value == Json::Null => None,
        Name::Known(field) | Name::Nearly(field) => Some(field),
        Name::Unknown => None,
    }
}

/// The fields of a request in an object, beside a member that may hold a request.
pub(super) enum Beside {
    Nothing,
    /// A field that belongs into the request.
    Field(Field),
    /// Fields that name pairs, so the object is a request and no envelope.
    Pairs,
}

/// Finds the fields of a request among the members of an object.
pub(super) fn stands_beside(members: &Members<'_>) -> Beside {
    let mut first = None;
    for field in members.iter().filter_map(field_of) {
        if field == Field::Associations || field.names_a_pair() {
            return Beside::Pairs;
        }
        first.get_or_insert(field);
    }
    first.map_or(Beside::Nothing, Beside::Field)
}

/// Whether an object names pairs.
pub(super) fn names_pairs(members: &Members<'_>) -> bool {
    matches!(stands_beside(members), Beside::Pairs)
}
