//! Errors of an invocation, under the names that `Retry` and `Catch` are written against.

use lambda_runtime::Diagnostic;

/// An invocation that ends in an error. The text is one line that a person can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The file is wrong: it is empty, holds no requests, or is too large. A retry cannot help.
    #[error("{0}")]
    InvalidFile(String),
    /// S3 refused, or could not be reached. A retry may help.
    #[error("{0}")]
    StorageFailure(String),
    /// The invocation asks for a step that does not exist. A retry cannot help.
    #[error("{0}")]
    InvalidRequest(String),
}

impl FileError {
    /// The `errorType` on the wire.
    pub fn error_type(&self) -> &'static str {
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
