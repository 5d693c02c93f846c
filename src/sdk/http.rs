//! The HTTP client of all SDK clients.
//!
//! It uses the proxy in the environment, limits the time of a name resolution, and adds the host to its errors.

use std::env;
use std::error::Error;
use std::sync::Arc;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
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
use hyper_util::client::proxy::matcher::Matcher;

use super::proxy::{proxy_for, uses_proxy};
use super::resolver::{Resolver, UnresolvedName};

/// The certificate authorities that a client trusts.
#[derive(Debug, Clone, Default)]
pub enum CertificateAuthorities {
    /// The certificate authorities of the operating system. A debug build panics if there are none.
    #[default]
    System,
    /// Only those in this PEM text, which may be empty. A certificate that cannot be parsed panics.
    Only(Vec<u8>),
}

/// How the SDK clients of a process reach their services.
#[derive(Debug, Clone, Default)]
pub struct HttpOptions {
    /// The certificate authorities to trust.
    pub authorities: CertificateAuthorities,
    /// Hosts, each with or without a port, that are called directly even if a proxy is set.
    pub direct_hosts: Vec<String>,
}

impl HttpOptions {
    /// Creates a client that uses the proxy in the environment.
    pub fn client(self) -> SharedHttpClient {
        if !uses_proxy(|variable| env::var(variable).ok()) {
            // Without a proxy there is no need to look one up for each call.
            return self.direct_client();
        }
        let hosts = self.direct_hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        // A second connector reads the certificates again, so create it only if a host needs it.
        let direct = (!self.direct_hosts.is_empty()).then(|| transport(&self.authorities, None));
        let proxied = transport(&self.authorities, Some(&ProxyConfig::from_env()));
        let matcher = Arc::new(Matcher::from_env());
        SharedHttpClient::new(ClientWithHost {
            transport: proxied,
            proxy: Some(ProxyRoute { matcher, hosts, direct }),
        })
    }

    /// Creates a client that never uses a proxy.
    pub fn direct_client(self) -> SharedHttpClient {
        SharedHttpClient::new(ClientWithHost { transport: transport(&self.authorities, None), proxy: None })
    }
}

/// Creates the HTTP client for all SDK clients of a function. It uses the proxy in the environment and trusts the
/// system's certificate authorities, which it reads when the first SDK client is created.
pub fn http_client() -> SharedHttpClient {
    HttpOptions::default().client()
}

fn transport(authorities: &CertificateAuthorities, proxy: Option<&ProxyConfig>) -> SharedHttpClient {
    let store = match authorities {
        CertificateAuthorities::System => TrustStore::default(),
        CertificateAuthorities::Only(pem) => TrustStore::empty().with_pem_certificate(pem.clone()),
    };
    let proxy = proxy.cloned();
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring));
        if let Some(proxy) = &proxy {
            connector = connector.proxy_config(proxy.clone());
        }
        // The builder has no errors of its own. Without a context the connector uses the system's certificates.
        if let Ok(context) = TlsContext::builder().with_trust_store(store.clone()).build() {
            connector = connector.tls_context(context);
        }
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build_with_resolver(Resolver)
    })
}

/// A client whose errors contain the host that it could not reach. The cause alone, such as "Name or service not
/// known", does not say which host is meant.
#[derive(Debug)]
struct ClientWithHost {
    transport: SharedHttpClient,
    /// Present if the transport uses a proxy.
    proxy: Option<ProxyRoute<SharedHttpClient>>,
}

/// Decides which requests go through the proxy.
#[derive(Debug, Clone)]
struct ProxyRoute<Direct> {
    matcher: Arc<Matcher>,
    /// Hosts that are called directly, in lower case.
    hosts: Arc<[String]>,
    /// The way to those hosts.
    direct: Option<Direct>,
}

