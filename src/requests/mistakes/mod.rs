//! Recognises well-known mistakes of senders, such as a misspelled field, a field in the wrong place, or an envelope where a
//! request is expected.

mod hints;
mod misplaced;
mod similar;

pub(super) use hints::{hint_for_object, hint_for_value};
pub(crate) use misplaced::no_misplaced_fields;
pub(super) use misplaced::{misplaced, misplaced_field};
pub(crate) use similar::is_similar;
