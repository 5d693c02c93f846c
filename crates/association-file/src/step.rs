//! Defines the input and the output of each step, as exchanged with a state machine.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::FileError;

/// The requested step, as an object with one field that has the name of the step.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// Write the pairs of a file as one request per queue.
    Group(GroupStep),
    /// Write the results of a file.
    Summarise(Box<SummariseStep>),
}

/// The input of `group`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct GroupStep {
    /// The bucket of the file. The step also writes to this bucket.
    pub bucket: String,
    /// The key of the file. Its extension determines the format.
    pub key: String,
    /// The ETag of the version to read, if an event started the execution. Another version is an error.
    #[serde(default)]
    pub etag: Option<String>,
    /// The key for the requests, one per line.
    pub to: String,
}

/// The response to `group`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grouped {
    /// The bucket of the requests.
    pub bucket: String,
    /// The key of the requests, one per line.
    pub key: String,
    /// Number of records in the file: rows of a table, or lines of JSON Lines.
    pub rows: usize,
    /// Number of distinct pairs and invalid records.
    pub pairs: usize,
    /// Number of pairs that repeat an earlier one.
    pub repeated: usize,
    /// Number of distinct queue names and identifiers.
    pub queues: usize,
    /// Number of lines written.
    pub requests: usize,
    /// The key of the invalid records, one per line, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid: Option<String>,
    /// The key of the rows of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

/// The input of `summarise`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SummariseStep {
    /// The bucket of all objects below.
    pub bucket: String,
    /// The key of the file.
    pub key: String,
    /// The name of the execution.
    pub execution: String,
    /// The response to `group`, if the step succeeded.
    #[serde(default)]
    pub grouped: Option<Grouped>,
    /// The key of the map's `manifest.json`, if the map wrote one.
    #[serde(default)]
    pub manifest: Option<String>,
    /// The reason why the execution fails, if it fails.
    #[serde(default)]
    pub error: Option<Cause>,
}

/// An error that a state machine caught.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Cause {
    /// Its name, for example `InvalidFile` or `States.Timeout`.
    #[serde(default)]
    pub error: String,
    /// The error's message.
    #[serde(default)]
    pub cause: String,
}

impl Cause {
    /// Returns the error with the Lambda function's message, instead of the JSON in which Step Functions wraps it.
    pub(crate) fn in_words(self) -> Self {
        match error_message(&self.cause) {
            Some(cause) => Cause { cause, ..self },
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
    /// Reads an invocation.
    ///
    /// # Errors
    /// [`FileError::InvalidRequest`], with the value found and the accepted values.
    pub fn read(event: &Value) -> Result<Self, FileError> {
        Step::deserialize(event).map_err(|error| {
            FileError::InvalidRequest(format!(
                "not a step of the file function: {error}; expected {{\"group\": {{bucket, key, etag?, to}}}} or \
                 {{\"summarise\": {{bucket, key, execution, grouped?, manifest?, error?}}}}"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn member_names_the_step() {
        let group =
            json!({ "group": { "bucket": "b", "key": "incoming/f.csv", "to": "work/x/requests.jsonl" } });
        assert!(matches!(Step::read(&group), Ok(Step::Group(step)) if step.to == "work/x/requests.jsonl"));
        let summarise = json!({ "summarise": {
            "bucket": "b", "key": "incoming/f.csv", "execution": "x", "grouped": null,
            "error": { "Error": "InvalidFile", "Cause": "line 1" },
        }});
        let Ok(Step::Summarise(step)) = Step::read(&summarise) else { panic!("a step") };
        assert_eq!((step.grouped, step.manifest), (None, None));
        assert_eq!(step.error.unwrap().cause, "line 1");
    }

    #[test]
    fn unknown_step_says_what_is_accepted() {
        for (event, met) in [
            (json!({ "sort": {} }), "unknown variant `sort`"),
            (json!({ "group": { "bucket": "b" } }), "missing field `key`"),
            (json!({ "group": {}, "summarise": {} }), "map with a single key"),
            (json!(null), "invalid type"),
        ] {
            let error = Step::read(&event).unwrap_err();
            assert_eq!(error.error_type(), "InvalidRequest");
            let text = error.to_string();
            assert!(text.starts_with("not a step of the file function: "), "{text}");
            assert!(text.contains(met) && text.contains("expected {\"group\""), "{text}");
        }
    }
}
