//! A stand-in for SQS that implements SendMessageBatch and ChangeMessageVisibilityBatch, records their messages, and fails
//! on demand.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// Maximum size of a batch and of a message (SQS Developer Guide, "Amazon SQS message quotas").
const MAX_BYTES: usize = 1_048_576;

/// URL of the failures queue.
pub const FAILURES: &str = "https://sqs.eu-central-1.amazonaws.com/111122223333/failures";
/// URL of the continuation queue.
pub const CONTINUATION: &str = "https://sqs.eu-central-1.amazonaws.com/111122223333/associations";

/// The stand-in. Clones share their state.
#[derive(Debug, Clone, Default)]
pub struct Sqs {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    sent: Vec<Sent>,
    batches: usize,
    faults: Vec<SqsFault>,
    hidden: Vec<Hidden>,
    visibility_batches: usize,
    visibility_faults: Vec<SqsFault>,
}

/// A message that arrived.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The queue.
    pub queue_url: String,
    /// The body, parsed; `null` if it is nested too deeply.
    pub body: Value,
    /// The body as sent.
    pub text: String,
    /// Size of the body in bytes.
    pub bytes: usize,
    /// The message's `DelaySeconds`.
    pub delay: Duration,
}

/// A message whose visibility was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// The queue.
    pub queue_url: String,
    /// The message's receipt handle.
    pub receipt_handle: String,
    /// The visibility timeout.
    pub seconds: u64,
}

/// The fault of the next batch.
#[derive(Debug, Clone, Copy)]
pub enum SqsFault {
    /// SQS rejects the batch with this status.
    Status(u16),
    /// SQS rejects the first entry.
    FirstEntry {
        /// Whether the rejection is permanent.
        sender_fault: bool,
    },
    /// The response mentions the first entry neither as successful nor as failed.
    Forgotten,
    /// The connection breaks.
    Reset,
    /// SQS never responds.
    Hang,
}

impl Sqs {
    /// Sets the faults of the next SendMessageBatch calls.
    pub fn fail(&self, faults: impl IntoIterator<Item = SqsFault>) {
        self.state.lock().unwrap().faults = faults.into_iter().collect();
    }

    /// Sets the faults of the next ChangeMessageVisibilityBatch calls.
    pub fn fail_visibility(&self, faults: impl IntoIterator<Item = SqsFault>) {
        self.state.lock().unwrap().visibility_faults = faults.into_iter().collect();
    }

    /// Returns the visibility timeouts in the order in which they were set.
    pub fn hidden(&self) -> Vec<Hidden> {
        self.state.lock().unwrap().hidden.clone()
    }

    /// Returns each receipt handle with its visibility timeout in seconds.
    pub fn seconds(&self) -> Vec<(String, u64)> {
        self.hidden().into_iter().map(|hidden| (hidden.receipt_handle, hidden.seconds)).collect()
    }

    /// Returns the number of ChangeMessageVisibilityBatch calls.
    pub fn visibility_batches(&self) -> usize {
        self.state.lock().unwrap().visibility_batches
    }

    /// Returns the messages that arrived.
    pub fn sent(&self) -> Vec<Sent> {
        self.state.lock().unwrap().sent.clone()
    }

    /// Returns the bodies of the messages that arrived at a queue.
    pub fn sent_to(&self, queue_url: &str) -> Vec<Value> {
        self.sent().into_iter().filter(|sent| sent.queue_url == queue_url).map(|sent| sent.body).collect()
    }

    /// Returns the bodies as sent.
    pub fn raw_sent(&self) -> Vec<String> {
        self.sent().into_iter().map(|sent| sent.text).collect()
    }

    /// Returns the number of SendMessageBatch calls.
    pub fn batches(&self) -> usize {
        self.state.lock().unwrap().batches
    }

