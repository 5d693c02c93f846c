//! AWS: the credentials and the Region on a person's machine, and the connection to the service.

use std::error::Error;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_connect::config::SharedHttpClient;
use queue_email_associator::connect::{Class, Connect, Directory, ListCall, Refusal, SearchCall};
use queue_email_associator::deferred::Deferred;
use queue_email_associator::pairs::Pairs;
use queue_email_associator::requests::Named;
use queue_email_associator::sdk;
use tokio::time::timeout;

/// The client that AWS is called with, through a proxy if the environment names one.
///
/// # Errors
/// One line about a variable that names no proxy.
pub(crate) fn http_client() -> Result<SharedHttpClient, String> {
    sdk::check_proxies(|variable| std::env::var(variable).ok()).map_err(|error| error.to_string())?;
    Ok(sdk::http_client())
}

/// The Region, credentials and configuration for calls to AWS.
pub(crate) struct Access {
    /// The Region that is called.
    pub(crate) region: String,
    /// The SDK's configuration with both.
    pub(crate) config: SdkConfig,
    /// The credentials, loaded once. A provider loads them again when they expire.
    pub(crate) credentials: SharedCredentialsProvider,
}

impl Access {
    /// Finds Region and credentials where the AWS CLI finds them: environment, profile, single sign-on, a program,
    /// the machine's role.
    ///
    /// # Errors
    /// One line that names the missing setting and the ways to give it.
    pub(crate) async fn load(region: Option<&str>, http: SharedHttpClient) -> Result<Self, String> {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http);
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        let config = loader.load().await;
        let credentials = config.credentials_provider().ok_or("no source of credentials is set up")?;
        let loaded = credentials.provide_credentials().await;
        // A missing profile has no Region either. The person must mend the profile first.
        if let Err(error @ CredentialsError::InvalidConfiguration(_)) = &loaded {
            return Err(no_credentials(error));
        }
        let region = config.region().map(ToString::to_string).filter(|region| !region.is_empty());
        let region = region.ok_or_else(|| match profile() {
            Some(profile) => format!(
                "no Region was found; give --region, or set AWS_REGION, or a region in the profile {profile:?} (AWS_PROFILE)"
            ),
            None => "no Region was found; give --region, or set AWS_REGION, or a region in the profile that AWS_PROFILE names"
                .to_owned(),
        })?;
        loaded.map_err(|error| no_credentials(&error))?;
        Ok(Access { region, config, credentials })
    }
}

/// The profile that the environment names.
fn profile() -> Option<String> {
    std::env::var("AWS_PROFILE").ok().filter(|profile| !profile.is_empty())
}

fn no_credentials(error: &CredentialsError) -> String {
    let advice =
        "sign in (aws sso login), set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    match (error, last_source(error)) {
        (CredentialsError::CredentialsNotLoaded(_), _) => match profile() {
            Some(profile) => format!(
                "no credentials were found for the profile {profile:?} (AWS_PROFILE): is there such a profile? {advice}"
            ),
            None => format!("no credentials were found; {advice}"),
        },
        (_, Some(cause)) => format!("the credentials cannot be loaded: {cause}; {advice}"),
        (_, None) => format!("the credentials cannot be loaded: {error}; {advice}"),
    }
}

/// Gives the last error of a chain, because that one tells a person how to mend it.
pub(crate) fn last_source(error: &(dyn Error + 'static)) -> Option<String> {
    let sources = std::iter::successors(error.source(), |source| (*source).source());
    sources.last().map(|source| source.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Makes one call that changes nothing. So a missing connection or wrong credentials give one line, and not a failure
/// for every pair.
///
/// # Errors
/// The service was not reached, or does not accept the credentials.
pub(crate) async fn reach_connect(
    connect: Deferred<aws_sdk_connect::Client>,
    pairs: &Pairs,
    longest: Duration,
) -> Result<(), String> {
    let Some(queue) = pairs.queues.first() else { return Ok(()) };
    let instance = queue.instance.clone();
    let connect = Connect::new(connect);
    let attempt = async {
        match &queue.queue {
            Named::Id(id) => {
                let call = ListCall { instance, queue: id.clone(), next_token: None };
                connect.list(&call).await.map(drop)
            }
            Named::Name(_) => {
                let call = SearchCall { instance, directory: Directory::Queues, next_token: None };
                connect.search(&call).await.map(drop)
            }
        }
    };
    let Ok(attempt) = timeout(longest, attempt).await else {
        let millis = longest.as_millis();
        return Err(format!("Amazon Connect did not answer within {millis} ms (CALL_TIMEOUT_MS)"));
    };
    match attempt {
        Err(Refusal { class, code, message, .. })
            if class == Class::Credentials || code == "ConnectionFailed" =>
        {
            Err(format!("Amazon Connect cannot be called: {code}: {message}"))
        }
        // Any other answer proves that the service was reached.
        _ => Ok(()),
    }
}
