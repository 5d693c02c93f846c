//! The HTTP client for calls to AWS.

use aws_sdk_connect::config::SharedHttpClient;
use queue_email_associator::sdk::{self, HttpOptions};

use super::certificates;
use super::profile::Profiles;

/// The endpoints of credentials and metadata that have fixed addresses: EC2 (Instance Metadata Service), ECS task roles
/// and EKS Pod Identity (AWS SDKs and Tools Reference Guide, "IMDS credential provider" and "Container credential
/// provider"). They are on this machine or its host. A proxy cannot reach them and must not see their tokens.
const METADATA_HOSTS: [&str; 5] =
    ["169.254.169.254", "[fd00:ec2::254]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];

/// Creates the client, with the proxy and the certificate authorities of the environment and the profile.
pub(super) fn client(profiles: &Profiles) -> Result<SharedHttpClient, String> {
    let variable = |name: &str| std::env::var(name).ok();
    sdk::check_proxies(variable).map_err(|error| error.to_string())?;
    let configured = [
        variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        variable("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
        profiles.setting("ec2_metadata_service_endpoint").map(|(_, url)| url.to_owned()),
    ];
    let configured = configured.iter().flatten().filter_map(|url| authority(url));
    let direct_hosts = METADATA_HOSTS.into_iter().chain(configured).map(str::to_owned).collect();
    Ok(HttpOptions { authorities: certificates::authorities(profiles)?, direct_hosts }.client())
}

/// Returns the host of a URL, with the port if there is one.
fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split(['/', '?']).next().filter(|authority| !authority.is_empty())
}
