//! The reason why a pair was not associated.
//!
//! Every step from names to calls can create a failure, so this file imports none of them.

use serde::Serialize;

/// The reason why a pair was not associated.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Failure {
    /// The API's error code, or one of the function's own (`QueueFull`, `DeadlineExceeded`, `NameNotFound`, …).
    pub error: String,
    /// One line with the problem and, if it is known, the remedy.
    pub message: String,
    /// Whether the same request may succeed later.
    #[serde(skip)]
    pub retry: Retry,
    /// The identifiers that the API rejected. If one came from a directory, that directory may be out of date.
    #[serde(skip)]
    pub(crate) blame: Blame,
}

/// The identifiers of a pair that may be wrong because the pair failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Blame {
    Nothing,
    /// The queue's identifier, or its instance's.
    Queue,
    Address,
    /// One of the two identifiers. The function could not find out whether the queue exists.
    Either,
    /// The API rejected neither of them, but the queue has no room. If the caller gave names, another queue may have the
    /// name by now, or the address may be on the queue under another identifier.
    Room,
}

impl Blame {
    /// Whether the queue's identifier may be at fault.
    pub(crate) fn queue(self) -> bool {
        matches!(self, Blame::Queue | Blame::Either)
    }

    /// Whether the address's identifier may be at fault.
    pub(crate) fn address(self) -> bool {
        matches!(self, Blame::Address | Blame::Either)
    }
}

/// Whether a failed pair is worth requesting again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// The cause may pass, such as throttling, a fault of the service, or expired credentials.
    MayPass,
    /// Only time was short, so the next invocation can retry immediately.
    NextInvocation,
    /// A queue or an address that was just created may not be found yet. The failure is retryable only on the first
    /// delivery of an SQS message that is not a continuation.
    FirstDelivery,
    /// The same request fails again.
    Never,
}

impl Retry {
    /// Combines the retryable failures of one message.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        if self == other { self } else { Retry::MayPass }
    }
}

impl Failure {
    /// A failure that blames no identifier.
    pub(crate) fn ours(error: impl Into<String>, message: impl Into<String>, retry: Retry) -> Self {
        Failure { error: error.into(), message: message.into(), retry, blame: Blame::Nothing }
    }

    pub(crate) fn deadline_exceeded(reason: impl Into<String>) -> Self {
        Failure::ours("DeadlineExceeded", reason, Retry::NextInvocation)
    }

    /// The failure of a pair whose last attempt failed when no time was left for another. The cause may need time to
    /// pass, so an immediate retry is useless.
    pub(crate) fn deadline_exceeded_after_rejection(reason: impl Into<String>) -> Self {
        Failure::ours("DeadlineExceeded", reason, Retry::MayPass)
    }

    /// Whether the failure is retryable. `may_be_new` says whether a queue or address that was not found may only be new.
    pub(crate) fn is_retryable(&self, may_be_new: bool) -> bool {
        match self.retry {
            Retry::MayPass | Retry::NextInvocation => true,
            Retry::FirstDelivery => may_be_new,
            Retry::Never => false,
        }
    }
}
