//! The proxy in the environment.

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

/// The variables that set a proxy, as curl and the AWS CLI read them (AWS CLI User Guide, "Using an HTTP proxy for the
/// AWS CLI"). Hosts in `NO_PROXY` are called directly.
const VARIABLES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// Schemes of a proxy that cannot be used, but that other programs accept.
const SOCKS: [&str; 4] = ["socks4", "socks4a", "socks5", "socks5h"];

/// A proxy variable contains something other than a URL. The error displays as one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a valid proxy URL; expected http(s)://HOST[:PORT]")]
pub struct ProxyError(&'static str);

/// Checks the variables that set a proxy. A value that is not a URL counts as no proxy. A SOCKS proxy passes, because
/// it matters only if a call would go through it, and that call fails.
///
/// # Errors
/// Returns the first variable that contains something other than a URL. The error does not contain the value, because
/// it may contain a password.
pub fn check_proxies(lookup: impl Fn(&str) -> Option<String>) -> Result<(), ProxyError> {
    let is_wrong = |variable: &&'static str| {
        let value = lookup(variable).unwrap_or_default();
        !value.is_empty() && !is_proxy(&value)
    };
    VARIABLES.into_iter().find(is_wrong).map_or(Ok(()), |variable| Err(ProxyError(variable)))
}

fn is_proxy(value: &str) -> bool {
    // Like curl, accept a host without a scheme.
    let url = if value.contains("://") { value } else { &format!("http://{value}") };
    let Ok(url) = url.parse::<Uri>() else { return false };
    let scheme = url.scheme_str().unwrap_or_default();
    url.host().is_some_and(|host| !host.is_empty())
        && (["http", "https"].contains(&scheme) || SOCKS.contains(&scheme))
}

/// Returns whether any variable sets a proxy.
pub(super) fn uses_proxy(lookup: impl Fn(&str) -> Option<String>) -> bool {
    VARIABLES.into_iter().any(|variable| lookup(variable).is_some_and(|value| !value.is_empty()))
}

/// Returns the host and port of the proxy for a URL, if a proxy applies. The error says why the proxy cannot be used.
pub(super) fn proxy_for(matcher: &Matcher, url: &str) -> Result<Option<String>, String> {
    let Ok(url) = url.parse::<Uri>() else { return Ok(None) };
    let Some(proxy) = matcher.intercept(&url) else { return Ok(None) };
    match proxy.uri().scheme_str().filter(|scheme| SOCKS.contains(scheme)) {
        Some(scheme) => {
            let own = if url.scheme_str() == Some("http") { "HTTP_PROXY" } else { "HTTPS_PROXY" };
            Err(format!(
                "{scheme} proxies are not supported; set {own} to http(s)://HOST[:PORT], or add the host to NO_PROXY"
            ))
        }
        None => Ok(proxy.uri().authority().map(ToString::to_string)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxy_is_a_url() {
        let check = |name: &'static str, value: &str| {
            let value = value.to_owned();
            check_proxies(move |variable| (variable == name).then(|| value.clone()))
        };
        for good in [
            "",
            "proxy:3128",
            "http://proxy:3128",
            "https://user:word@proxy.example/",
            "socks5h://proxy:1080",
        ] {
            assert_eq!(check("HTTPS_PROXY", good), Ok(()), "{good}");
        }
        for bad in ["http://", "ftp://proxy", "socks://user:secret@proxy"] {
            let problem = check("http_proxy", bad).map_err(|error| error.to_string());
            assert!(
                problem.clone().is_err_and(|text| text.starts_with("http_proxy is not a valid proxy URL")),
                "{bad}"
            );
            assert!(!format!("{problem:?}").contains("secret"));
        }
    }

    #[test]
    fn socks_proxy_is_rejected_only_if_it_is_used() {
        let matcher = Matcher::builder()
            .https("http://good:3128")
            .all("socks5://user:secret@bad:1080")
            .no("direct.example")
            .build();
        for url in ["https://connect.example/", "http://direct.example/"] {
            assert!(proxy_for(&matcher, url).is_ok(), "{url}");
        }
        assert_eq!(proxy_for(&matcher, "https://connect.example/"), Ok(Some("good:3128".to_owned())));
        let text = proxy_for(&matcher, "http://connect.example/").unwrap_err();
        assert!(text.starts_with("socks5 proxies are not supported; set HTTP_PROXY"), "{text}");
    }
}
