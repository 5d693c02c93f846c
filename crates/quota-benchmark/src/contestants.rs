//! Contestants: who makes the calls.

use std::ops::Range;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_connect::Client;
use aws_sdk_connect::config::retry::{RetryConfig, RetryPartition};
use aws_sdk_connect::config::{BehaviorVersion, Region};
use aws_sdk_connect::error::BuildError;
use aws_sdk_connect::types::EmailAddressConfig;
use clap::ValueEnum;
use futures_util::StreamExt;
use queue_email_associator::invocation::{Function, Invocation};
use queue_email_associator::sdk;
use queue_email_associator::settings::{Settings, SettingsError};
use serde_json::json;
use thiserror::Error;
use tokio::time::{Instant, timeout};

use crate::setup::{AT_ONCE, INSTANCE, Setup, address_ids, queue_id};

/// The Region that requests are signed for. Nobody checks.
const REGION: &str = "us-east-1";
/// The SDK's first and longest wait after throttling, in AWS's time (`RetryConfig`: 1 s and 20 s).
const SDK_BACKOFF: (f64, f64) = (1.0, 20.0);
/// The function's first and longest wait, in AWS's time (`BACKOFF_INITIAL_MS`, `BACKOFF_MAX_MS`).
const FUNCTION_BACKOFF: (f64, f64) = (0.2, 20.0);

/// A client that makes the calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contestant {
    /// This function
    Function,
    /// The SDK's standard retries, eight calls at a time
    Standard,
    /// The SDK's adaptive retries, eight calls at a time
    Adaptive,
    /// The SDK's standard retries, eight calls at a time, one call a pair
    Ungrouped,
}

/// Why a contestant could not be measured.
#[derive(Debug, Error)]
pub(crate) enum ContestantError {
    /// The function refused its settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The function could not read the request.
    #[error("the function refused the request: {0}")]
    Refused(String),
    /// The template has no number that can be read.
    #[error("template.yaml gives the function no CONNECT_WORKERS that is a number")]
    Template,
    /// The SDK could not build an address.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// The quota and the number of processes that the function is configured with. The SDK has no such setting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    pub(crate) rate: f64,
    pub(crate) burst: f64,
    pub(crate) workers: u32,
}

impl Contestant {
    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Contestant::Function => "function",
            Contestant::Standard => "standard",
            Contestant::Adaptive => "adaptive",
            Contestant::Ungrouped => "ungrouped",
        }
    }

    /// The name of the contestant in the table and the plots.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Contestant::Function => "this function",
            Contestant::Standard => "SDK standard",
            Contestant::Adaptive => "SDK adaptive",
            Contestant::Ungrouped => "SDK standard, a call a pair",
        }
    }

    /// Makes the calls for some queues, as one process would that knows nothing of others, and returns when it is
    /// done, has given up, or its time is up. `partition` is a name that no other process of this run has.
    ///
    /// # Errors
    /// It could not begin. Calls that fail are no errors: the simulator's record tells of them.
    pub(crate) async fn process(
        self,
        setup: Setup,
        told: Told,
        endpoint: &str,
        queues: Range<usize>,
        partition: String,
    ) -> Result<(), ContestantError> {
        match self {
            Contestant::Function => function(setup, told, endpoint, queues).await,
            Contestant::Standard => {
                plain(setup, client(setup, endpoint, RetryConfig::standard(), partition), chunks(queues))
                    .await
            }
            Contestant::Adaptive => {
                plain(setup, client(setup, endpoint, RetryConfig::adaptive(), partition), chunks(queues))
                    .await
            }
            Contestant::Ungrouped => {
                plain(setup, client(setup, endpoint, RetryConfig::standard(), partition), pairs(queues)).await
            }
        }
    }
}

/// A queue and the addresses of one call.
type Chunk = (String, Vec<String>);

fn chunks(queues: Range<usize>) -> Vec<Chunk> {
    queues.map(|queue| (queue_id(queue), address_ids(queue))).collect()
}

fn pairs(queues: Range<usize>) -> Vec<Chunk> {
    queues
        .flat_map(|queue| address_ids(queue).into_iter().map(move |address| (queue_id(queue), vec![address])))
        .collect()
}

