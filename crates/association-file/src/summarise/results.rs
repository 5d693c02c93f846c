//! Reads the objects that a Distributed Map writes to S3: a manifest, and files of execution records (AWS Step
//! Functions Developer Guide, "ResultWriter").

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::error::Category;
use serde_json::value::RawValue;

/// Maximum size of a result file in bytes: 128 MiB. Files are read one after the other.
pub const MAX_RESULTS_BYTES: usize = 128 << 20;

/// How the executions in a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The executions have an output.
    Succeeded,
    /// The executions failed, timed out, or were aborted.
    Failed,
    /// The executions never started.
    Pending,
}

/// The manifest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Manifest {
    result_files: ResultFiles,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct ResultFiles {
    #[serde(default, rename = "SUCCEEDED")]
    succeeded: Vec<ResultFile>,
    #[serde(default, rename = "FAILED")]
    failed: Vec<ResultFile>,
    #[serde(default, rename = "PENDING")]
    pending: Vec<ResultFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct ResultFile {
    #[serde(rename = "Key")]
    key: String,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// The reason why the manifest cannot be read.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes)
            .map_err(|error| format!("the manifest cannot be read: {}", without_values(&error)))
    }

    /// Returns the files, and how the executions in each ended.
    pub fn files(&self) -> impl Iterator<Item = (Ended, &str)> {
        let ResultFiles { succeeded, failed, pending } = &self.result_files;
        let all = [(Ended::Succeeded, succeeded), (Ended::Failed, failed), (Ended::Pending, pending)];
        all.into_iter().flat_map(|(ended, files)| files.iter().map(move |file| (ended, file.key.as_str())))
    }
}

/// One execution of the map.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Execution<'a> {
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    output: Option<&'a RawValue>,
    /// The name of its error, if it failed.
    #[serde(default)]
    pub(crate) error: Option<String>,
    /// The error's message.
    #[serde(default)]
    pub(crate) cause: Option<String>,
    /// For example `FAILED` or `TIMED_OUT`.
    #[serde(default)]
    pub(crate) status: Option<String>,
}

impl Execution<'_> {
    /// Returns the JSON of the execution's input.
    pub(crate) fn input(&self) -> Option<Cow<'_, str>> {
        self.input.and_then(document)
    }

    /// Returns the execution's output, if it can be read.
    pub(crate) fn output(&self) -> Option<Output> {
        Output::read(&serde_json::from_str(&document(self.output?)?).ok()?)
    }
}

/// Inputs and outputs are JSON in a string, or JSON if a transformation has parsed them.
fn document(raw: &RawValue) -> Option<Cow<'_, str>> {
    if raw.get().starts_with('"') {
        serde_json::from_str::<String>(raw.get()).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(raw.get()))
    }
}

/// The output of the execution for a batch: totals over its rounds, and the pairs that finally failed.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) associated: usize,
    pub(crate) already_associated: usize,
    pub(crate) planned: usize,
    pub(crate) api_calls: u64,
    pub(crate) throttled_calls: u64,
    pub(crate) failures: Vec<OutputFailure>,
    /// The pairs that were already on their queues, if the output lists them.
    pub(crate) already_there: Vec<OutputEntry>,
    /// Whether every count could be read and every failure is listed.
    pub(crate) complete: bool,
}

/// A failure in an output, as the function reports it.
#[derive(Debug, Default)]
pub(crate) struct OutputFailure {
    pub(crate) instance_id: Option<String>,
    pub(crate) queue_id: Option<String>,
    pub(crate) queue_name: Option<String>,
    pub(crate) email_address_id: Option<String>,
    pub(crate) email_address: Option<String>,
    pub(crate) error: String,
    pub(crate) message: String,
    pub(crate) retryable: bool,
    pub(crate) path: Option<String>,
}

/// Pairs of one queue in an output, as an entry of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct OutputEntry {
    pub(crate) instance_id: Option<String>,
    pub(crate) queue_id: Option<String>,
    pub(crate) queue_name: Option<String>,
    pub(crate) email_address_ids: Vec<String>,
    pub(crate) email_addresses: Vec<String>,
}

impl Output {
    /// Reads an output field by field. An invalid field does not affect the others, which contain the reasons that a
    /// person needs. Returns `None` if the output has neither a count nor a failure.
    fn read(answer: &Value) -> Option<Self> {
        let number = |name: &str| answer.get(name).and_then(Value::as_u64);
        let count = |name: &str| number(name).and_then(|count| usize::try_from(count).ok());
        let [associated, already_associated, failed] =
            ["associated", "alreadyAssociated", "failed"].map(count);
        let listed = answer.get("failures").and_then(Value::as_array);
        if associated.or(already_associated).or(failed).is_none() && listed.is_none() {
            return None;
        }
        let listed = listed.map(Vec::as_slice).unwrap_or_default();
        let failures: Vec<OutputFailure> = listed.iter().filter_map(OutputFailure::read).collect();
        let already_there = answer.get("alreadyAssociatedPairs").cloned().map(serde_json::from_value);
        let omitted = answer.get("failuresOmitted").and_then(Value::as_f64).unwrap_or_default();
        Some(Output {
            complete: associated.is_some()
                && already_associated.is_some()
                && failed.is_some_and(|failed| failed <= failures.len())
                && failures.len() == listed.len()
                && omitted <= 0.0,
            associated: associated.unwrap_or_default(),
            already_associated: already_associated.unwrap_or_default(),
            planned: count("planned").unwrap_or_default(),
            api_calls: number("apiCalls").unwrap_or_default(),
            throttled_calls: number("throttledCalls").unwrap_or_default(),
            failures,
            already_there: already_there.and_then(Result::ok).unwrap_or_default(),
        })
    }
}

impl OutputFailure {
    fn read(failure: &Value) -> Option<Self> {
        let members = failure.as_object()?;
        let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(OutputFailure {
            instance_id: text("instanceId"),
            queue_id: text("queueId"),
            queue_name: text("queueName"),
            email_address_id: text("emailAddressId"),
            email_address: text("emailAddress"),
            error: text("error").unwrap_or_else(|| "Failed".to_owned()),
            message: text("message").unwrap_or_default(),
            retryable: members.get("retryable").and_then(Value::as_bool).unwrap_or_default(),
            path: text("path"),
        })
    }
}

/// Calls `then` with each execution of a result file. An unreadable execution has no input and no output.
///
/// # Errors
/// The reason why the file is not an array, or ends too early. `then` has been called with the executions before that
/// place.
pub(crate) fn each_execution(bytes: &[u8], then: impl FnMut(&Execution<'_>)) -> Result<(), String> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = deserializer.deserialize_seq(Executions(then)).and_then(|()| deserializer.end());
    read.map_err(|error| without_values(&error))
}

/// Describes the fault of a JSON document without the invalid value, because the text is logged and the value may be an
/// email address.
fn without_values(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Data => {
            format!("not what Step Functions writes at line {} column {}", error.line(), error.column())
        }
        Category::Io | Category::Syntax | Category::Eof => error.to_string(),
    }
}

struct Executions<F>(F);

impl<'de, F: FnMut(&Execution<'_>)> Visitor<'de> for Executions<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of executions")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(raw) = list.next_element::<&RawValue>()? {
            (self.0)(&serde_json::from_str(raw.get()).unwrap_or_default());
        }
        Ok(())
    }
}
