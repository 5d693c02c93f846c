//! A stand-in for SQS that answers SendMessageBatch where it is called, keeps what was sent, and fails as told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

pub const FAILURES: &str = "https://sqs.eu-central-1.amazonaws.com/111122223333/failures";
pub const CONTINUATION: &str = "https://sqs.eu-central-1.amazonaws.com/111122223333/associations";

#[derive(Debug, Clone, Default)]
pub struct Sqs {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    sent: Vec<Sent>,
    batches: usize,
    faults: Vec<SqsFault>,
}

/// A message that arrived.
#[derive(Debug, Clone)]
pub struct Sent {
    pub queue_url: String,
    pub body: Value,
    pub text: String,
    pub bytes: usize,
    pub delay: Duration,
}

/// What becomes of the next batch.
#[derive(Debug, Clone, Copy)]
pub enum SqsFault {
    /// It is refused with this status.
    Status(u16),
    /// Its first entry is refused; the flag says whether the sender is at fault.
    FirstEntry { sender_fault: bool },
    /// Its first entry is in neither list of the answer.
    Forgotten,
    /// The connection breaks.
    Reset,
    /// It is never answered.
    Hang,
}

impl Sqs {
    pub fn fail(&self, faults: impl IntoIterator<Item = SqsFault>) {
        self.state.lock().unwrap().faults = faults.into_iter().collect();
    }

    pub fn sent(&self) -> Vec<Sent> {
        self.state.lock().unwrap().sent.clone()
    }

    pub fn sent_to(&self, queue_url: &str) -> Vec<Value> {
        self.sent().into_iter().filter(|sent| sent.queue_url == queue_url).map(|sent| sent.body).collect()
    }

    /// The bodies as they were sent.
    pub fn raw_sent(&self) -> Vec<String> {
        self.sent().into_iter().map(|sent| sent.text).collect()
    }

    pub fn batches(&self) -> usize {
        self.state.lock().unwrap().batches
    }

    /// Takes everything that was sent.
    pub fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut self.state.lock().unwrap().sent)
    }

    fn send(&self, request: &Value) -> Result<Value, SqsFault> {
        let mut state = self.state.lock().unwrap();
        state.batches += 1;
        let fault = if state.faults.is_empty() { None } else { Some(state.faults.remove(0)) };
        let entries = request["Entries"].as_array().unwrap();
        let bytes: usize = entries.iter().map(|entry| entry["MessageBody"].as_str().unwrap().len()).sum();
        assert!(entries.len() <= 10 && bytes <= 1_048_576, "{} entries, {bytes} bytes", entries.len());
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for (number, entry) in entries.iter().enumerate() {
            match fault {
                Some(SqsFault::FirstEntry { sender_fault }) if number == 0 => {
                    failed.push(json!({ "Id": entry["Id"], "SenderFault": sender_fault, "Code": "Refused" }));
                    continue;
                }
                Some(SqsFault::Forgotten) if number == 0 => continue,
                Some(SqsFault::FirstEntry { .. } | SqsFault::Forgotten) | None => {}
                Some(other) => return Err(other),
            }
            let body = entry["MessageBody"].as_str().unwrap();
            state.sent.push(Sent {
                queue_url: request["QueueUrl"].as_str().unwrap().to_owned(),
                body: serde_json::from_str(body).unwrap(),
                text: body.to_owned(),
                bytes: body.len(),
                delay: Duration::from_secs(entry["DelaySeconds"].as_u64().unwrap_or(0)),
            });
            successful.push(json!({ "Id": entry["Id"], "MessageId": "id", "MD5OfMessageBody": "" }));
        }
        Ok(json!({ "Successful": successful, "Failed": failed }))
    }
}

impl HttpConnector for Sqs {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sqs = self.clone();
        HttpConnectorFuture::new(async move {
            let request: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            let (status, body) = match sqs.send(&request) {
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
