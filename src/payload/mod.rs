//! Recognises the envelope of a payload and splits it into sources.
//!
//! A [`Source`] is one message of a batch, one event, or one direct request. Every later step works on sources, because
//! they have the same form in all envelopes.

mod delivery;
mod envelope;
mod item;
mod json;
mod parsed;
mod record;
mod unrecognized;

pub use delivery::Delivery;
pub use envelope::{Body, Envelope, EnvelopeKind, NoEnvelope, Source};
pub use item::Item;
pub use json::{Json, Members};
pub use unrecognized::UnrecognizedRecord;
