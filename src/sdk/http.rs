//! HTTP: the client of all SDK clients. It uses the proxy from the environment and names the host in its errors.

use std::env;
use std::error::Error;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;

/// The variables that name a proxy. The function reads them like curl and the AWS CLI (AWS CLI User Guide, "Using an
/// HTTP proxy for the AWS CLI"). `NO_PROXY` names hosts that are called directly.
const PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// A proxy variable holds something other than a URL. The error displays as one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no URL of a proxy; accepted is http:// or https:// and a host, perhaps with a port")]
pub struct ProxyError(&'static str);

/// The HTTP client for all SDK clients of the process. It uses the proxy from the environment. It reads the system's
/// certificates when the first SDK client is made.
pub fn http_client() -> SharedHttpClient {
    let is_set = |variable: &str| env::var_os(variable).is_some_and(|value| !value.is_empty());
    if PROXIES.into_iter().any(is_set) {
        with_host(through(ProxyConfig::from_env()))
    } else {
        // Without a proxy there is no need to look one up for each call.
        direct_http_client()
    }
}

/// An HTTP client without a proxy, for services on this machine.
pub fn direct_http_client() -> SharedHttpClient {
    with_host(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
}

/// Checks the variables that name a proxy. A value that is no URL counts as no proxy.
///
/// # Errors
/// Returns the first variable that holds something other than a URL. The error does not show the value, because it may
/// contain a password.
pub fn check_proxies(lookup: impl Fn(&str) -> Option<String>) -> Result<(), ProxyError> {
    let is_wrong = |variable: &&'static str| {
        let value = lookup(variable).unwrap_or_default();
        // A host without a scheme is accepted too, like in curl.
        let url = if value.contains("://") { value.clone() } else { format!("http://{value}") };
        !value.is_empty() && ProxyConfig::all(url).is_err()
    };
    PROXIES.into_iter().find(is_wrong).map_or(Ok(()), |variable| Err(ProxyError(variable)))
}

fn through(proxy: ProxyConfig) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector =
            Connector::builder().proxy_config(proxy.clone()).tls_provider(Provider::Rustls(CryptoMode::Ring));
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    })
}

fn with_host(client: SharedHttpClient) -> SharedHttpClient {
    SharedHttpClient::new(WithHost(client))
}

/// A client whose errors name the host that it could not reach. "Name or service not known" alone helps nobody.
#[derive(Debug)]
struct WithHost(SharedHttpClient);

impl HttpClient for WithHost {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(HostConnector(self.0.http_connector(settings, components)))
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_base_client_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[derive(Debug)]
struct HostConnector(SharedHttpConnector);

impl HttpConnector for HostConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let host = host_of(request.uri()).to_owned();
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move { answer.await.map_err(|error| named(error, &host)) })
    }
}

/// The host of a URL, with the port if there is one.
fn host_of(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    rest.split(['/', '?']).next().unwrap_or_default()
}

/// Adds the host to the text of an error. The new cause is the last cause of the chain.
fn named(error: ConnectorError, host: &str) -> ConnectorError {
    if !error.is_io() {
        return error;
    }
    let first: &(dyn Error + 'static) = &error;
    let chain = std::iter::successors(Some(first), |error| (*error).source());
    let cause = chain.last().map(ToString::to_string).unwrap_or_default();
    ConnectorError::io(format!("{host}: {cause}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_url_is_named() {
        for (url, host) in [
            (
                "https://connect.eu-central-1.amazonaws.com/search-queues",
                "connect.eu-central-1.amazonaws.com",
            ),
            ("http://127.0.0.1:8787", "127.0.0.1:8787"),
            ("https://sqs.eu-central-1.amazonaws.com?x=1", "sqs.eu-central-1.amazonaws.com"),
        ] {
            assert_eq!(host_of(url), host);
            let error = named(ConnectorError::io("Name or service not known".into()), host);
            let shown = error.source().map(ToString::to_string).unwrap_or_default();
            assert_eq!((error.is_io(), shown), (true, format!("{host}: Name or service not known")));
        }
    }

    #[test]
    fn a_proxy_is_a_url() {
        let check = |name: &'static str, value: &str| {
            let value = value.to_owned();
            check_proxies(move |variable| (variable == name).then(|| value.clone()))
        };
        for good in ["", "proxy:3128", "http://proxy:3128", "https://user:word@proxy.example/"] {
            assert_eq!(check("HTTPS_PROXY", good), Ok(()), "{good}");
        }
        for bad in ["http://", "ftp://proxy", "socks://user:secret@proxy"] {
            let problem = check("http_proxy", bad).map_err(|error| error.to_string());
            assert!(
                problem.clone().is_err_and(|text| text.starts_with("http_proxy is no URL of a proxy")),
                "{bad}"
            );
            assert!(!format!("{problem:?}").contains("secret"));
        }
    }
}
