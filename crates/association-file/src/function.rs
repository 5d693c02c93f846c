//! Runs an invocation, which is one step that reads objects from S3 and writes others.

use serde::Serialize;
use serde_json::Value;

use crate::Context;
use crate::error::FileError;
use crate::group::group;
use crate::invalid::InvalidRecord;
use crate::step::{Cause, GroupStep, Grouped, Step, SummariseStep};
use crate::storage::{ReadError, Storage};
use crate::summarise::{
    Done, FailedRow, Known, KnownRequests, MAX_RESULTS_BYTES, Manifest, Reason, Summary, Summing, Unreadable,
    csv,
};
use crate::{MAX_FILE_BYTES, file};

/// Maximum size of a manifest in bytes. This is enough for tens of thousands of result files.
const MAX_MANIFEST_BYTES: usize = 8 << 20;

/// Maximum size in bytes of the requests from the largest file, where every row has the queue's name and its own
/// number.
const MAX_REQUESTS_BYTES: usize = 2 * MAX_FILE_BYTES;

/// Maximum number of bytes that grouping writes about invalid records or about rows: a row with a reason for each of the
/// pairs that a file may have.
const MAX_INVALID_BYTES: usize = 8 * MAX_FILE_BYTES;

/// The content type of requests and of invalid records.
const JSON_LINES: &str = "application/x-ndjson";

/// The function. A process creates it once.
#[derive(Debug)]
pub struct FileFunction {
    storage: Storage,
    context: Context,
}

/// The response to a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Response to `group`.
    Grouped(Grouped),
    /// Response to `group` for an object that is not meant as a file of pairs.
    #[serde(rename_all = "camelCase")]
    Ignored {
        /// The reason why the step does nothing.
        ignored: &'static str,
    },
    /// Response to `summarise`.
    Summary(Box<Summary>),
}

impl FileFunction {
    /// Returns a function that reads requests in `context`, and files through an S3 client.
    pub fn new(client: aws_sdk_s3::Client, context: Context) -> Self {
        FileFunction { storage: Storage::new(client), context }
    }

    /// Runs the requested step, and logs its result in one line without email addresses.
    ///
    /// # Errors
    /// See [`FileError`].
    pub async fn invoke(&self, event: &Value) -> Result<Answer, FileError> {
        let ended = match Step::read(event) {
            Ok(Step::Group(step)) if file::is_debris(&step.key) => {
                tracing::info!(bucket = step.bucket, key = step.key, "not a file of pairs");
                Ok(Answer::Ignored { ignored: "the key is that of a folder, a temporary file or a lock" })
            }
            Ok(Step::Group(step)) => self.group(&step).await.map(Answer::Grouped),
            Ok(Step::Summarise(step)) => {
                self.summarise(*step).await.map(|summary| Answer::Summary(Box::new(summary)))
            }
            Err(error) => Err(error),
        };
        if let Err(error) = &ended {
            tracing::warn!(error = error.error_type(), reason = %error, "the step failed");
        }
        ended
    }

    async fn group(&self, step: &GroupStep) -> Result<Grouped, FileError> {
        let bytes = self.storage.read(&step.bucket, &step.key, MAX_FILE_BYTES, step.etag.as_deref()).await?;
        let grouping = group(&step.key, &bytes, &self.context)?;
        drop(bytes);
        let lines = grouping.lines.into_bytes();
        self.storage.write(&step.bucket, &step.to, JSON_LINES, lines).await?;
        let table = grouping.table.as_ref().map(|_| key_next_to(&step.to, "rows"));
        if let Some((key, rows)) = table.as_ref().zip(grouping.table) {
            self.storage.write(&step.bucket, key, JSON_LINES, rows).await?;
        }
        let invalid = (!grouping.invalid.is_empty()).then(|| key_next_to(&step.to, "invalid"));
        if let Some(key) = &invalid {
            self.storage.write(&step.bucket, key, JSON_LINES, json_lines(&grouping.invalid)).await?;
        }
        tracing::info!(
            bucket = step.bucket,
            key = step.key,
            to = step.to,
            rows = grouping.rows,
            pairs = grouping.pairs,
            repeated = grouping.repeated,
            queues = grouping.queues,
            requests = grouping.requests,
            invalid = grouping.invalid.len(),
            "grouped"
        );
        Ok(Grouped {
            bucket: step.bucket.clone(),
            key: step.to.clone(),
            rows: grouping.rows,
            pairs: grouping.pairs,
            repeated: grouping.repeated,
            queues: grouping.queues,
            requests: grouping.requests,
            invalid,
            table,
        })
    }

