//! A stand-in for SQS in memory. It keeps the messages sent, enforces SQS's limits, and fails now and then.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use fastrand::Rng;
use serde_json::{Value, json};

pub(crate) const FAILURES: &str = "https://sqs.eu-central-1.amazonaws.com/111122223333/failures";
pub(crate) const CONTINUATION: &str = "https://sqs.eu-central-1.amazonaws.com/111122223333/requests";

/// SQS API reference, SendMessageBatch: the sum of all messages of a batch.
const BATCH_BYTES: usize = 1 << 20;

#[derive(Debug, Clone)]
pub(crate) struct Sqs {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    rng: Rng,
    /// The number of batches in ten that meet a fault.
    failing: u8,
    sent: Vec<Sent>,
    violation: Option<String>,
}

/// A message that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) to_failures: bool,
    pub(crate) body: String,
}

impl Sqs {
    pub(crate) fn new(seed: u64, failing: u8) -> Self {
        let state = State { rng: Rng::with_seed(seed), failing, sent: Vec::new(), violation: None };
        Sqs { state: Arc::new(Mutex::new(state)) }
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.lock().sent.clone()
    }

    pub(crate) fn violation(&self) -> Option<String> {
        self.lock().violation.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The status and the body of the answer; nothing where the connection breaks.
    fn answer(&mut self, operation: &str, request: &Value) -> Option<(u16, Value)> {
        match operation {
            "AmazonSQS.SendMessageBatch" => self.send(request),
            "AmazonSQS.ChangeMessageVisibilityBatch" => self.set_visibility(request),
            _ => {
                self.violation = Some(format!("{operation:?} was called"));
                None
            }
        }
    }

    fn set_visibility(&mut self, request: &Value) -> Option<(u16, Value)> {
        let entries = request["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        let in_range = |entry: &Value| entry["VisibilityTimeout"].as_u64().is_some_and(|s| s <= 43_200);
        if entries.is_empty() || entries.len() > 10 || !entries.iter().all(in_range) {
            self.violation = Some(format!("visibility that SQS refuses was set: {request}"));
        }
        if self.rng.u8(0..10) < self.failing {
            return self.rng.bool().then(|| (403, json!({ "__type": "com.amazonaws.sqs#AccessDenied" })));
        }
        let successful: Vec<Value> = entries.iter().map(|entry| json!({ "Id": entry["Id"] })).collect();
        Some((200, json!({ "Successful": successful, "Failed": [] })))
    }

    fn send(&mut self, request: &Value) -> Option<(u16, Value)> {
        let entries = request["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        let bodies = || entries.iter().filter_map(|entry| entry["MessageBody"].as_str());
        let bytes: usize = bodies().map(str::len).sum();
        if entries.is_empty() || entries.len() > 10 {
            self.violation = Some(format!("a batch of {} messages was sent", entries.len()));
        }
        if bytes > BATCH_BYTES {
            if entries.len() > 1 {
                self.violation =
                    Some(format!("a batch of {} messages and {bytes} bytes was sent", entries.len()));
            }
            return Some((400, json!({ "__type": "com.amazonaws.sqs#BatchRequestTooLong" })));
        }
        if bodies().any(|body| !body.chars().all(is_accepted)) {
            self.violation = Some("a message with a character that SQS refuses was sent".to_owned());
            return Some((400, json!({ "__type": "com.amazonaws.sqs#InvalidMessageContents" })));
        }
        let fault = if self.rng.u8(0..10) < self.failing { self.rng.u8(0..4) } else { u8::MAX };
        match fault {
            0 => return Some((500, json!({ "__type": "com.amazonaws.sqs#InternalFailure" }))),
            1 => return None,
            _ => {}
        }
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for (number, entry) in entries.iter().enumerate() {
            match (fault, number) {
                (2, 0) => {
                    failed.push(
                        json!({ "Id": entry["Id"], "SenderFault": self.rng.bool(), "Code": "Refused" }),
                    );
                    continue;
                }
                // In neither list of the answer.
                (3, 0) => continue,
                _ => {}
            }
            self.sent.push(Sent {
                to_failures: request["QueueUrl"] == FAILURES,
                body: entry["MessageBody"].as_str().unwrap_or_default().to_owned(),
            });
            successful.push(json!({ "Id": entry["Id"], "MessageId": "id", "MD5OfMessageBody": "" }));
        }
        Some((200, json!({ "Successful": successful, "Failed": failed })))
    }
}

/// SQS API reference, SendMessage: the characters that a message may hold.
fn is_accepted(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

impl HttpConnector for Sqs {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or(Value::Null);
        let operation = request.headers().get("x-amz-target").unwrap_or_default();
        let answer = self.lock().answer(operation, &body);
        HttpConnectorFuture::new(async move {
            let broken = || ConnectorError::io("the connection was closed".into());
            let (status, body) = answer.ok_or_else(broken)?;
            let status =
                StatusCode::try_from(status).map_err(|error| ConnectorError::other(error.into(), None))?;
            Ok(HttpResponse::new(status, SdkBody::from(body.to_string())))
        })
    }
}
