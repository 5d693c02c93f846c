//! The error type of the benchmark.

/// The reason why a measurement failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the payload is not planned: {0}")]
    Payload(String),
    #[error("{0}")]
    Output(&'static str),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
