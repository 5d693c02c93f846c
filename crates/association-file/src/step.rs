//! Steps: the invocations by a state machine.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::FileError;

/// The step that an invocation asks for: an object with one member, which is named after the step.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// Write the pairs of a file as one request for each queue.
    Group(GroupStep),
    /// Write down the results of a file.
    Summarise(Box<SummariseStep>),
}

/// The input of `group`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct GroupStep {
    /// The bucket that the file is in. The step also writes there.
    pub bucket: String,
    /// The key of the file. Its ending shows the form.
    pub key: String,
    /// The ETag of the version to read, if the execution was started by an event. Another version is an error.
    #[serde(default)]
    pub etag: Option<String>,
    /// The key that the requests are written to, one a line.
    pub to: String,
}

/// The answer of `group`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grouped {
    /// The bucket of the requests.
    pub bucket: String,
    /// The requests, one a line.
    pub key: String,
    /// Records of the file: rows of a CSV file, or lines of JSON lines.
    pub rows: usize,
    /// Distinct pairs, and everything invalid.
    pub pairs: usize,
    /// Number of pairs that repeat an earlier one.
    pub repeated: usize,
    /// Different queues, as they are named.
    pub queues: usize,
    /// Lines written.
    pub requests: usize,
    /// The key of everything invalid, one record a line, if there is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid: Option<String>,
    /// The key of the rows of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

/// The input of `summarise`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SummariseStep {
    /// The bucket of everything below.
    pub bucket: String,
    /// The file.
    pub key: String,
    /// The name of the execution.
    pub execution: String,
    /// The answer of `group`, if it ran and did not fail.
    #[serde(default)]
    pub grouped: Option<Grouped>,
    /// The `manifest.json` that the map wrote, if it did.
    #[serde(default)]
    pub manifest: Option<String>,
    /// The reason why the execution fails, if it does.
    #[serde(default)]
    pub error: Option<Cause>,
}

/// An error of a state machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Cause {
    /// Its name, such as `InvalidFile` or `States.Timeout`.
    #[serde(default)]
    pub error: String,
    /// The error's message.
    #[serde(default)]
    pub cause: String,
}

impl Cause {
    /// The error with the message of the Lambda function in place of the JSON that Step Functions makes of it.
    pub(crate) fn in_words(self) -> Self {
        match error_message(&self.cause) {
            Some(cause) => Cause { cause, ..self },
            None => self,
        }
    }
}

/// The message of a Lambda function, out of the cause that Step Functions makes of it.
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
                "not a step of the file function: {error}; expected {{\"group\": {{bucket, key, etag?, to}}}} and \
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
