//! Errors of an invocation as a whole, with the error types that a state machine's `Retry` and `Catch` match.

use lambda_runtime::Diagnostic;

/// An invocation that ends in an error. The text is one line that a person can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvocationError {
    /// The payload has no known envelope, or nothing in it is valid. A retry cannot help.
    #[error("{0}")]
    InvalidRequest(String),
    /// Something failed for a reason that may pass. A retry is worthwhile, and it keeps the pairs that are already
    /// done.
    #[error("{0}")]
    RetryableFailure(String),
    /// Something failed permanently, and nothing may succeed later. A retry cannot help.
    #[error("{0}")]
    PermanentFailure(String),
}

impl InvocationError {
    /// The `errorType` on the wire.
    pub fn error_type(&self) -> &'static str {
        match self {
            InvocationError::InvalidRequest(_) => "InvalidRequest",
            InvocationError::RetryableFailure(_) => "RetryableFailure",
            InvocationError::PermanentFailure(_) => "PermanentFailure",
        }
    }
}

impl From<InvocationError> for Diagnostic {
    fn from(error: InvocationError) -> Self {
        Diagnostic { error_type: error.error_type().to_owned(), error_message: error.to_string() }
    }
}
