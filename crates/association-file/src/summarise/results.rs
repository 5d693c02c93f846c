//! Reads the objects that a Distributed Map writes to S3: a manifest, and files of execution records (AWS Step
//! Functions Developer Guide, "ResultWriter").

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::report::BatchReport;

/// Maximum size of a result file in bytes: 128 MiB. Files are read one after the other.
pub(crate) const MAX_RESULTS_BYTES: usize = 128 << 20;

/// The kind of a result file, which says how its executions ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResultKind {
    /// The executions have an output.
    Succeeded,
    /// The executions failed, timed out, or were aborted.
    Failed,
    /// The executions never started.
    Pending,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Manifest {
    result_files: ResultFiles,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE", default)]
struct ResultFiles {
    succeeded: Vec<ResultFile>,
    failed: Vec<ResultFile>,
    pending: Vec<ResultFile>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResultFile {
    key: String,
}

impl Manifest {
    /// Reads a manifest. Returns the reason if it cannot be read.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes)
            .map_err(|error| format!("the manifest cannot be read: {}", without_values(&error)))
    }

    /// Returns the kind and the key of each result file.
    pub(crate) fn files(&self) -> impl Iterator<Item = (ResultKind, &str)> {
        let ResultFiles { succeeded, failed, pending } = &self.result_files;
        let all = [
            (ResultKind::Succeeded, succeeded),
            (ResultKind::Failed, failed),
            (ResultKind::Pending, pending),
        ];
        all.into_iter().flat_map(|(kind, files)| files.iter().map(move |file| (kind, file.key.as_str())))
    }
}

/// One execution of the Map.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Execution<'a> {
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    /// The name of its error, if it failed.
    pub(super) error: Option<String>,
    pub(super) cause: Option<String>,
    /// For example `FAILED` or `TIMED_OUT`.
    pub(super) status: Option<String>,
}

impl Execution<'_> {
    /// Returns the JSON of the execution's input.
    pub(super) fn input(&self) -> Option<Cow<'_, str>> {
        self.input.and_then(document)
    }

    /// Returns the execution's output, if it can be read.
    pub(super) fn report(&self) -> Option<BatchReport> {
        BatchReport::read(&serde_json::from_str(&document(self.output?)?).ok()?)
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

/// Calls `handle` with each execution of a result file. An unreadable execution has no input and no output.
///
/// # Errors
/// The reason why the file is not an array or ends too early. `handle` has been called with the executions before that.
pub(super) fn each_execution(bytes: &[u8], handle: impl FnMut(&Execution<'_>)) -> Result<(), String> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let result = deserializer.deserialize_seq(ExecutionVisitor(handle)).and_then(|()| deserializer.end());
    result.map_err(|error| without_values(&error))
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

struct ExecutionVisitor<F>(F);

impl<'de, F: FnMut(&Execution<'_>)> Visitor<'de> for ExecutionVisitor<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of executions")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(raw) = list.next_element::<&RawValue>()? {
            (self.0)(&serde_json::from_str(raw.get()).unwrap_or_default());
        }
        Ok(())
    }
}
