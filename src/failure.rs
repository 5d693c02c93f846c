//! Failure: why a pair was not associated.
//!
//! Every step from names to calls can find a failure, so this file uses none of them.

/// Why a pair was not associated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The API's error code, or one of ours (`QueueFull`, `DeadlineExceeded`, `NameNotFound`, …).
    pub error: String,
    /// One line: what was wrong and, where that is known, what to do.
    pub message: String,
    /// Whether the same request may succeed later.
    pub retry: Retry,
    /// Which identifiers the API refused: if they came from a directory, it may be out of date.
    pub blame: Blame,
}

/// What the API found at fault with a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// Neither identifier.
    Nothing,
    /// The queue's, or its instance's.
    Queue,
    /// The address's.
    Address,
    /// One of the two: whether the queue exists could not be found out.
    Either,
}

impl Blame {
    /// Whether the queue's identifier may be at fault.
    pub fn queue(self) -> bool {
        matches!(self, Blame::Queue | Blame::Either)
    }

    /// Whether the address's identifier may be at fault.
    pub fn address(self) -> bool {
        matches!(self, Blame::Address | Blame::Either)
    }
}

/// Whether a failed pair is worth asking for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It may pass: throttling, a fault of the service, other credentials.
    MayPass,
    /// Only time was short; nothing speaks against trying at once.
    NextInvocation,
    /// What was just created may not be found yet: retryable on the first delivery of an SQS message only, unless that
    /// is a continuation.
    FirstDelivery,
    /// The same request fails again.
    Never,
}

impl Failure {
    /// A failure that the function found itself, or that says nothing against the identifiers.
    pub fn ours(error: impl Into<String>, message: impl Into<String>, retry: Retry) -> Self {
        Failure { error: error.into(), message: message.into(), retry, blame: Blame::Nothing }
    }

    /// The failure of a pair that time was too short for.
    pub fn deadline_exceeded(reason: impl Into<String>) -> Self {
        Failure::ours("DeadlineExceeded", reason, Retry::NextInvocation)
    }

    /// The failure of a pair whose last attempt failed, and that time was too short to try again for. The cause may
    /// need time to pass, so trying at once is no use.
    pub fn deadline_exceeded_after_refusal(reason: impl Into<String>) -> Self {
        Failure::ours("DeadlineExceeded", reason, Retry::MayPass)
    }

    /// Whether the failure is retryable for a request, given whether what it names may still appear.
    pub fn is_retryable(&self, in_grace: bool) -> bool {
        match self.retry {
            Retry::MayPass | Retry::NextInvocation => true,
            Retry::FirstDelivery => in_grace,
            Retry::Never => false,
        }
    }
}
