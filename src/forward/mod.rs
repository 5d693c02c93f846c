//! Forward: what failed of a message is sent on, so that the message itself is done.
//!
//! What failed for good goes to the failures queue with its reasons, and what is left of a message goes to the
//! continuation queue as a new, smaller message. Neither a pair that can never succeed nor the pairs that were done
//! already burn the source queue's deliveries.
//!
//! A message that will be delivered again all the same sends nothing: its failures would be there twice.

mod body;
mod decide;
mod parts;
mod sender;

pub use decide::{Destination, Forwarding, Outgoing, sent_on};
pub use sender::Sender;
