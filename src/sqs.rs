//! SQS: the batch limits and errors that both steps with SQS calls share.

use std::time::Duration;

use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};

/// Number of entries in one batch (SQS API reference, SendMessageBatch and ChangeMessageVisibilityBatch: up to 10).
pub(crate) const BATCH_ENTRIES: usize = 10;
/// Batches in flight at once.
pub(crate) const CONCURRENT_BATCHES: usize = 8;
/// Usual upper bound for the time of a round of batches.
const ROUND: Duration = Duration::from_millis(250);

/// The time to hand this many messages to SQS.
pub(crate) fn time_for(messages: usize) -> Duration {
    let rounds = messages.div_ceil(BATCH_ENTRIES).div_ceil(CONCURRENT_BATCHES);
    ROUND * u32::try_from(rounds).unwrap_or(u32::MAX)
}

/// A request that SQS did not carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SqsError {
    /// The error code of SQS, or one of the function's own if SQS did not answer.
    pub code: String,
    /// Whether the same request may succeed later.
    pub(crate) may_pass: bool,
}

impl SqsError {
    /// Reads the SDK's error. Only a request that SQS understood and refused cannot succeed later.
    pub(crate) fn of<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Self {
        let code = error.code().unwrap_or("ConnectionFailed").to_owned();
        let may_pass = match error {
            SdkError::ServiceError(context) => {
                let status = context.raw().status().as_u16();
                status >= 500 || status == 429 || code.contains("Throttl")
            }
            SdkError::ConstructionFailure(_) => false,
            _ => true,
        };
        SqsError { code, may_pass }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_grows_with_the_messages() {
        assert_eq!(time_for(0), Duration::ZERO);
        assert_eq!(time_for(1), ROUND);
        assert_eq!(time_for(80), ROUND);
        assert_eq!(time_for(10_000), ROUND * 125);
    }
}
