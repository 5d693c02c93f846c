//! Converts an HTTP request to a [`Call`], and a reply to an HTTP response.
//!
//! Names and locations follow the service's Smithy model (protocol REST-JSON). An error has the header `x-amzn-errortype`
//! and a body with `message`. A successful call of the associating operations has no body.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Operation;
use crate::error::ApiError;
use crate::operation::Reply;

/// The Region in every ARN.
pub(crate) const REGION: &str = "us-east-1";
/// The account in every ARN. AWS reserves it for examples.
const ACCOUNT: &str = "111122223333";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
pub(crate) const RETRY_AFTER: HeaderName = HeaderName::from_static("x-amz-retry-after");

/// A request for one of the operations. This type reads its fields leniently, so that a rejected call can still be
/// recorded and can still match a fault. The operations read the body strictly.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    pub(crate) instance: String,
    pub(crate) queue: Option<String>,
    pub(crate) addresses: Vec<String>,
    pub(crate) client_token: Option<String>,
    query: Vec<(String, String)>,
    body: Result<Value, String>,
}

impl Call {
    /// Reads a request. Returns `None` if its method and path match no operation.
    pub(crate) fn parse(request: Request<Bytes>) -> Option<Self> {
        let (request, body) = request.into_parts();
        let (operation, path) = route(&request.method, request.uri.path())?;
        let body = parse_body(&body);
        let value = body.as_ref().unwrap_or(&Value::Null);
        let (instance, queue) = match path {
            Some((instance, queue)) => (instance, Some(queue)),
            None => (value["InstanceId"].as_str().unwrap_or_default().to_owned(), None),
        };
        let query = request.uri.query().unwrap_or_default();
        Some(Self {
            operation,
            instance,
            queue,
            addresses: address_ids(operation, value),
            client_token: value["ClientToken"].as_str().map(str::to_owned),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            body,
        })
    }

    /// Reads the body as the operation's input. Without a required field, or with a field of a wrong type, that is an
    /// `InvalidRequestException`.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let value = self.body.clone().map_err(ApiError::invalid_request)?;
        serde_json::from_value(value)
            .map_err(|error| ApiError::invalid_request(format!("the body cannot be read: {error}")))
    }

    /// Returns the instance and the queue of a call whose path contains both.
    pub(crate) fn queue_path(&self) -> (&str, &str) {
        (&self.instance, self.queue.as_deref().unwrap_or_default())
    }

    /// Returns the first value of a query parameter. An empty value counts as absent.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }
}

/// Returns the operation of a method and path, with the instance and the queue if the path contains them.
fn route(method: &Method, path: &str) -> Option<(Operation, Option<(String, String)>)> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    let operation = match (method.as_str(), segments.as_slice()) {
        ("POST", ["queues", _, _, "associate-email-addresses"]) => Operation::AssociateQueueEmailAddresses,
        ("POST", ["queues", _, _, "disassociate-email-addresses"]) => {
            Operation::DisassociateQueueEmailAddresses
        }
        ("GET", ["queues", _, _, "email-addresses"]) => Operation::ListQueueEmailAddresses,
        ("POST", ["search-email-addresses"]) => Operation::SearchEmailAddresses,
        ("POST", ["search-queues"]) => Operation::SearchQueues,
        _ => return None,
    };
    let path = match segments.as_slice() {
        [_, instance, queue, _] => Some((decoded(instance), decoded(queue))),
        _ => None,
    };
    Some((operation, path))
}

/// Decodes a path segment. If its bytes are not UTF-8, the result is an identifier that matches nothing.
fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// Reads the body as JSON. An empty body counts as an empty object, as in the service.
fn parse_body(body: &Bytes) -> Result<Value, String> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))
}

/// Returns the identifiers of addresses in a body, as far as they can be found.
fn address_ids(operation: Operation, body: &Value) -> Vec<String> {
    let (list, member) = match operation {
        Operation::AssociateQueueEmailAddresses => (&body["EmailAddressesConfig"], Some("EmailAddressId")),
        Operation::DisassociateQueueEmailAddresses => (&body["EmailAddressesId"], None),
        Operation::ListQueueEmailAddresses | Operation::SearchEmailAddresses | Operation::SearchQueues => {
            return Vec::new();
        }
    };
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let ids = items.iter().map(|item| member.map_or(item, |member| &item[member]));
    ids.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Returns the response for a reply.
pub(crate) fn response(reply: Reply) -> Response<Bytes> {
    match reply {
        Ok(None) => with_body(StatusCode::OK, Bytes::new()),
        Ok(Some(body)) => with_body(StatusCode::OK, body.to_string()),
        Err(error) => {
            let mut response = with_body(error.status, json!({ "message": error.message }).to_string());
            // Only an injected fault can have a code that a header cannot contain. It is left out.
            if let Ok(code) = HeaderValue::from_str(&error.code) {
                response.headers_mut().insert(ERROR_TYPE, code);
            }
            response
        }
    }
}

/// Returns a response with a JSON body and its content type.
pub(crate) fn with_body(status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    let body = body.into();
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

/// Adds a request identifier to a response. It has the form of a UUID and counts up.
pub(crate) fn identify(response: &mut Response<Bytes>, number: u64) {
    let id = format!("00000000-0000-4000-8000-{:012x}", number & 0xFFFF_FFFF_FFFF);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
}

pub(crate) fn arn(instance: &str, kind: &str, id: &str) -> String {
    format!("arn:aws:connect:{REGION}:{ACCOUNT}:instance/{instance}/{kind}/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &str, uri: &str, body: &str) -> Option<Call> {
        let request = Request::builder().method(method).uri(uri).body(Bytes::from(body.to_owned()));
        Call::parse(request.unwrap())
    }

    #[test]
    fn paths_are_decoded_after_they_are_split() {
        let call = call("POST", "/queues/i%20n/q%2Fx%C3%A9/associate-email-addresses", "").unwrap();
        assert_eq!(call.queue_path(), ("i n", "q/xé"));
    }

    #[test]
    fn other_methods_and_paths_match_no_operation() {
        for (method, uri) in [
            ("GET", "/search-queues"),
            ("PUT", "/queues/i/q/associate-email-addresses"),
            ("GET", "/queues/i/email-addresses"),
            ("GET", "/queues/i/q/x/email-addresses"),
            ("GET", "/"),
        ] {
            assert!(call(method, uri, "").is_none(), "{method} {uri}");
        }
    }

    #[test]
    fn unreadable_call_is_recorded() {
        let uri = "/queues/i/q/associate-email-addresses";
        let body = r#"{"EmailAddressesConfig": [{"EmailAddressId": "a"}, 5, {"EmailAddressId": 6}], "ClientToken": 7}"#;
        let call = call("POST", uri, body).unwrap();
        assert_eq!(call.addresses, ["a"]);
        assert_eq!(call.client_token, None);
        let searched = super::tests::call("POST", "/search-queues", r#"{"InstanceId": "i"}"#).unwrap();
        assert_eq!(searched.instance, "i");
    }

    #[test]
    fn queries_are_decoded() {
        let call = call("GET", "/queues/i/q/email-addresses?nextToken=a%2Bb&maxResults=", "").unwrap();
        assert_eq!((call.query("nextToken"), call.query("maxResults")), (Some("a+b"), None));
    }
}
