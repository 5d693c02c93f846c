//! Logs the end of an invocation with its failures, its counts and its metrics.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{FinishedRun, InvocationError, QueueRow};
use crate::clock::epoch_millis;
use crate::payload::Source;
use crate::requests::Named;
use crate::settle::FailureEntry;

use super::lines::RECORDS;

/// A message with this many deliveries probably waits for something that needs a person.
const OFTEN: u32 = 5;

/// Maximum number of lines for single failures in one invocation. One payload can cause a hundred thousand failures.
const SINGLE_LINES: usize = 1_000;

/// Number of different references in the line of several failures.
const REFERENCES: usize = 10;

/// The template's metric filters and queries search for these two messages.
const FAILED_PERMANENTLY: &str = "pairs failed permanently";
const CAN_BE_RETRIED: &str = "pairs failed and can be retried";

/// The fields that identify the end of an invocation in the log and the metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InvocationEnd<'a> {
    pub(crate) namespace: &'a str,
    /// The function's name, which is the dimension of the metrics.
    pub(crate) function_name: &'a str,
    pub(crate) request_id: &'a str,
    pub(crate) duration: Duration,
}

pub(crate) fn log_run(end: &InvocationEnd<'_>, run: &FinishedRun<'_>, error: Option<&InvocationError>) {
    for row in run.queues.iter().filter(|row| row.planned > 0) {
        log_plan(row);
    }
    let failures = run.failures.as_slice();
    let mut permanent = failures.iter().filter(|entry| !entry.retryable);
    permanent.by_ref().take(SINGLE_LINES).for_each(log_single);
    log_grouped(permanent, FAILED_PERMANENTLY);
    log_grouped(failures.iter().filter(|entry| entry.retryable), CAN_BE_RETRIED);
    log_end(end, Some(run), error);
}

pub(crate) fn log_rejected_payload(end: &InvocationEnd<'_>, error: &InvocationError) {
    tracing::warn!(error = error.error_type(), reason = %error, "the payload was rejected");
    log_end(end, None, Some(error));
}

fn log_plan(row: &QueueRow) {
    tracing::info!(
        instanceId = &*row.instance_id,
        queueId = row.queue_id.as_deref(),
        queueName = row.queue_name.as_deref(),
        planned = row.planned,
        chunks = row.chunks,
        "pairs planned by a dry run"
    );
}

fn log_single(failed: &FailureEntry) {
    let (queue_id, queue_name) = named(failed);
    let address = failed.address.as_ref().and_then(Named::id);
    tracing::warn!(
        instanceId = failed.instance_id.as_deref(),
        queueId = queue_id,
        queueName = queue_name,
        emailAddressId = address.map(|id| &**id),
        error = failed.error(),
        reason = failed.message(),
        path = failed.path.as_deref(),
        messageId = failed.message_id.as_deref(),
        reference = &*failed.reference,
        sentOn = failed.sent_on,
        message = FAILED_PERMANENTLY
    );
}

struct FailureGroup<'f> {
    count: usize,
    /// The reason of the first failure.
    reason: &'f str,
    /// The first different references.
    references: Vec<&'f str>,
}

/// Logs one line for each queue and error. After an outage, for example, each pair of a large message fails for the same
/// reason.
fn log_grouped<'f>(failures: impl Iterator<Item = &'f FailureEntry>, message: &str) {
    let mut groups = BTreeMap::new();
    for failed in failures {
        let (queue_id, queue_name) = named(failed);
        let key = (failed.instance_id.as_deref(), queue_id, queue_name, failed.error(), failed.sent_on);
        let group = groups.entry(key).or_insert(FailureGroup {
            count: 0,
            reason: failed.message(),
            references: Vec::new(),
        });
        group.count += 1;
        if group.references.len() < REFERENCES && !group.references.contains(&&*failed.reference) {
            group.references.push(&failed.reference);
        }
    }
    for ((instance_id, queue_id, queue_name, error, sent_on), group) in groups {
        let FailureGroup { count, reason, references } = group;
        tracing::warn!(
            instanceId = instance_id,
            queueId = queue_id,
            queueName = queue_name,
            error,
            reason,
            count,
            references = serde_json::to_string(&references).unwrap_or_default(),
            sentOn = sent_on,
            message
        );
    }
}

fn named(failed: &FailureEntry) -> (Option<&str>, Option<&str>) {
    match &failed.queue {
        Some(Named::Id(id)) => (Some(id), None),
        Some(Named::Name(name)) => (None, Some(name)),
        None => (None, None),
    }
}

/// Number of messages with at least [`OFTEN`] deliveries.
fn received_often(sources: &[Source<'_>]) -> usize {
    let often = |source: &&Source<'_>| source.delivery.receive_count.is_some_and(|count| count >= OFTEN);
    sources.iter().filter(often).count()
}

fn log_end(end: &InvocationEnd<'_>, run: Option<&FinishedRun<'_>>, error: Option<&InvocationError>) {
    let counts = run.map(|run| run.counts).unwrap_or_default();
    let call_counts = run.map(|run| run.call_counts).unwrap_or_default();
    let queues = run.map_or(0, |run| run.queues.len());
    let received_often = run.map_or(0, |run| received_often(&run.envelope.sources));
    let duration = u64::try_from(end.duration.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        requested = counts.requested,
        distinct = counts.distinct,
        associated = counts.associated,
        alreadyAssociated = counts.already_associated,
        planned = counts.planned,
        failed = counts.failed,
        retryable = counts.retryable,
        apiCalls = call_counts.api_calls,
        throttledCalls = call_counts.throttled_calls,
        retries = call_counts.retries,
        queues,
        durationMs = duration,
        errorType = error.map(InvocationError::error_type),
        "invocation ended"
    );
    let metrics: [Metric; 10] = [
        ("PairsRequested", "Count", counts.requested as u64),
        ("PairsAssociated", "Count", counts.associated as u64),
        ("PairsFailed", "Count", (counts.failed - counts.retryable) as u64),
        ("PairsRetryable", "Count", counts.retryable as u64),
        ("ApiCalls", "Count", call_counts.api_calls),
        ("ThrottledCalls", "Count", call_counts.throttled_calls),
        ("Retries", "Count", call_counts.retries),
        ("Queues", "Count", queues as u64),
        ("MessagesReceivedOften", "Count", received_often as u64),
        ("Duration", "Milliseconds", duration),
    ];
    let record = record(end, epoch_millis(), &metrics);
    // Records are written at every level, because the level does not concern metrics.
    tracing::info!(target: RECORDS, record = record.to_string());
}

/// A metric's name, unit and value.
type Metric = (&'static str, &'static str, u64);

/// Builds the metrics of an invocation as one record in the embedded metric format, which CloudWatch extracts from the
/// log (CloudWatch User Guide, "Specification: Embedded metric format").
fn record(end: &InvocationEnd<'_>, millis: u64, metrics: &[Metric]) -> Value {
    let definitions: Vec<Value> =
        metrics.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect();
    let mut record = json!({
        "_aws": {
            "Timestamp": millis,
            "CloudWatchMetrics": [{
                "Namespace": end.namespace,
                "Dimensions": [["FunctionName"]],
                "Metrics": definitions,
            }],
        },
        "FunctionName": end.function_name,
        "requestId": end.request_id,
    });
    for (name, _, value) in metrics {
        record[*name] = (*value).into();
    }
    record
}