    /// Removes and returns the messages that arrived.
    pub fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut self.state.lock().unwrap().sent)
    }

    fn send(&self, request: &Value) -> Result<Value, SqsFault> {
        let mut state = self.state.lock().unwrap();
        state.batches += 1;
        let fault = next(&mut state.faults);
        let bodies = || entries(request).iter().map(|entry| entry["MessageBody"].as_str().unwrap());
        let bytes: usize = bodies().map(str::len).sum();
        assert!(bodies().flat_map(str::chars).all(is_accepted), "a character that SQS rejects");
        if bytes > MAX_BYTES {
            assert_eq!(bodies().count(), 1, "a batch of {bytes} bytes");
            return Err(SqsFault::Status(400));
        }
        answer(request, fault, |entry| {
            let body = entry["MessageBody"].as_str().unwrap();
            state.sent.push(Sent {
                queue_url: request["QueueUrl"].as_str().unwrap().to_owned(),
                body: serde_json::from_str(body).unwrap_or_default(),
                text: body.to_owned(),
                bytes: body.len(),
                delay: Duration::from_secs(entry["DelaySeconds"].as_u64().unwrap_or(0)),
            });
        })
    }

    fn set_visibility(&self, request: &Value) -> Result<Value, SqsFault> {
        let mut state = self.state.lock().unwrap();
        state.visibility_batches += 1;
        let fault = next(&mut state.visibility_faults);
        answer(request, fault, |entry| {
            state.hidden.push(Hidden {
                queue_url: request["QueueUrl"].as_str().unwrap().to_owned(),
                receipt_handle: entry["ReceiptHandle"].as_str().unwrap().to_owned(),
                seconds: entry["VisibilityTimeout"].as_u64().unwrap(),
            });
        })
    }
}

fn entries(request: &Value) -> &[Value] {
    request["Entries"].as_array().unwrap()
}

/// Returns the response to a batch, after `accept` has received each entry that the fault does not affect.
fn answer(
    request: &Value,
    fault: Option<SqsFault>,
    mut accept: impl FnMut(&Value),
) -> Result<Value, SqsFault> {
    let entries = entries(request);
    assert!((1..=10).contains(&entries.len()), "{} entries", entries.len());
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (number, entry) in entries.iter().enumerate() {
        let sender_fault = match fault {
            Some(SqsFault::FirstEntry { sender_fault }) if number == 0 => sender_fault,
            Some(SqsFault::Forgotten) if number == 0 => continue,
            Some(SqsFault::FirstEntry { .. } | SqsFault::Forgotten) | None => {
                accept(entry);
                successful.push(json!({ "Id": entry["Id"], "MessageId": "id", "MD5OfMessageBody": "" }));
                continue;
            }
            Some(other) => return Err(other),
        };
        failed.push(json!({ "Id": entry["Id"], "SenderFault": sender_fault, "Code": "Refused" }));
    }
    Ok(json!({ "Successful": successful, "Failed": failed }))
}

/// Returns whether SQS accepts a character in a message (SQS API reference, "SendMessage").
fn is_accepted(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn next(faults: &mut Vec<SqsFault>) -> Option<SqsFault> {
    if faults.is_empty() { None } else { Some(faults.remove(0)) }
}

impl HttpConnector for Sqs {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sqs = self.clone();
        HttpConnectorFuture::new(async move {
            let operation = request.headers().get("x-amz-target").unwrap().to_owned();
            let request: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            let answer = match operation.as_str() {
                "AmazonSQS.SendMessageBatch" => sqs.send(&request),
                "AmazonSQS.ChangeMessageVisibilityBatch" => sqs.set_visibility(&request),
                other => panic!("{other} was called"),
            };
            let (status, body) = match answer {
                Ok(answer) => (200, answer),
                Err(SqsFault::Status(status)) => (status, json!({ "__type": "com.amazonaws.sqs#Refused" })),
                Err(SqsFault::Hang) => std::future::pending().await,
                Err(_) => return Err(ConnectorError::io("the connection was closed".into())),
            };
            let status = StatusCode::try_from(status).unwrap();
            Ok(HttpResponse::new(status, SdkBody::from(body.to_string())))
        })
    }
}