    async fn summarise(&self, mut step: SummariseStep) -> Result<Summary, FileError> {
        step.error = step.error.map(Cause::in_words);
        let known = self.known(&step).await?;
        let requests = known.as_ref().and_then(|known| KnownRequests::read(known, &self.context));
        let mut summing = Summing::new(&self.context, requests.as_ref());
        if let Some(manifest) = &step.manifest {
            self.add_results(&step.bucket, manifest, &mut summing).await?;
        }
        if let Some(Unreadable { count, first }) = summing.unreadable() {
            tracing::warn!(
                bucket = step.bucket,
                key = step.key,
                execution = step.execution,
                unreadable = count,
                reason = first,
                "results cannot be read"
            );
        }
        let rest = rest(step.error.as_ref(), summing.unreadable());
        let summed = summing.finish(rest);
        let folder = file::results_folder(&step.key, &step.execution);
        let summary = Summary::new(&step.key, &folder, &summed, step.error);
        let table = known.as_ref().and_then(Known::table);
        let failed = summary.failed_rows.as_ref().map(|_| csv(&summed.failed, table));
        self.write_rows(&step.bucket, summary.failed_rows.as_deref(), failed).await?;
        let Done { associated, already_associated } = summed.done;
        self.write_rows(&step.bucket, summary.associated_rows.as_deref(), associated).await?;
        self.write_rows(&step.bucket, summary.already_associated_rows.as_deref(), already_associated).await?;
        // The summary is written last. If it exists, every object that it refers to exists too.
        let json = serde_json::to_vec_pretty(&summary)
            .map_err(|error| FileError::StorageFailure(format!("the summary cannot be written: {error}")))?;
        self.storage.write(&step.bucket, &summary.summary, "application/json", json).await?;
        log_failed(&step.execution, &summed.failed);
        tracing::info!(
            bucket = step.bucket,
            key = step.key,
            execution = step.execution,
            status = summary.status.name(),
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

    /// Reads the lines and the invalid records that grouping wrote. If grouping failed, there are none, because no
    /// calls were made. If the objects have been deleted since, the summary is based only on the results.
    async fn known(&self, step: &SummariseStep) -> Result<Option<Known>, FileError> {
        let Some(grouped) = &step.grouped else { return Ok(None) };
        let lines = self.read_usable(&grouped.bucket, Some(&grouped.key), MAX_REQUESTS_BYTES).await?;
        let invalid =
            self.read_usable(&grouped.bucket, grouped.invalid.as_deref(), MAX_INVALID_BYTES).await?;
        let table = match &grouped.table {
            Some(key) => self.read_usable(&grouped.bucket, Some(key), MAX_INVALID_BYTES).await?,
            None => None,
        };
        let known = lines
            .zip(invalid)
            .map(|(lines, invalid)| Known::read(lines, &invalid, table.as_deref(), grouped.into()));
        Ok(known.and_then(Result::ok))
    }

    /// Returns the object under a key, or `None` if the object is unusable. Without a key, the content is empty.
    async fn read_usable(
        &self,
        bucket: &str,
        key: Option<&str>,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, FileError> {
        let Some(key) = key else { return Ok(Some(Vec::new())) };
        match self.storage.read(bucket, key, limit, None).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(ReadError::Unusable(_)) => Ok(None),
            Err(error @ ReadError::Failed(_)) => Err(error.into()),
        }
    }

    async fn add_results(
        &self,
        bucket: &str,
        manifest: &str,
        summing: &mut Summing<'_>,
    ) -> Result<(), FileError> {
        let read = match self.storage.read(bucket, manifest, MAX_MANIFEST_BYTES, None).await {
            Ok(bytes) => Manifest::read(&bytes),
            Err(ReadError::Unusable(text)) => Err(text),
            Err(error @ ReadError::Failed(_)) => return Err(error.into()),
        };
        let manifest = match read {
            Ok(manifest) => manifest,
            Err(problem) => {
                summing.add_unreadable(&problem);
                return Ok(());
            }
        };
        for (ended, key) in manifest.files() {
            match self.storage.read(bucket, key, MAX_RESULTS_BYTES, None).await {
                Ok(bytes) => summing.add(ended, key, &bytes),
                Err(ReadError::Unusable(text)) => summing.add_unreadable(&text),
                Err(error @ ReadError::Failed(_)) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn write_rows(
        &self,
        bucket: &str,
        key: Option<&str>,
        rows: Option<Vec<u8>>,
    ) -> Result<(), FileError> {
        match key.zip(rows) {
            Some((key, rows)) => self.storage.write(bucket, key, "text/csv; charset=utf-8", rows).await,
            None => Ok(()),
        }
    }
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

/// Returns a key next to that of the requests.
fn key_next_to(requests: &str, what: &str) -> String {
    format!("{}.{what}.jsonl", requests.strip_suffix(".jsonl").unwrap_or(requests))
}

fn json_lines(records: &[InvalidRecord]) -> Vec<u8> {
    let mut lines = Vec::new();
    for record in records {
        // Writing a record to memory cannot fail.
        let _ = serde_json::to_writer(&mut lines, record);
        lines.push(b'\n');
    }
    lines
}

/// Returns the reason for the failure of every pair without a result.
fn rest(error: Option<&Cause>, unreadable: Option<&Unreadable>) -> Reason {
    let message = match (error, unreadable) {
        (Some(Cause { error, cause }), _) => return Reason::new(error, cause, true),
        (None, None) => "no batch reported this pair; sending it again is safe".to_owned(),
        (None, Some(Unreadable { count: 1, first })) => {
            format!("no readable result names this pair; sending it again is safe; {first}")
        }
        (None, Some(Unreadable { count, first })) => {
            let others = count - 1;
            format!(
                "no readable result names this pair; sending it again is safe; {first}, and {others} more"
            )
        }
    };
    Reason::new("NoResult", &message, true)
}
