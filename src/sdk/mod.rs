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
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::settings::Settings;

mod prepared;

/// A Connect client. It makes one attempt a call and knows no time-outs: both are decided where the deadline is
/// known.
pub fn connect_client(
    settings: &Settings,
    credentials: SharedCredentialsProvider,
    http: SharedHttpClient,
) -> aws_sdk_connect::Client {
    let mut config = aws_sdk_connect::config::Builder::from(&shared_config(settings, credentials, http));
    config.set_endpoint_url(settings.connect_endpoint.clone());
    aws_sdk_connect::Client::from_conf(config.build())
}

/// An SQS client, likewise.
pub fn sqs_client(
    settings: &Settings,
    credentials: SharedCredentialsProvider,
    http: SharedHttpClient,
) -> aws_sdk_sqs::Client {
    let mut config = aws_sdk_sqs::config::Builder::from(&shared_config(settings, credentials, http));
    config.set_endpoint_url(settings.sqs_endpoint.clone());
    aws_sdk_sqs::Client::from_conf(config.build())
}

/// What the clients have in common. It is not loaded from the environment: what may be set there are our settings.
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

/// An HTTP client for all SDK clients of the process. The system's certificates are read when the first of them is
/// made.
pub fn http_client() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// The HTTP client of a Lambda function, to be made within a Tokio runtime. The system's certificates are read when that
/// first has to wait, which is for the first event. A call that comes before they are read waits for them.
pub fn lambda_http_client() -> SharedHttpClient {
    prepared::in_background(http_client())
}

/// The credentials of a Lambda function: its environment, or the container endpoint that SnapStart and managed
/// instances use instead (Lambda Developer Guide, "Activate SnapStart": credentials).
pub fn lambda_credentials(http: &SharedHttpClient) -> SharedCredentialsProvider {
    let environment = EnvironmentVariableCredentialsProvider::new();
    // A process keeps the environment that it was started with, and most have no such endpoint.
    let endpoints = ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"];
    if endpoints.into_iter().all(|variable| std::env::var_os(variable).is_none()) {
        return SharedCredentialsProvider::new(environment);
    }
    let config = ProviderConfig::without_region().with_http_client(http.clone());
    let container = EcsCredentialsProvider::builder().configure(&config).build();
    SharedCredentialsProvider::new(
        CredentialsProviderChain::first_try("Environment", environment).or_else("Container", container),
    )
}
