//! The AWS SDK's clients, set up for one layer of retries, which is ours.
//!
//! They are configured piece by piece rather than from the SDK's defaults: in Lambda credentials come from the
//! environment, and what the default chain builds beside that (profile files, IMDS, STS) costs cold start.

use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_connect::config::retry::RetryConfig;
use aws_sdk_connect::config::timeout::TimeoutConfig;
use aws_sdk_connect::config::{BehaviorVersion, Region, SharedHttpClient, StalledStreamProtectionConfig};

use crate::deferred::Deferred;
use crate::settings::Settings;

mod http;
mod prepared;

pub use http::{ProxyError, check_proxies, direct_http_client, http_client};

/// A Connect client. It makes one attempt a call and knows no time-outs: both are decided where the deadline is
/// known.
pub fn connect_client(
    settings: &Settings,
    credentials: SharedCredentialsProvider,
    http: SharedHttpClient,
) -> Deferred<aws_sdk_connect::Client> {
    let shared = shared_config(settings, credentials, http);
    let endpoint = settings.connect_endpoint.clone();
    Deferred::new(move || {
        let mut config = aws_sdk_connect::config::Builder::from(&shared);
        config.set_endpoint_url(endpoint);
        aws_sdk_connect::Client::from_conf(config.build())
    })
}

/// An SQS client, likewise.
pub fn sqs_client(
    settings: &Settings,
    credentials: SharedCredentialsProvider,
    http: SharedHttpClient,
) -> Deferred<aws_sdk_sqs::Client> {
    let shared = shared_config(settings, credentials, http);
    let endpoint = settings.sqs_endpoint.clone();
    Deferred::new(move || {
        let mut config = aws_sdk_sqs::config::Builder::from(&shared);
        config.set_endpoint_url(endpoint);
        aws_sdk_sqs::Client::from_conf(config.build())
    })
}

/// The clients of the Lambda function, to be made within a Tokio runtime. What Connect's needs is made ready in the
/// background while the process waits for its first event; SQS's is made when there is something to send.
pub fn lambda_clients(
    settings: &Settings,
) -> (Deferred<aws_sdk_connect::Client>, Deferred<aws_sdk_sqs::Client>) {
    // A log line is all that can be done: calls then go directly, and may well arrive.
    if let Err(error) = check_proxies(|variable| std::env::var(variable).ok()) {
        tracing::warn!("{error}");
    }
    let client = http_client();
    let http = prepared::for_sdk_clients(client.clone());
    let credentials = lambda_credentials();
    let connect = connect_client(settings, credentials.clone(), http.clone());
    let sqs = sqs_client(settings, credentials, http);
    let first_needed = connect.clone();
    prepared::in_background(client, move || {
        first_needed.get();
    });
    (connect, sqs)
}

/// The configuration that the clients share. It is not loaded from the environment, which only [`Settings`] reads.
fn shared_config(
    settings: &Settings,
    credentials: SharedCredentialsProvider,
    http: SharedHttpClient,
) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(settings.home.region().to_owned()))
        .credentials_provider(credentials)
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build()
}

/// The credentials of a Lambda function: its environment, or the container endpoint that SnapStart and managed
/// instances use instead (Lambda Developer Guide, "Activate SnapStart": credentials).
pub fn lambda_credentials() -> SharedCredentialsProvider {
    let environment = EnvironmentVariableCredentialsProvider::new();
    // A process keeps the environment that it was started with, and most have no such endpoint.
    let endpoints = ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"];
    if endpoints.into_iter().all(|variable| std::env::var_os(variable).is_none()) {
        return SharedCredentialsProvider::new(environment);
    }
    // That endpoint is on this machine, where no proxy gets.
    let config = ProviderConfig::without_region().with_http_client(direct_http_client());
    let container = EcsCredentialsProvider::builder().configure(&config).build();
    SharedCredentialsProvider::new(
        CredentialsProviderChain::first_try("Environment", environment).or_else("Container", container),
    )
}
