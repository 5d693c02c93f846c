//! Payload: the bytes of an invocation, told apart into envelopes and taken apart into sources.
//!
//! A [`Source`] is what asked for something: one message of a batch, one event, or the invocation itself.
//! Everything further down works on sources and no longer knows which envelope they came in.

mod delivery;
mod document;
mod envelope;
mod foreign;
mod json;
mod record;

pub use delivery::Delivery;
pub use envelope::{Body, Envelope, EnvelopeKind, NoEnvelope, Source};
pub use foreign::Foreign;
pub use json::{Json, Members};
