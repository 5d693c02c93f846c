//! What a Distributed Map leaves in S3: a manifest, and files of execution records (AWS Step Functions Developer Guide,
//! "ResultWriter").

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

/// The largest file of results, in bytes: 128 MiB. Files are read one after the other.
pub const MAX_RESULTS_BYTES: usize = 128 << 20;

/// How the executions of a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// They have an output.
    Succeeded,
    /// They failed, timed out, or were aborted.
    Failed,
    /// They were never begun.
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
    /// Why it cannot be read.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes)
            .map_err(|error| format!("the manifest cannot be read: {}", without_values(&error)))
    }

    /// The files, and how the executions in each ended.
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
    /// What the error says.
    #[serde(default)]
    pub(crate) cause: Option<String>,
    /// Such as `FAILED` or `TIMED_OUT`.
    #[serde(default)]
    pub(crate) status: Option<String>,
}

impl Execution<'_> {
    /// The JSON of its input.
    pub(crate) fn input(&self) -> Option<Cow<'_, str>> {
        self.input.and_then(document)
    }

    /// What it answered, if that can be read.
    pub(crate) fn output(&self) -> Option<Output> {
        serde_json::from_str(&document(self.output?)?).ok()
    }
}

/// Inputs and outputs are JSON in a string, or JSON where a transformation has parsed them.
fn document(raw: &RawValue) -> Option<Cow<'_, str>> {
    match raw.get().starts_with('"') {
        true => serde_json::from_str::<String>(raw.get()).ok().map(Cow::Owned),
        false => Some(Cow::Borrowed(raw.get())),
    }
}

/// What the execution for a batch answers: totals over its rounds, and what failed in the end.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    pub(crate) associated: usize,
    pub(crate) already_associated: usize,
    #[serde(default)]
    pub(crate) planned: usize,
    pub(crate) failed: usize,
    #[serde(default)]
    pub(crate) api_calls: u64,
    #[serde(default)]
    pub(crate) throttled_calls: u64,
    #[serde(default)]
    pub(crate) failures: Vec<OutputFailure>,
    #[serde(default)]
    pub(crate) failures_omitted: usize,
}

/// A failure in an output, as the function reports it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
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

/// Hands on each execution of a file of results; one that cannot be read comes without input and output.
///
/// # Errors
/// Why the file is no list, or ends too early; what stands before that has been handed on.
pub(crate) fn each_execution(bytes: &[u8], then: impl FnMut(&Execution<'_>)) -> Result<(), String> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = deserializer.deserialize_seq(Executions(then)).and_then(|()| deserializer.end());
    read.map_err(|error| without_values(&error))
}

/// What is wrong with JSON, without the value that it was met in, which may be an email address: it is logged.
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
