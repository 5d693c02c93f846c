//! A failure: a failed pair or an invalid part of a request, and the source that asked for it.

use std::sync::Arc;

use serde::Serialize;

use crate::failure::Retry;
use crate::index::{PairIndex, SourceIndex};
use crate::plan::Distinct;
use crate::requests::{EmailAddressId, InstanceId, Intent, Named, Options, QueueId};

/// One failure, as the report shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// The instance, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<InstanceId>,
    /// The queue, under the caller's name for it.
    #[serde(flatten)]
    pub queue: Option<Named<QueueId>>,
    /// The email address, under the caller's name for it.
    #[serde(flatten)]
    pub address: Option<Named<EmailAddressId>>,
    /// The API's error code, or one of the function's own.
    pub error: String,
    /// One line that tells the fault and the remedy.
    pub message: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// The place in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The message that contains the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The request's own reference, or the source's identifier if the request gives none.
    pub reference: Arc<str>,
    /// The source.
    #[serde(skip)]
    pub source: SourceIndex,
    /// The subject of the failure.
    #[serde(skip)]
    pub(crate) origin: Origin,
    /// The failure was sent to one of the two queues, so the source need not be delivered again because of it.
    #[serde(skip)]
    pub sent_on: bool,
    /// The request's `failOnRetryable`.
    #[serde(skip)]
    pub(crate) fail_on_retryable: bool,
    /// The request's `failOnPermanent`.
    #[serde(skip)]
    pub(crate) fail_on_permanent: bool,
}

impl Failed {
    /// The pair, or `None` for something invalid.
    pub(crate) fn pair(&self) -> Option<PairIndex> {
        match self.origin {
            Origin::Pair { pair, .. } => Some(pair),
            Origin::Invalid(_) => None,
        }
    }

    /// Merges the options of another request of the same source for the same pair.
    pub(super) fn merge(&mut self, options: Options) {
        if let Origin::Pair { intent, .. } = &mut self.origin {
            *intent = options.intent.max(*intent);
        }
        self.fail_on_retryable |= options.fail_on_retryable;
        self.fail_on_permanent |= options.fail_on_permanent;
    }
}

/// The subject of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A pair.
    Pair {
        /// The pair as the caller named it.
        pair: PairIndex,
        /// The distinct pair, which is the same however requests name it.
        distinct: Distinct,
        /// Whether a retry of the pair may help.
        retry: Retry,
        /// The intent of the source for this pair.
        intent: Intent,
    },
    /// Something invalid. The number is its index in [`crate::pairs::Pairs::invalid`].
    Invalid(usize),
}
