//! One failed pair or invalid part, with the source that requested it.

use std::sync::Arc;

use serde::Serialize;

use crate::associate::DistinctPair;
use crate::failure::Failure;
use crate::index::{InvalidIndex, PairIndex, SourceIndex};
use crate::requests::{EmailAddressId, InstanceId, Named, Options, QueueId};

/// One entry of `failures` in a report.
///
/// Entries share their texts, because a payload may have 100,000 of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureEntry {
    /// The instance, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<InstanceId>,
    /// The queue, as the caller named it.
    #[serde(flatten)]
    pub queue: Option<Named<QueueId>>,
    /// The email address, as the caller named it.
    #[serde(flatten)]
    pub address: Option<Named<EmailAddressId>>,
    /// The reason. Equal reasons of one invocation are one allocation.
    #[serde(flatten)]
    pub(crate) failure: Arc<Failure>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// The JSON path in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Box<str>>,
    /// The message that contains the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<Arc<str>>,
    /// The request's own reference, or the source's identifier if the request has none.
    pub reference: Arc<str>,
    #[serde(skip)]
    pub(crate) source: SourceIndex,
    #[serde(skip)]
    pub(crate) subject: Subject,
    /// The failure was sent to one of the two queues, so its source need not be redelivered because of it.
    #[serde(skip)]
    pub(crate) sent_on: bool,
    /// The options of the request. If a source requests a pair several times, the strictest of its requests apply.
    #[serde(skip)]
    pub(crate) options: Options,
}

/// What failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Pair {
        /// The pair as the caller named it.
        pair: PairIndex,
        /// The distinct pair, which is the same however requests name it.
        distinct: DistinctPair,
    },
    Invalid(InvalidIndex),
}

impl FailureEntry {
    /// The API's error code, or one of the function's own.
    pub fn error(&self) -> &str {
        &self.failure.error
    }

    /// One line with the problem and the remedy.
    pub fn message(&self) -> &str {
        &self.failure.message
    }

    /// Replaces the message.
    pub fn reword(&mut self, message: impl Into<String>) {
        Arc::make_mut(&mut self.failure).message = message.into();
    }

    pub(crate) fn pair(&self) -> Option<PairIndex> {
        match self.subject {
            Subject::Pair { pair, .. } => Some(pair),
            Subject::Invalid(_) => None,
        }
    }

    /// Merges the options of another request of the same source for the same pair.
    pub(super) fn merge(&mut self, options: Options) {
        self.options.intent = options.intent.max(self.options.intent);
        self.options.fail_on_retryable |= options.fail_on_retryable;
        self.options.fail_on_permanent |= options.fail_on_permanent;
    }
}
