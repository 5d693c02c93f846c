//! Redelivery: sets when a listed message comes again.
//!
//! By default SQS shows a message again when the queue's visibility timeout ends. That timeout must be longer than any
//! invocation, so the wait would be long. So the function sets the visibility of each message that it lists.

mod delay;
mod listed;
mod visibility;

pub use delay::Delays;
pub(crate) use delay::Reason;
pub(crate) use listed::{Listed, due, listed};
pub(crate) use visibility::{Due, Visibility};
