//! Runs one invocation: a single step of the file state machine, which reads objects from S3 and writes others.

use request_file::MAX_FILE_BYTES;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::error::FileError;
use crate::file;
use crate::group::group;
use crate::invalid::MAX_INVALID_BYTES;
use crate::requests::RequestContext;
use crate::step::{CaughtError, GroupStep, Grouped, Step, SummariseStep};
use crate::storage::{ReadError, Storage};
use crate::summarise::{
    FailedRow, FileOutcome, GroupedFile, MAX_RESULTS_BYTES, Manifest, OutcomeBuilder, Reason, Summary,
    UnreadableResults,
};

/// Maximum size of a manifest in bytes. This is enough for tens of thousands of result files.
const MAX_MANIFEST_BYTES: usize = 8 << 20;

/// Maximum size of the grouped requests in bytes. In the worst case, each row of the largest file becomes a line with the
/// queue's name and the row's number.
const MAX_REQUESTS_BYTES: usize = 2 * MAX_FILE_BYTES;

/// Maximum size in bytes of the copy of a table's rows. In the worst case, every character is written as an escape.
const MAX_TABLE_BYTES: usize = 8 * MAX_FILE_BYTES;

/// The content type of requests and of invalid records.
const JSON_LINES: &str = "application/x-ndjson";

/// The function. A process creates it once.
#[derive(Debug)]
pub struct FileFunction {
    storage: Storage,
    context: RequestContext,
}

impl FileFunction {
    /// Returns a function that reads requests in `context`, and files through an S3 client.
    pub fn new(client: aws_sdk_s3::Client, context: RequestContext) -> Self {
        FileFunction { storage: Storage::new(client), context }
    }

    /// Runs the requested step, and logs its result in one line without email addresses. Returns the response as JSON.
    pub async fn invoke(&self, event: &Value) -> Result<Box<RawValue>, FileError> {
        let result = self.run_step(event).await;
        if let Err(error) = &result {
            tracing::warn!(error = error.error_type(), reason = %error, "the step failed");
        }
        result
    }

    async fn run_step(&self, event: &Value) -> Result<Box<RawValue>, FileError> {
        match Step::read(event)? {
            Step::Group(step) if file::is_not_a_pair_file(&step.key) => {
                tracing::info!(bucket = step.bucket, key = step.key, "not a file of pairs");
                response(
                    &json!({ "ignored": "the object is a folder marker, a temporary file or a lock file" }),
                )
            }
            Step::Group(step) => response(&self.group(&step).await?),
            Step::Summarise(step) => response(&self.summarise(*step).await?),
        }
    }

    async fn group(&self, step: &GroupStep) -> Result<Grouped, FileError> {
        let bytes = self.storage.read(&step.bucket, &step.key, MAX_FILE_BYTES, step.etag.as_deref()).await?;
        let grouping = group(&step.key, &bytes, &self.context)?;
        drop(bytes);
        self.storage.write(&step.bucket, &step.to, JSON_LINES, grouping.lines.into_bytes()).await?;
        let table = grouping.table.as_ref().map(|_| companion_key(&step.to, "rows"));
        if let Some((key, rows)) = table.as_ref().zip(grouping.table) {
            self.storage.write(&step.bucket, key, JSON_LINES, rows).await?;
        }
        let invalid_records = grouping.invalid.matches('\n').count();
        let invalid = (invalid_records > 0).then(|| companion_key(&step.to, "invalid"));
        if let Some(key) = &invalid {
            self.storage.write(&step.bucket, key, JSON_LINES, grouping.invalid.into_bytes()).await?;
        }
        let (counts, requests) = (grouping.counts, grouping.requests);
        tracing::info!(
            bucket = step.bucket,
            key = step.key,
            to = step.to,
            rows = counts.rows,
            pairs = counts.pairs,
            repeated = counts.repeated,
            queues = counts.queues,
            requests,
            invalid = invalid_records,
            "grouped"
        );
        Ok(Grouped { bucket: step.bucket.clone(), key: step.to.clone(), counts, requests, invalid, table })
    }

    async fn summarise(&self, mut step: SummariseStep) -> Result<Summary, FileError> {
        step.error = step.error.map(CaughtError::unwrapped);
        let outcome = self.outcome(&step).await?;
        let folder = file::results_folder(&step.key, &step.execution);
        let summary = Summary::new(&step.key, &folder, &outcome, step.error);
        for (key, rows) in [
            (&summary.failed_rows, outcome.failed_csv),
            (&summary.associated_rows, outcome.associated_csv),
            (&summary.already_associated_rows, outcome.already_associated_csv),
        ] {
            if let Some((key, rows)) = key.as_ref().zip(rows) {
                self.storage.write(&step.bucket, key, "text/csv; charset=utf-8", rows).await?;
            }
        }
        // The summary is written last. If it exists, every object that it refers to exists too.
        let json = serde_json::to_vec_pretty(&summary).map_err(not_written)?;
        self.storage.write(&step.bucket, &summary.summary, "application/json", json).await?;
        log_failed(&step.execution, &outcome.failed);
        tracing::info!(
            bucket = step.bucket,
            key = step.key,
            execution = step.execution,
            status = summary.status,
            rows = summary.counts.file.rows,
            pairs = summary.counts.file.pairs,
            associated = summary.counts.associated,
            alreadyAssociated = summary.counts.already_associated,
            failed = summary.counts.failed,
            apiCalls = summary.counts.api_calls,
            throttledCalls = summary.counts.throttled_calls,
            summary = summary.summary,
            "summarised"
        );
        Ok(summary)
    }

