//! Fields of a request that stand beside it: in the envelope or the wrapping that it came in.

use std::borrow::Cow;

use crate::payload::{Json, Members};

use super::{Field, Invalid, Name, Path};

/// Refuses fields of a request that stand beside it, and names nearly theirs. Ignored, a `dryRun` there would make live
/// calls. `belongs` says beside what they stand and where they belong.
///
/// # Errors
/// The first such field.
pub(crate) fn no_fields_beside(members: &Members<'_>, belongs: &str) -> Result<(), Invalid> {
    match members.iter().find_map(field_of) {
        Some(field) => Err(Invalid::new(Path::default(), format!("{field} stands beside {belongs}"))),
        None => Ok(()),
    }
}

/// The field that a member is or nearly is. A known field that is `null` counts as absent.
pub(super) fn field_of((name, value): &(Cow<'_, str>, Json<'_>)) -> Option<Field> {
    match Field::of(name) {
        Name::Known(_) if *value == Json::Null => None,
        Name::Known(field) | Name::Nearly(field) => Some(field),
        Name::Unknown => None,
    }
}

/// Whether a document names pairs itself, so that it is a request.
pub(super) fn names_pairs(members: &Members<'_>) -> bool {
    members.iter().filter_map(field_of).any(|field| field == Field::Associations || field.names_a_pair())
}
