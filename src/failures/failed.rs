//! One failure: a pair that failed or something invalid, and who asked for it.

use std::sync::Arc;

use serde::Serialize;

use crate::failure::Retry;
use crate::plan::Distinct;
use crate::requests::{Intent, Options};

/// One failure, as it stands in the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// The instance, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<Arc<str>>,
    /// The queue, as the caller named it.
    #[serde(flatten)]
    pub queue: Option<NamedQueue>,
    /// The email address, as the caller named it.
    #[serde(flatten)]
    pub address: Option<NamedAddress>,
    /// The API's error code, or one of the function's own.
    pub error: String,
    /// One line: what was wrong and what to do.
    pub message: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// Where in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The message that asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The reference of the request: the caller's own, else the identifier of what asked.
    pub reference: Arc<str>,
    /// Which of the envelope's sources asked.
    #[serde(skip)]
    pub source: usize,
    /// What failed.
    #[serde(skip)]
    pub origin: Origin,
    /// It was sent on to one of the two queues, so that the source need not be delivered again for it.
    #[serde(skip)]
    pub sent_on: bool,
    /// The request's `failOnRetryable`.
    #[serde(skip)]
    pub fail_on_retryable: bool,
    /// The request's `failOnPermanent`.
    #[serde(skip)]
    pub fail_on_permanent: bool,
}

impl Failed {
    /// Which of [`crate::pairs::Pairs::pairs`] failed; nothing where something is invalid.
    pub(crate) fn pair(&self) -> Option<usize> {
        match self.origin {
            Origin::Pair { pair, .. } => Some(pair),
            Origin::Invalid(_) => None,
        }
    }

    /// Another request of the same source asks for the pair too.
    pub(super) fn asked_again(&mut self, options: Options) {
        if let Origin::Pair { intent, .. } = &mut self.origin {
            *intent = options.intent.max(*intent);
        }
        self.fail_on_retryable |= options.fail_on_retryable;
        self.fail_on_permanent |= options.fail_on_permanent;
    }
}

/// What a failure is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A pair.
    Pair {
        /// Which of [`crate::pairs::Pairs::pairs`].
        pair: usize,
        /// Which of the distinct pairs, however they are named.
        distinct: Distinct,
        /// Whether the pair is worth asking for again.
        retry: Retry,
        /// How far the source wanted the pair taken.
        intent: Intent,
    },
    /// Something invalid: which of [`crate::pairs::Pairs::invalid`].
    Invalid(usize),
}

/// A queue under the name of the field that named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum NamedQueue {
    /// By identifier.
    #[serde(rename = "queueId")]
    Id(Arc<str>),
    /// By name.
    #[serde(rename = "queueName")]
    Name(Arc<str>),
}

/// An email address under the name of the field that named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum NamedAddress {
    /// By identifier.
    #[serde(rename = "emailAddressId")]
    Id(Arc<str>),
    /// By the address itself.
    #[serde(rename = "emailAddress")]
    Address(Arc<str>),
}
