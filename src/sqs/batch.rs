//! Divides entries into batches, and retries the entries of a batch that SQS did not accept.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::BatchResultErrorEntry;
use futures_util::StreamExt;
use tokio::time::{Instant, sleep, timeout_at};

use crate::backoff::{Backoff, WaitBounds};
use crate::sdk::LazyClient;

/// Maximum number of entries in one batch (SQS API reference, SendMessageBatch and ChangeMessageVisibilityBatch: 10).
pub(super) const BATCH_ENTRIES: usize = 10;
/// Maximum size of a batch in bytes, slightly below the limit of SQS (SQS API reference, SendMessageBatch: 1 MiB).
const BATCH_BYTES: usize = 1_040_000;
pub(super) const CONCURRENT_BATCHES: usize = 8;
/// Maximum number of attempts per batch. The function cannot reach a quota of SQS, so three are enough.
const MAX_ATTEMPTS: u32 = 3;
/// Time limit of one attempt. SQS usually responds within 100 ms. Without a limit, a connection that never responds
/// would delay the response until the deadline.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
const BACKOFF: WaitBounds = WaitBounds { initial: Duration::from_millis(100), max: Duration::from_secs(1) };

pub(crate) trait BatchEntry: Sync {
    fn queue_url(&self) -> &str;

    /// The bytes that count towards the size limit of a batch.
    fn bytes(&self) -> usize;

    /// Makes one call. Each entry comes with its position, which identifies it in the response.
    fn call(
        client: &Client,
        queue_url: &str,
        batch: &[(usize, &Self)],
    ) -> impl Future<Output = Result<BatchResult, SqsError>> + Send;
}

/// The response to a batch, by the positions of the entries.
pub(crate) struct BatchResult {
    pub(super) accepted: Vec<usize>,
    pub(super) rejected: Vec<(usize, SqsError)>,
}

/// The reason why SQS did not accept an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SqsError {
    /// The error code of SQS, or one of the function's own if SQS did not respond.
    pub(crate) code: String,
    /// Whether the same request may succeed later.
    pub(super) is_transient: bool,
}

impl BatchResult {
    pub(super) fn new<'o>(
        accepted: impl Iterator<Item = &'o str>,
        rejected: &[BatchResultErrorEntry],
    ) -> Self {
        let rejected = rejected.iter().filter_map(|entry| {
            let error = SqsError { code: entry.code().to_owned(), is_transient: !entry.sender_fault() };
            Some((entry.id().parse().ok()?, error))
        });
        let accepted = accepted.filter_map(|id| id.parse().ok());
        BatchResult { accepted: accepted.collect(), rejected: rejected.collect() }
    }
}

impl SqsError {
    fn transient(code: &str) -> Self {
        SqsError { code: code.to_owned(), is_transient: true }
    }
}

/// A retry cannot help if SQS understood the request and rejected it.
impl<E: ProvideErrorMetadata> From<SdkError<E, HttpResponse>> for SqsError {
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let code = error.code().unwrap_or("ConnectionFailed").to_owned();
        let is_transient = match error {
            SdkError::ServiceError(context) => {
                let status = context.raw().status().as_u16();
                status >= 500 || status == 429 || code.contains("Throttl")
            }
            SdkError::ConstructionFailure(_) => false,
            _ => true,
        };
        SqsError { code, is_transient }
    }
}

impl From<BuildError> for SqsError {
    fn from(_: BuildError) -> Self {
        SqsError { code: "EntryNotBuilt".to_owned(), is_transient: false }
    }
}

/// Sends messages, or sets visibility timeouts. Returns a result for each. Stops at `ends`. Without an entry, the client is
/// not created. It must not retry by itself.
pub(crate) async fn call_in_batches<E: BatchEntry>(
    client: &LazyClient<Client>,
    entries: &[E],
    ends: Instant,
) -> Vec<Result<(), SqsError>> {
    let mut results: Vec<Result<(), SqsError>> = entries.iter().map(|_| Ok(())).collect();
    // An iterator that borrows would make the future of the invocation not `Send`, so the batches are in a list.
    let mut calls = Vec::new();
    for batch in batches(entries) {
        calls.push(call_batch(client, entries, batch, ends));
    }
    let mut batches = futures_util::stream::iter(calls).buffer_unordered(CONCURRENT_BATCHES);
    while let Some(failed) = batches.next().await {
        for (position, error) in failed {
            results[position] = Err(error);
        }
    }
    results
}

