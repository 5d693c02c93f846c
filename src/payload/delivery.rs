//! The data that SQS adds to a message when it delivers it.

use std::borrow::Cow;

/// One delivery of an SQS message. A field is `None` if the record does not have it, or has another type of value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery<'p> {
    /// `ApproximateReceiveCount`: how often SQS has delivered the message, including this time.
    pub(crate) receive_count: Option<u32>,
    /// `receiptHandle`, which identifies this delivery to SQS.
    pub receipt_handle: Option<Cow<'p, str>>,
    /// `eventSourceARN`: the queue.
    pub(crate) queue_arn: Option<Cow<'p, str>>,
    /// `MessageGroupId`.
    pub(crate) message_group: Option<Cow<'p, str>>,
}

impl Delivery<'_> {
    /// Whether SQS delivers the message for the first time.
    pub(crate) fn is_first(&self) -> bool {
        self.receive_count == Some(1)
    }

    /// The group in which the message keeps its order: `None` on a standard queue, where order does not matter.
    pub(crate) fn ordered_group(&self) -> Option<&str> {
        self.message_group.as_deref().filter(|_| self.is_fifo())
    }

    pub(crate) fn is_fifo(&self) -> bool {
        self.queue_arn.as_deref().is_some_and(|arn| arn.ends_with(".fifo"))
    }
}
