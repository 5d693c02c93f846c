//! Defines the shapes of large batches: an ordinary shape, and the shapes most likely to be slow.

/// The shape of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Shape {
    /// 10,000 messages of one pair each, over 200 queues
    Messages,
    /// 1,000 pairs: 20 messages of 50 addresses each
    Pairs1000,
    /// 100,000 pairs: 2,000 messages of 50 addresses each
    Pairs100000,
    /// 10,000 messages of one pair each, all on one queue
    OneQueue,
    /// 10,000 messages of one pair each, each with its own queue
    OwnQueues,
    /// 10,000 messages that all request the same pair
    Duplicates,
    /// 10,000 messages of one pair each, each inside an EventBridge event inside an SNS notification
    Nested,
}

/// The envelope inside a message body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Envelope {
    /// No envelope: the body is the request.
    None,
    /// The request is the detail of an EventBridge event, which is the message of an SNS notification.
    EventInNotification,
}

/// The numbers that describe a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch {
    pub(crate) messages: usize,
    pub(crate) addresses_a_message: usize,
    /// Number of queues. Consecutive messages use different queues.
    pub(crate) queues: usize,
    /// Number of different addresses.
    pub(crate) addresses: usize,
    pub(crate) envelope: Envelope,
}

impl Shape {
    /// Returns the shape's name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Shape::Messages => "10,000 messages over 200 queues",
            Shape::Pairs1000 => "1,000 pairs, 50 a message",
            Shape::Pairs100000 => "100,000 pairs, 50 a message",
            Shape::OneQueue => "10,000 messages, one queue",
            Shape::OwnQueues => "10,000 messages, a queue each",
            Shape::Duplicates => "10,000 messages, all the same pair",
            Shape::Nested => "10,000 messages, SNS around EventBridge",
        }
    }

    pub(crate) fn batch(self) -> Batch {
        let ordinary = Batch {
            messages: 10_000,
            addresses_a_message: 1,
            queues: 200,
            addresses: usize::MAX,
            envelope: Envelope::None,
        };
        match self {
            Shape::Messages => ordinary,
            Shape::Pairs1000 => Batch { messages: 20, addresses_a_message: 50, ..ordinary },
            Shape::Pairs100000 => Batch { messages: 2_000, addresses_a_message: 50, ..ordinary },
            Shape::OneQueue => Batch { queues: 1, ..ordinary },
            Shape::OwnQueues => Batch { queues: usize::MAX, ..ordinary },
            Shape::Duplicates => Batch { queues: 1, addresses: 1, ..ordinary },
            Shape::Nested => Batch { envelope: Envelope::EventInNotification, ..ordinary },
        }
    }
}
