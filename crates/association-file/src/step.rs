//! Defines the input and the output of each step, as exchanged with a state machine.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::FileError;
use crate::text::shortened;

/// Maximum length in bytes of an event in a message.
const MAX_SHOWN: usize = 100;

/// The requested step, as an object with one field that has the name of the step.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Step {
    /// Write the pairs of a file as one request per queue.
    Group(GroupStep),
    /// Write the results of a file.
    Summarise(Box<SummariseStep>),
}

/// The input of `group`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct GroupStep {
    /// The bucket of the file. The step also writes to this bucket.
    pub(crate) bucket: String,
    /// The key of the file. Its extension determines the format.
    pub(crate) key: String,
    /// The ETag of the version to read, if an event started the execution. Another version is an error.
    pub(crate) etag: Option<String>,
    /// The key for the requests, one per line.
    pub(crate) to: String,
}

/// The response to `group`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grouped {
    pub(crate) bucket: String,
    pub(crate) key: String,
    #[serde(flatten)]
    pub(crate) counts: FileCounts,
    /// Number of lines written.
    pub(crate) requests: usize,
    /// The key of the invalid records, one per line, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invalid: Option<String>,
    /// The key of the rows of a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) table: Option<String>,
}

/// The counts of a file's requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileCounts {
    /// Number of records in the file: rows of a table, or lines of JSON Lines.
    pub(crate) rows: usize,
    /// Number of distinct pairs and invalid records.
    pub(crate) pairs: usize,
    /// Number of pairs that repeat an earlier one.
    pub(crate) repeated: usize,
    /// Number of distinct queue names and identifiers.
    pub(crate) queues: usize,
}

/// The input of `summarise`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct SummariseStep {
    /// The bucket of all objects below.
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) execution: String,
    /// The response to `group`, if the step succeeded.
    pub(crate) grouped: Option<Grouped>,
    /// The key of the Map's `manifest.json`, if the Map wrote one.
    pub(crate) manifest: Option<String>,
    pub(crate) error: Option<CaughtError>,
}

/// An error that a state machine caught.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CaughtError {
    /// Its name, for example `InvalidFile` or `States.Timeout`.
    #[serde(default)]
    pub(crate) error: String,
    #[serde(default)]
    pub(crate) cause: String,
}

impl CaughtError {
    /// Returns the error with the Lambda function's message, instead of the JSON in which Step Functions wraps it.
    pub(crate) fn unwrapped(self) -> Self {
        match error_message(&self.cause) {
            Some(cause) => CaughtError { cause, ..self },
            None => self,
        }
    }
}

/// Returns the message of a Lambda function from the JSON in which Step Functions wraps it.
pub(crate) fn error_message(cause: &str) -> Option<String> {
    let cause: Value = serde_json::from_str(cause).ok()?;
    cause.get("errorMessage")?.as_str().map(str::to_owned)
}

impl Step {
    pub(crate) fn read(event: &Value) -> Result<Self, FileError> {
        Step::deserialize(event).map_err(|error| {
            let found = match event {
                Value::Object(_) => error.to_string(),
                other => format!("got {}", shortened(other.to_string(), MAX_SHOWN)),
            };
            FileError::InvalidRequest(format!(
                "not a step of the file function ({found}); expected {{\"group\": {{bucket, key, etag?, to}}}} or \
                 {{\"summarise\": {{bucket, key, execution, grouped?, manifest?, error?}}}}"
            ))
        })
    }
}
