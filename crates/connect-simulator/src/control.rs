//! The control endpoints, for scripts and tests in other languages.
//!
//! | request | effect |
//! | --- | --- |
//! | `GET /_simulator/calls` | returns the recorded calls, as a JSON array |
//! | `DELETE /_simulator/calls` | deletes the recorded calls |
//! | `GET /_simulator/associations` | returns the associations, as a JSON object by instance and queue |
//! | `POST /_simulator/faults` | adds a fault |
//! | `DELETE /_simulator/faults` | removes every fault |
//! | `POST /_simulator/fixture` | adds the content of a fixture |
//! | `PUT /_simulator/quota` | sets the quota, for example `{"rate": 2, "burst": 5}` |
//!
//! An endpoint without content returns status 204. A malformed request gets status 400 and a `message`.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{Connect, wire};

/// Prefix of the path of each control endpoint. No path of an operation starts with it.
pub(crate) const PREFIX: &str = "/_simulator/";

/// The content of an endpoint, or the reason for a rejected request.
type Outcome = Result<Option<Value>, (StatusCode, String)>;

/// Returns the response of an endpoint. The times of calls are relative to `start`.
pub(crate) fn answer(
    endpoint: &str,
    request: &Request<Bytes>,
    connect: &Connect,
    start: Instant,
) -> Response<Bytes> {
    match act(endpoint, request, connect, start) {
        Ok(Some(body)) => wire::with_body(StatusCode::OK, body.to_string()),
        Ok(None) => {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        Err((status, message)) => wire::with_body(status, json!({ "message": message }).to_string()),
    }
}

fn act(endpoint: &str, request: &Request<Bytes>, connect: &Connect, start: Instant) -> Outcome {
    match (request.method().as_str(), endpoint) {
        ("GET", "calls") => {
            return Ok(Some(connect.calls().iter().map(|call| call.to_json(start)).collect()));
        }
        ("GET", "associations") => return Ok(Some(json!(connect.associations()))),
        ("DELETE", "calls") => connect.clear_calls(),
        ("DELETE", "faults") => connect.clear_faults(),
        ("POST", "faults") => connect.inject(read(request)?),
        ("POST", "fixture") => connect.add(read(request)?),
        ("PUT", "quota") => connect.set_quota(read(request)?),
        (method, _) => {
            let message = format!("{method} {PREFIX}{endpoint} is not a control endpoint");
            return Err((StatusCode::NOT_FOUND, message));
        }
    }
    Ok(None)
}

fn read<T: DeserializeOwned>(request: &Request<Bytes>) -> Result<T, (StatusCode, String)> {
    serde_json::from_slice(request.body()).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;

    fn ask(connect: &Connect, method: &str, endpoint: &str, body: &str) -> (u16, Value) {
        let request = Request::builder().method(method).body(Bytes::from(body.to_owned())).unwrap();
        let response = answer(endpoint, &request, connect, Instant::now());
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        (response.status().as_u16(), body)
    }

    #[test]
    fn endpoints_read_and_change_the_service() {
        let connect = Connect::new(Options::default());
        let fixture = r#"{"instances": {"i": {"queues": {"q": {"emailAddressIds": ["a"]}}}}}"#;
        assert_eq!(ask(&connect, "POST", "fixture", fixture), (204, Value::Null));
        let associations = json!({ "i": { "q": ["a"] } });
        assert_eq!(ask(&connect, "GET", "associations", ""), (200, associations));

        assert_eq!(ask(&connect, "PUT", "quota", r#"{"rate": 0, "burst": 1}"#).0, 204);
        for (status, error) in [(200, None), (429, Some("TooManyRequestsException"))] {
            let list = Request::get("/queues/i/q/email-addresses").body(Bytes::new()).unwrap();
            let response = connect.answer(list, Instant::now()).response.unwrap();
            assert_eq!(response.status(), status);
            let (_, calls) = ask(&connect, "GET", "calls", "");
            let last = calls.as_array().unwrap().last().unwrap().clone();
            assert_eq!(
                (&last["status"], last.get("error")),
                (&json!(status), error.map(Value::from).as_ref())
            );
        }
        assert_eq!(ask(&connect, "DELETE", "calls", "").0, 204);
        assert_eq!(ask(&connect, "GET", "calls", ""), (200, json!([])));

        assert_eq!(ask(&connect, "POST", "faults", r#"{"effect": "reset"}"#).0, 204);
        let list = || Request::get("/queues/i/q/email-addresses").body(Bytes::new()).unwrap();
        assert!(connect.answer(list(), Instant::now()).response.is_none());
        assert_eq!(ask(&connect, "DELETE", "faults", "").0, 204);
        assert!(connect.answer(list(), Instant::now()).response.is_some());
    }

    #[test]
    fn invalid_requests_are_rejected_with_a_reason() {
        let connect = Connect::new(Options::default());
        let cases = [
            ("POST", "faults", "{}", 400, "missing field `effect` at line 1 column 2"),
            ("GET", "nothing", "", 404, "GET /_simulator/nothing is not a control endpoint"),
        ];
        for (method, endpoint, body, status, message) in cases {
            assert_eq!(ask(&connect, method, endpoint, body), (status, json!({ "message": message })));
        }
    }
}
