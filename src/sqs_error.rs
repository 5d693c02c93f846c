//! Why SQS did not carry out a request, and whether another attempt may succeed.

use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};

/// A request that SQS did not carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SqsError {
    /// The error code of SQS, or one of ours where there was no answer.
    pub(crate) code: String,
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
