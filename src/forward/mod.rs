//! Forward: sends on the failures of a message, so that the message itself is done.
//!
//! Dead letters go to the failures queue with their reasons. The pairs that may succeed later go to the continuation
//! queue as a new, smaller message. So the source queue's deliveries are not used up by pairs that can never succeed or
//! by pairs that are already done.
//!
//! The function sends nothing for a message that will be delivered again anyway. Otherwise its failures would be in two
//! queues.

mod body;
mod decide;
mod parts;
mod sender;

pub(crate) use decide::{Forwarding, sent_on};
pub(crate) use sender::Sender;