/// Calls SQS for one batch, and retries the entries for which that may help. Returns the entries that failed.
async fn call_batch<E: BatchEntry>(
    client: &Client,
    entries: &[E],
    batch: Vec<usize>,
    ends: Instant,
) -> Vec<(usize, SqsError)> {
    let mut failed = Vec::new();
    let mut left = batch;
    let mut backoff = Backoff::new(BACKOFF);
    for attempt in 1..=MAX_ATTEMPTS {
        let now = Instant::now();
        if now >= ends {
            failed.extend(left.into_iter().map(|position| (position, SqsError::transient("NoTimeLeft"))));
            return failed;
        }
        let batch: Vec<(usize, &E)> = left.iter().map(|position| (*position, &entries[*position])).collect();
        let call = E::call(client, entries[left[0]].queue_url(), &batch);
        let result = match timeout_at(ends.min(now + ATTEMPT_TIMEOUT), call).await {
            Ok(result) => result,
            Err(_) => Err(SqsError::transient("TimedOut")),
        };
        let wait = backoff.next_wait();
        let retries = attempt < MAX_ATTEMPTS && Instant::now() + wait < ends;
        let (again, gone) = not_accepted(left, &result)
            .into_iter()
            .partition::<Vec<_>, _>(|(_, error)| error.is_transient && retries);
        failed.extend(gone);
        left = again.into_iter().map(|(position, _)| position).collect();
        if left.is_empty() {
            break;
        }
        sleep(wait).await;
    }
    failed
}

/// The entries of a batch that SQS did not accept. Only a confirmed entry is accepted.
fn not_accepted(batch: Vec<usize>, result: &Result<BatchResult, SqsError>) -> Vec<(usize, SqsError)> {
    let error_of = |position: &usize| match result {
        Err(error) => Some(error.clone()),
        Ok(result) if result.accepted.contains(position) => None,
        Ok(result) => {
            let rejected = result.rejected.iter().find(|(rejected, _)| rejected == position);
            Some(rejected.map_or_else(|| SqsError::transient("NotConfirmed"), |(_, error)| error.clone()))
        }
    };
    batch.into_iter().filter_map(|position| Some((position, error_of(&position)?))).collect()
}

/// Divides entries into batches of their positions. A batch has entries of one queue. Entries of a queue keep their
/// order.
fn batches<E: BatchEntry>(entries: &[E]) -> Vec<Vec<usize>> {
    let mut positions: Vec<usize> = (0..entries.len()).collect();
    positions.sort_by_key(|position| entries[*position].queue_url());
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut bytes = 0;
    for position in positions {
        let entry = &entries[position];
        match batches.last_mut() {
            Some(batch)
                if batch.len() < BATCH_ENTRIES
                    && bytes + entry.bytes() <= BATCH_BYTES
                    && entries[batch[0]].queue_url() == entry.queue_url() =>
            {
                batch.push(position);
                bytes += entry.bytes();
            }
            _ => {
                batches.push(vec![position]);
                bytes = entry.bytes();
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqs::OutgoingMessage;

    fn sizes(messages: &[(&'static str, usize)]) -> Vec<usize> {
        let message = |(queue_url, bytes): &(&'static str, usize)| OutgoingMessage {
            queue_url,
            body: "x".repeat(*bytes),
            delay: Duration::ZERO,
        };
        let messages: Vec<OutgoingMessage<'_>> = messages.iter().map(message).collect();
        batches(&messages).iter().map(Vec::len).collect()
    }

    #[test]
    fn batches_have_one_queue_ten_entries_and_one_mebibyte() {
        let mut messages = vec![("failures", 10); 23];
        messages.insert(3, ("continuation", 10));
        assert_eq!(sizes(&messages), [1, 10, 10, 3]);
        assert_eq!(sizes(&[("failures", 500_000); 4]), [2, 2]);
        assert_eq!(sizes(&[]), [0; 0]);
    }
}
