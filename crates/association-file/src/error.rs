//! Errors of an invocation. `Retry` and `Catch` of the state machine use their names.

use lambda_runtime::Diagnostic;

/// An invocation that failed. The error's text is one line for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The file is empty, contains no requests, is too large, or has another fault. A retry cannot help.
    #[error("{0}")]
    InvalidFile(String),
    /// S3 rejected the request, or could not be reached. A retry may help.
    #[error("{0}")]
    StorageFailure(String),
    /// The requested step does not exist. A retry cannot help.
    #[error("{0}")]
    InvalidRequest(String),
}

impl FileError {
    /// Returns the `errorType` that Lambda reports.
    pub(crate) fn error_type(&self) -> &'static str {
        match self {
            FileError::InvalidFile(_) => "InvalidFile",
            FileError::StorageFailure(_) => "StorageFailure",
            FileError::InvalidRequest(_) => "InvalidRequest",
        }
    }
}

impl From<FileError> for Diagnostic {
    fn from(error: FileError) -> Self {
        Diagnostic { error_type: error.error_type().to_owned(), error_message: error.to_string() }
    }
}
