//! Recognises the envelope of a payload and splits it into sources.
//!
//! A [`Source`] is one message of a batch, one event, or one direct request. Every later step works on sources, because
//! they have the same form in all envelopes.

mod envelope;
mod item;
mod json;
mod parsed;
mod record;
mod unrecognized;

pub use envelope::{Body, Delivery, Envelope, EnvelopeKind, Source};
pub use item::Item;
pub use json::{Json, Members};

/// Maximum length of the identifier of a message or an event, and of a reference, in characters. AWS's own identifiers
/// have 36. Every failure repeats these texts.
pub(crate) const MAX_IDENTIFIER: usize = 256;

/// Rejects a text of more than `max` characters. The reason is a phrase that follows the name of a field.
pub(crate) fn check_length(text: &str, max: usize) -> Result<(), String> {
    match text.chars().count() {
        length if length > max => Err(format!("has {length} characters; expected at most {max}")),
        _ => Ok(()),
    }
}