impl HttpClient for ClientWithHost {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let transport = self.transport.http_connector(settings, components);
        let proxy = self.proxy.as_ref().map(|route| ProxyRoute {
            matcher: route.matcher.clone(),
            hosts: route.hosts.clone(),
            direct: route.direct.as_ref().map(|direct| direct.http_connector(settings, components)),
        });
        SharedHttpConnector::new(ConnectorWithHost { transport, proxy })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.transport.validate_base_client_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.transport.connector_metadata()
    }
}

#[derive(Debug)]
struct ConnectorWithHost {
    transport: SharedHttpConnector,
    proxy: Option<ProxyRoute<SharedHttpConnector>>,
}

impl HttpConnector for ConnectorWithHost {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut host = host_of(request.uri()).to_owned();
        let transport = match &self.proxy {
            Some(ProxyRoute { hosts, direct: Some(direct), .. }) if is_listed(hosts, &host) => direct,
            Some(ProxyRoute { matcher, .. }) => {
                match proxy_for(matcher, request.uri()) {
                    Ok(Some(proxy)) => host.push_str(&format!(" through the proxy {proxy}")),
                    Ok(None) => {}
                    Err(problem) => {
                        let error = ConnectorError::user(format!("{host}: {problem}").into());
                        return HttpConnectorFuture::ready(Err(error));
                    }
                }
                &self.transport
            }
            None => &self.transport,
        };
        let response = transport.call(request);
        HttpConnectorFuture::new(async move { response.await.map_err(|error| with_host(error, &host)) })
    }
}

/// Returns the host of a URL, with the port if there is one.
fn host_of(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    rest.split(['/', '?']).next().unwrap_or_default()
}

/// Returns whether a list contains a host, with its port or as a whole.
fn is_listed(hosts: &[String], host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let without_port = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => &host,
    };
    hosts.iter().any(|listed| *listed == host || *listed == without_port)
}

/// Adds the host to the text of an error, as the last cause of its chain.
fn with_host(error: ConnectorError, host: &str) -> ConnectorError {
    let first: &(dyn Error + 'static) = &error;
    let chain = || std::iter::successors(Some(first), |error| (*error).source());
    let cause = chain().last().map(ToString::to_string).unwrap_or_default();
    let text = format!("{host}: {cause}");
    if chain().any(|error| error.is::<UnresolvedName>()) {
        // The SDK's own retries would wait for the same resolver again.
        ConnectorError::other(text.into(), None)
    } else if error.is_timeout() {
        ConnectorError::timeout(text.into())
    } else if error.is_io() {
        ConnectorError::io(text.into())
    } else {
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_contain_the_host() {
        for (url, host) in [
            (
                "https://connect.eu-central-1.amazonaws.com/search-queues",
                "connect.eu-central-1.amazonaws.com",
            ),
            ("http://127.0.0.1:8787", "127.0.0.1:8787"),
            ("https://sqs.eu-central-1.amazonaws.com?x=1", "sqs.eu-central-1.amazonaws.com"),
        ] {
            assert_eq!(host_of(url), host);
            let error = with_host(ConnectorError::io("Name or service not known".into()), host);
            let shown = error.source().map(ToString::to_string).unwrap_or_default();
            assert_eq!((error.is_io(), shown), (true, format!("{host}: Name or service not known")));
            let error = with_host(ConnectorError::timeout("timed out".into()), host);
            let shown = error.source().map(ToString::to_string).unwrap_or_default();
            assert_eq!((error.is_timeout(), shown), (true, format!("{host}: timed out")));
        }
    }

    #[test]
    fn hosts_are_listed_with_or_without_a_port() {
        let hosts = ["169.254.170.2", "[fd00:ec2::23]", "localhost:51678"].map(str::to_owned);
        for (host, listed) in [
            ("169.254.170.2", true),
            ("169.254.170.2:80", true),
            ("[fd00:ec2::23]", true),
            ("[FD00:EC2::23]:80", true),
            ("LOCALHOST:51678", true),
            ("localhost", false),
            ("localhost:51679", false),
            ("169.254.170.20", false),
        ] {
            assert_eq!(is_listed(&hosts, host), listed, "{host}");
        }
    }
}
