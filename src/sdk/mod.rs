//! Creates the AWS SDK's clients. They have no retries, because the function retries by itself.
//!
//! The module sets each part of the configuration itself, because the SDK's defaults make a cold start slower. In
//! Lambda, credentials come from the environment. The default chain would also build sources for profile files, IMDS
//! and STS.

use std::sync::{Arc, LazyLock};

use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_connect::config::retry::RetryConfig;
use aws_sdk_connect::config::timeout::TimeoutConfig;
use aws_sdk_connect::config::{BehaviorVersion, Region, SharedHttpClient, StalledStreamProtectionConfig};

use crate::settings::Settings;

mod http;
mod proxy;
mod resolver;

pub use http::{CertificateAuthorities, HttpOptions, http_client};
pub use proxy::{ProxyError, check_proxies};

/// A client that is created, once, when it is first needed.
///
/// The SDK reads its list of partitions and compiles their regular expressions for each client. That is half of all the
/// work of a cold start, and the first poll does not need a client.
pub type LazyClient<Client> = Arc<LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>>;

/// Wraps the function that creates a client.
pub fn lazy_client<Client>(create: impl FnOnce() -> Client + Send + 'static) -> LazyClient<Client> {
    Arc::new(LazyLock::new(Box::new(create)))
}

/// Creates a Connect client. It makes one attempt for each call and has no timeouts. The caller decides on both,
/// because it knows the deadline.
pub fn connect_client(
    settings: &Settings,
    credentials: SharedCredentialsProvider,
    http: SharedHttpClient,
) -> LazyClient<aws_sdk_connect::Client> {
    let shared = shared_config(settings, credentials, http);
    let endpoint = settings.connect_endpoint.clone();
    lazy_client(move || {
        let mut config = aws_sdk_connect::config::Builder::from(&shared);
        config.set_endpoint_url(endpoint);
        aws_sdk_connect::Client::from_conf(config.build())
    })
}

/// Creates an SQS client, also with one attempt for each call and without timeouts.
pub fn sqs_client(
    settings: &Settings,
    credentials: SharedCredentialsProvider,
    http: SharedHttpClient,
) -> LazyClient<aws_sdk_sqs::Client> {
    let shared = shared_config(settings, credentials, http);
    let endpoint = settings.sqs_endpoint.clone();
    lazy_client(move || {
        let mut config = aws_sdk_sqs::config::Builder::from(&shared);
        config.set_endpoint_url(endpoint);
        aws_sdk_sqs::Client::from_conf(config.build())
    })
}

/// Creates the clients of the Lambda function. Each is made when it is first needed, because the certificates that it
/// reads would be most of a cold start.
pub fn lambda_clients(
    settings: &Settings,
) -> (LazyClient<aws_sdk_connect::Client>, LazyClient<aws_sdk_sqs::Client>) {
    // The function only logs a wrong variable. Calls then go directly and may still arrive.
    if let Err(error) = check_proxies(|variable| std::env::var(variable).ok()) {
        tracing::warn!("{error}");
    }
    let http = http_client();
    let credentials = lambda_credentials();
    let connect = connect_client(settings, credentials.clone(), http.clone());
    (connect, sqs_client(settings, credentials, http))
}

/// The configuration that the clients share. Only [`Settings`] reads the environment.
fn shared_config(
    settings: &Settings,
    credentials: SharedCredentialsProvider,
    http: SharedHttpClient,
) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(settings.scope.region().to_owned()))
        .credentials_provider(credentials)
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build()
}

/// The credentials of a Lambda function. They come from its environment, or from the container endpoint that SnapStart
/// and managed instances use instead (Lambda Developer Guide, "Activate SnapStart": credentials).
pub fn lambda_credentials() -> SharedCredentialsProvider {
    let environment = EnvironmentVariableCredentialsProvider::new();
    // The environment of a process does not change, and most processes have no such endpoint.
    let endpoints = ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"];
    if endpoints.into_iter().all(|variable| std::env::var_os(variable).is_none()) {
        return SharedCredentialsProvider::new(environment);
    }
    // The container endpoint is on this machine, and a proxy cannot reach it.
    let config = ProviderConfig::without_region().with_http_client(HttpOptions::default().direct_client());
    let container = EcsCredentialsProvider::builder().configure(&config).build();
    SharedCredentialsProvider::new(
        CredentialsProviderChain::first_try("Environment", environment).or_else("Container", container),
    )
}
