//! Payload: recognises the envelope of a payload and splits it into sources.
//!
//! A [`Source`] is one message of a batch, one event, or one direct request. Every later step works on sources, because
//! they have the same form in all envelopes.

mod delivery;
mod envelope;
mod foreign;
mod item;
mod json;
mod parsed;
mod record;

pub use delivery::Delivery;
pub use envelope::{Body, Envelope, EnvelopeKind, NoEnvelope, Source};
pub use foreign::Foreign;
pub use item::Item;
pub use json::{Json, Members};
