//! Errors of an invocation as a whole, under the names that `Retry` and `Catch` are written against.

use lambda_runtime::Diagnostic;

/// An invocation that ends in an error. The text is one line that a person can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvocationError {
    /// No envelope, or nothing valid in it. Not worth a retry.
    #[error("{0}")]
    InvalidRequest(String),
    /// Something failed for a reason that may pass. Worth a retry: what is done stays done.
    #[error("{0}")]
    RetryableFailure(String),
    /// Something failed for good, and nothing retryably. Not worth a retry.
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
