//! A connector that passes the SDK's requests to the simulator without a socket.

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use connect_simulator::Connect;
use http::Uri;
use serde_json::Value;
use tokio::time::Instant;

#[derive(Debug, Clone)]
pub(crate) struct InMemory {
    pub(crate) connect: Connect,
    /// Every page has the same token.
    pub(crate) endless: bool,
}

impl HttpConnector for InMemory {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let InMemory { connect, endless } = self.clone();
        assert!(is_expected(request.uri()), "unexpected request to {}", request.uri());
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().expect("the SDK's requests are valid");
            let request =
                request.map(|body| Bytes::from(page(body.bytes().unwrap_or_default(), endless, None)));
            let answer = connect.answer(request, Instant::now());
            tokio::time::sleep(answer.delay).await;
            if answer.hang {
                std::future::pending::<()>().await;
            }
            match answer.response.filter(|_| !answer.cut_off) {
                Some(mut response) => {
                    // The length of the page may differ from the length of the simulator's page.
                    response.headers_mut().remove("content-length");
                    let response = response.map(|body| SdkBody::from(page(&body, endless, Some("after-0"))));
                    Ok(HttpResponse::try_from(response).expect("the simulator's responses are valid"))
                }
                None => Err(ConnectorError::io("the connection was closed".into())),
            }
        })
    }
}

/// Returns a body with another page token if `endless` is set.
fn page(body: &[u8], endless: bool, token: Option<&str>) -> Vec<u8> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(mut page)) if endless => {
            page.remove("NextToken");
            page.extend(token.map(|token| ("NextToken".to_owned(), token.into())));
            Value::Object(page).to_string().into_bytes()
        }
        _ => body.to_vec(),
    }
}

/// Returns whether a request goes to an operation that the function calls, with identifiers that have no meaning in a
/// URI.
fn is_expected(uri: &str) -> bool {
    let Ok(uri) = uri.parse::<Uri>() else { return false };
    if uri.scheme_str() != Some("https")
        || uri.authority().is_none_or(|authority| authority != "connect.eu-central-1.amazonaws.com")
    {
        return false;
    }
    let plain = |segment: &str| {
        (1..=500).contains(&segment.len())
            && segment != "."
            && segment != ".."
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    let segments: Vec<&str> = uri.path().split('/').collect();
    match segments.as_slice() {
        ["", "queues", instance, queue, "associate-email-addresses"] => {
            plain(instance) && plain(queue) && uri.query().is_none()
        }
        ["", "queues", instance, queue, "email-addresses"] => plain(instance) && plain(queue),
        ["", "search-queues" | "search-email-addresses"] => uri.query().is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_expected;

    #[test]
    fn only_plain_paths_are_expected() {
        let host = "https://connect.eu-central-1.amazonaws.com";
        assert!(is_expected(&format!("{host}/queues/i/q/associate-email-addresses")));
        for other in [
            format!("{host}/queues/i/../associate-email-addresses"),
            format!("{host}/queues/i/q%2fx/associate-email-addresses"),
            format!("{host}/queues/i//associate-email-addresses"),
            format!("{host}/queues/i/q/associate-email-addresses?x"),
            format!("{host}/queues/i/q/disassociate-email-addresses"),
            "https://elsewhere.example/search-queues".to_owned(),
        ] {
            assert!(!is_expected(&other), "{other}");
        }
    }
}
