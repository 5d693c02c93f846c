//! Redelivery: a listed message comes again when there is a point in it.
//!
//! Left alone, SQS shows a message again when the queue's visibility timeout ends, and that must be longer than any
//! invocation takes. So the function sets the visibility of each message that it lists.

mod delay;
mod listed;
mod queue_url;
mod visibility;

pub use delay::{Delays, Reason};
pub use listed::{Listed, due, listed};
pub use visibility::{Due, Visibility};
