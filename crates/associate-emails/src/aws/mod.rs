//! Calls to AWS from a person's machine: Region, credentials, endpoint, proxy and certificates as the AWS CLI finds them.

mod certificates;
mod http;
mod profile;

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use queue_email_associator::connect::{Class, Connect, DirectoryKind, ListCall, Rejection, SearchCall};
use queue_email_associator::pairs::Pairs;
use queue_email_associator::requests::Named;
use queue_email_associator::sdk::{LazyClient, lazy_client};

pub(crate) use certificates::with_advice;
use profile::Profiles;

/// What to do after AWS rejected the credentials.
pub(crate) const SIGN_IN_AGAIN: &str = "sign in again (aws sso login), or renew the credentials";

/// Time limit for a connection, including name resolution and TLS. It is the SDK's default.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_100);

/// The Region and the SDK's configuration for calls to AWS.
pub(crate) struct Access {
    pub(crate) region: String,
    /// The configuration of the environment and the profile, with credentials that are already loaded.
    pub(crate) config: SdkConfig,
}

impl Access {
    /// Finds the configuration where the AWS CLI finds it: environment, profile, single sign-on, a program, the
    /// machine's role.
    pub(crate) async fn load(region: Option<&str>) -> Result<Self, String> {
        let profiles = Profiles::load().await;
        let mut loader =
            aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http::client(&profiles)?);
        if let Some(profile) = profile::selected() {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        // Credentials in the environment take precedence over the profile.
        if !(is_set("AWS_ACCESS_KEY_ID") && is_set("AWS_SECRET_ACCESS_KEY"))
            && let Some(unsupported) = profiles.unsupported()
        {
            return Err(unsupported);
        }
        let config = loader.load().await;
        let provider = config.credentials_provider().ok_or("no source of credentials is set up")?;
        let loaded = provider.provide_credentials().await;
        // A missing profile has no Region either. The profile must be fixed first.
        if let Err(error @ CredentialsError::InvalidConfiguration(_)) = &loaded {
            return Err(no_credentials(error));
        }
        let region = config.region().map(ToString::to_string).filter(|region| !region.is_empty());
        let region = region.ok_or_else(|| match profile::selected() {
            Some(profile) => format!(
                "no Region was found; use --region, set AWS_REGION, or set a region in the profile {profile:?}"
            ),
            None => "no Region was found; use --region, set AWS_REGION, or set a region in the selected profile (AWS_PROFILE)"
                .to_owned(),
        })?;
        // The client starts with these credentials. So the program in `credential_process`, which may prompt for a code, runs
        // once.
        let first = Mutex::new(Some(loaded.map_err(|error| no_credentials(&error))?));
        let provider = provide_credentials_fn(move || {
            let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
            let provider = provider.clone();
            async move {
                match first {
                    Some(first) => Ok(first),
                    None => provider.provide_credentials().await,
                }
            }
        });
        let provider = SharedCredentialsProvider::new(provider);
        let config = config.to_builder().credentials_provider(provider).build();
        Ok(Access { region, config })
    }

    /// Creates a Connect client that makes one attempt for each call, as the function's client does. `call_timeout` is
    /// the time limit of one attempt.
    pub(crate) fn connect_client(&self, call_timeout: Duration) -> LazyClient<aws_sdk_connect::Client> {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT.min(call_timeout))
            .read_timeout(call_timeout);
        let mut config = aws_sdk_connect::config::Builder::from(&self.config);
        config.set_retry_config(Some(RetryConfig::disabled()));
        config.set_timeout_config(Some(timeouts.build()));
        config.set_stalled_stream_protection(Some(StalledStreamProtectionConfig::disabled()));
        lazy_client(move || aws_sdk_connect::Client::from_conf(config.build()))
    }
}

fn no_credentials(error: &CredentialsError) -> String {
    let advice =
        "sign in (aws sso login), set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    match (error, last_source(error)) {
        (CredentialsError::CredentialsNotLoaded(_), _) => match profile::selected() {
            Some(profile) => format!(
                "no credentials were found for the profile {profile:?}; check that it exists, or {advice}"
            ),
            None => format!("no credentials were found; {advice}"),
        },
        (_, Some(cause)) => with_advice(format!("cannot load the credentials: {cause}; {advice}")),
        (_, None) => format!("cannot load the credentials: {error}; {advice}"),
    }
}

/// Returns the last error of a chain, which says what to fix.
pub(crate) fn last_source(error: &(dyn Error + 'static)) -> Option<String> {
    let sources = std::iter::successors(error.source(), |source| (*source).source());
    sources.last().map(|source| source.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Makes one call that changes nothing. So a missing connection or wrong credentials are one line, and not a failure of
/// every pair.
pub(crate) async fn reach_connect(
    connect: LazyClient<aws_sdk_connect::Client>,
    pairs: &Pairs,
) -> Result<(), String> {
    let Some(queue) = pairs.queues.first() else { return Ok(()) };
    let instance = queue.instance.clone();
    let connect = Connect::new(connect);
    let result = match &queue.queue {
        Named::Id(id) => {
            let call = ListCall { instance, queue: id.clone(), next_token: None };
            connect.list(&call).await.map(drop)
        }
        Named::Name(_) => {
            let call = SearchCall { instance, directory: DirectoryKind::Queues, next_token: None };
            connect.search(&call).await.map(drop)
        }
    };
    match result {
        Err(Rejection { class: Class::Credentials, code, message, .. }) if code == "CallNotBuilt" => {
            Err(format!("cannot call Amazon Connect: {message}"))
        }
        Err(Rejection { class: Class::Credentials, code, message, .. }) => {
            Err(format!("Amazon Connect rejected the credentials: {code}: {message}; {SIGN_IN_AGAIN}"))
        }
        Err(Rejection { code, message, .. }) if code == "ConnectionFailed" => {
            // The message starts with a sentence that says the same.
            let cause = message.split_once(": ").map_or(&*message, |(_, cause)| cause);
            Err(with_advice(format!("cannot reach Amazon Connect: {cause}")))
        }
        // Any other response proves that the service was reached.
        _ => Ok(()),
    }
}