/// The function with its default settings but for the scale, invoked with one direct request.
async fn function(
    setup: Setup,
    told: Told,
    endpoint: &str,
    queues: Range<usize>,
) -> Result<(), ContestantError> {
    let millis = |seconds| setup.scaled(seconds).as_millis().max(1).to_string();
    let settings = Settings::read(|variable| match variable {
        "AWS_REGION" => Some(REGION.to_owned()),
        "AWS_ENDPOINT_URL_CONNECT" => Some(endpoint.to_owned()),
        "CONNECT_REQUESTS_PER_SECOND" => Some(told.rate.to_string()),
        "CONNECT_BURST" => Some(told.burst.to_string()),
        "CONNECT_WORKERS" => Some(told.workers.to_string()),
        "BACKOFF_INITIAL_MS" => Some(millis(FUNCTION_BACKOFF.0)),
        "BACKOFF_MAX_MS" => Some(millis(FUNCTION_BACKOFF.1)),
        _ => None,
    })?;
    let http = sdk::http_client();
    let connect = sdk::connect_client(&settings, credentials(), http.clone());
    // It has no queue to send to, so that nothing is called through this one.
    let sqs = sdk::sqs_client(&settings, credentials(), http);
    let function = Function::new(settings, connect, sqs);
    let associations: Vec<_> = chunks(queues)
        .into_iter()
        .map(|(queue, addresses)| json!({ "queueId": queue, "emailAddressIds": addresses }))
        .collect();
    let request = json!({ "instanceId": INSTANCE, "associations": associations }).to_string();
    let ends = Instant::now() + setup.time();
    let invocation = Invocation { request_id: "benchmark", ends, intent: None, observer: None };
    match function.complete(request.as_bytes(), invocation).await {
        Ok(_) => Ok(()),
        Err(error) => Err(ContestantError::Refused(error.to_string())),
    }
}

/// A client as the SDK makes it by default, but for the scale of its waits.
///
/// The SDK keeps its retry quota and, in adaptive mode, its rate in a static map of the process, shared by all
/// clients of a service and Region: a partition of its own makes each of ours as fresh as in a process of its own.
/// Everything else (three attempts, reconnect mode, time-outs) is left as it is.
fn client(setup: Setup, endpoint: &str, retries: RetryConfig, partition: String) -> Client {
    let (first, longest) = SDK_BACKOFF;
    let retries = retries.with_initial_backoff(setup.scaled(first)).with_max_backoff(setup.scaled(longest));
    let config = aws_sdk_connect::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(REGION))
        .credentials_provider(credentials())
        .http_client(sdk::http_client())
        .endpoint_url(endpoint)
        .retry_config(retries)
        .retry_partition(RetryPartition::new(partition))
        .build();
    Client::from_conf(config)
}

/// One call a chunk, eight at a time. A call that the SDK gives up is not repeated.
async fn plain(setup: Setup, client: Client, chunks: Vec<Chunk>) -> Result<(), ContestantError> {
    let calls = chunks
        .into_iter()
        .map(|(queue, addresses)| {
            let addresses = addresses
                .into_iter()
                .map(|id| EmailAddressConfig::builder().email_address_id(id).build())
                .collect::<Result<Vec<_>, _>>()?;
            let call = client
                .associate_queue_email_addresses()
                .instance_id(INSTANCE)
                .queue_id(queue)
                .set_email_addresses_config(Some(addresses));
            Ok(async move { call.send().await.is_ok() })
        })
        .collect::<Result<Vec<_>, BuildError>>()?;
    let all = futures_util::stream::iter(calls).for_each_concurrent(AT_ONCE, |call| async {
        // The simulator records the result.
        let _ = call.await;
    });
    // When time is up, calls in flight are dropped, as when Lambda ends an invocation.
    let time: Duration = setup.time();
    let _ = timeout(time, all).await;
    Ok(())
}

/// Credentials that sign requests which nobody checks.
fn credentials() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("benchmark", "benchmark", None, None, "benchmark"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_pairs_make_five_times_the_calls() {
        let (chunks, pairs) = (chunks(3..5), pairs(3..5));
        assert_eq!((chunks.len(), pairs.len()), (2, 10));
        let flat = |chunks: Vec<Chunk>| -> Vec<(String, String)> {
            chunks
                .into_iter()
                .flat_map(|(queue, addresses)| addresses.into_iter().map(move |id| (queue.clone(), id)))
                .collect()
        };
        assert_eq!(flat(chunks), flat(pairs));
    }
}
