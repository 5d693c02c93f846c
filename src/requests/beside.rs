//! What stands beside a request: the other members of the envelope or the wrapping that it came in.

use crate::payload::Members;

use super::{Field, Invalid, Name, Path};

/// Refuses fields of a request that stand beside it, and names nearly theirs. Ignored, a `dryRun` there would make live
/// calls. `belongs` says beside what they stand and where they belong.
///
/// # Errors
/// The first such field.
pub(crate) fn no_fields_beside(members: &Members<'_>, belongs: &str) -> Result<(), Invalid> {
    let field = members.iter().find_map(|(name, _)| match Field::of(name) {
        Name::Known(field) | Name::Nearly(field) => Some(field),
        Name::Unknown => None,
    });
    match field {
        Some(field) => Err(Invalid::new(Path::default(), format!("{field} stands beside {belongs}"))),
        None => Ok(()),
    }
}