    async fn outcome(&self, step: &SummariseStep) -> Result<FileOutcome, FileError> {
        let mut file = match &step.grouped {
            Some(grouped) => self.grouped_file(grouped).await?,
            None => GroupedFile::default(),
        };
        let invalid = std::mem::take(&mut file.invalid);
        let mut builder = OutcomeBuilder::new(&self.context, &file, invalid);
        if let Some(manifest) = &step.manifest {
            self.add_results(&step.bucket, manifest, &mut builder).await?;
        }
        if let Some(UnreadableResults { count, first }) = builder.unreadable() {
            tracing::warn!(
                bucket = step.bucket,
                key = step.key,
                execution = step.execution,
                unreadable = count,
                reason = first,
                "results cannot be read"
            );
        }
        let no_result = reason_without_result(step.error.as_ref(), builder.unreadable());
        Ok(builder.finish(no_result))
    }

    /// Reads the objects that grouping wrote.
    async fn grouped_file(&self, grouped: &Grouped) -> Result<GroupedFile, FileError> {
        let bucket = &grouped.bucket;
        let requests = self.storage.read(bucket, &grouped.key, MAX_REQUESTS_BYTES, None).await?;
        let invalid = match &grouped.invalid {
            Some(key) => self.storage.read(bucket, key, MAX_INVALID_BYTES, None).await?,
            None => Vec::new(),
        };
        let table = match &grouped.table {
            Some(key) => Some(self.storage.read(bucket, key, MAX_TABLE_BYTES, None).await?),
            None => None,
        };
        GroupedFile::read(&requests, &invalid, table, grouped.counts, &self.context)
    }

    async fn add_results(
        &self,
        bucket: &str,
        manifest: &str,
        builder: &mut OutcomeBuilder<'_>,
    ) -> Result<(), FileError> {
        let manifest = match self.storage.read(bucket, manifest, MAX_MANIFEST_BYTES, None).await {
            Ok(bytes) => Manifest::read(&bytes),
            Err(ReadError::Unusable(problem)) => Err(problem),
            Err(error @ ReadError::Failed(_)) => return Err(error.into()),
        };
        let manifest = match manifest {
            Ok(manifest) => manifest,
            Err(problem) => {
                builder.add_unreadable(&problem);
                return Ok(());
            }
        };
        for (kind, key) in manifest.files() {
            match self.storage.read(bucket, key, MAX_RESULTS_BYTES, None).await {
                Ok(bytes) => builder.add(kind, key, &bytes),
                Err(ReadError::Unusable(problem)) => builder.add_unreadable(&problem),
                Err(error @ ReadError::Failed(_)) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn response(content: &impl Serialize) -> Result<Box<RawValue>, FileError> {
    to_raw_value(content).map_err(not_written)
}

#[allow(clippy::needless_pass_by_value, reason = "an argument of `map_err`")]
fn not_written(error: serde_json::Error) -> FileError {
    FileError::StorageFailure(format!("the response cannot be written: {error}"))
}

/// Logs each failed row that has a reference, so that a search for a reference finds the outcome of its pairs. This
/// happens here because each row has its own reference. A request to the associating function has one reference for all
/// its pairs.
fn log_failed(execution: &str, failed: &[FailedRow]) {
    for FailedRow { cells, row, reference, reason, .. } in failed {
        let Some(reference) = reference else { continue };
        tracing::warn!(
            execution,
            row,
            reference = &**reference,
            queueId = filled(&cells.queue_id),
            queueName = filled(&cells.queue_name),
            emailAddressId = filled(&cells.email_address_id),
            error = reason.error,
            reason = reason.message,
            retryable = reason.retryable,
            "a row failed"
        );
    }
}

fn filled(cell: &str) -> Option<&str> {
    Some(cell).filter(|cell| !cell.is_empty())
}

/// Returns the key of a companion object: the key of the requests with `.name` before its extension.
fn companion_key(requests: &str, name: &str) -> String {
    format!("{}.{name}.jsonl", requests.strip_suffix(".jsonl").unwrap_or(requests))
}

/// Returns the failure reason for pairs without a result.
fn reason_without_result(error: Option<&CaughtError>, unreadable: Option<&UnreadableResults>) -> Reason {
    let message = match (error, unreadable) {
        (Some(CaughtError { error, cause }), _) => return Reason::new(error, cause, true),
        (None, None) => "no batch reported this pair; it is safe to send it again".to_owned(),
        (None, Some(UnreadableResults { count, first })) => {
            let others = if *count > 1 { format!("; and {} more", count - 1) } else { String::new() };
            format!("this pair is in no readable result, but it is safe to send it again ({first}{others})")
        }
    };
    Reason::new("NoResult", &message, true)
}
