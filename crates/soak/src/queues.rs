//! A stand-in for SQS: a source queue that delivers at least once, and a failures queue that is its dead-letter queue
//! too. Its two operations fail now and then, in all ways that SQS's can.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use http::Request;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::http_server::{Handler, answer};

pub(crate) const SOURCE_URL: &str = "https://sqs.eu-central-1.amazonaws.com/111122223333/associations";
pub(crate) const FAILURES_URL: &str = "https://sqs.eu-central-1.amazonaws.com/111122223333/failures";

/// The time for which a delivered message stays hidden, and the number of its deliveries.
const VISIBILITY: Duration = Duration::from_secs(12);
const DELIVERIES: u32 = 6;
/// The longest delay. Longer delays are cut to it, so that a run of minutes shows the work of hours.
const LONGEST_DELAY: Duration = Duration::from_secs(3);
/// The number of sent batches in a hundred that meet a fault.
const FAILING: u32 = 12;

#[derive(Clone)]
pub(crate) struct Queues {
    state: Arc<Mutex<State>>,
}

struct State {
    rng: Rng,
    next: u64,
    source: VecDeque<Message>,
    /// Bodies that the function sent to the failures queue.
    failures: Vec<String>,
    dead_letters: Vec<String>,
    continued: u64,
    sending_faults: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) deliveries: u32,
    visible: Instant,
}

/// The messages that went through the queues.
#[derive(Debug, Clone)]
pub(crate) struct Through {
    pub(crate) left: Vec<String>,
    pub(crate) failures: Vec<String>,
    pub(crate) dead_letters: Vec<String>,
    pub(crate) continued: u64,
    pub(crate) sending_faults: u64,
}

impl Queues {
    pub(crate) fn new(seed: u64) -> Self {
        let state = State {
            rng: Rng::with_seed(seed),
            next: 0,
            source: VecDeque::new(),
            failures: Vec::new(),
            dead_letters: Vec::new(),
            continued: 0,
            sending_faults: 0,
        };
        Queues { state: Arc::new(Mutex::new(state)) }
    }

    pub(crate) fn send(&self, body: String) {
        self.lock().push(body, Duration::ZERO);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().source.is_empty()
    }

    /// Up to ten visible messages. A message that was delivered too often goes to the dead-letter queue instead.
    pub(crate) fn receive(&self) -> Vec<Message> {
        let now = Instant::now();
        let mut state = self.lock();
        let (dead, alive) = std::mem::take(&mut state.source)
            .into_iter()
            .partition::<VecDeque<_>, _>(|m| m.visible <= now && m.deliveries >= DELIVERIES);
        state.source = alive;
        state.dead_letters.extend(dead.into_iter().map(|message| message.body));
        let visible = state.source.iter_mut().filter(|message| message.visible <= now).take(10);
        visible
            .map(|message| {
                message.visible = now + VISIBILITY;
                message.deliveries += 1;
                message.clone()
            })
            .collect()
    }

    /// Acts on the answer to a batch. A message that is not listed is done.
    pub(crate) fn settle(&self, batch: &[Message], listed: &[String]) {
        self.lock().source.retain(|message| {
            !batch.iter().any(|delivered| delivered.id == message.id) || listed.contains(&message.id)
        });
    }

    pub(crate) fn through(&self) -> Through {
        let state = self.lock();
        Through {
            left: state.source.iter().map(|message| message.body.clone()).collect(),
            failures: state.failures.clone(),
            dead_letters: state.dead_letters.clone(),
            continued: state.continued,
            sending_faults: state.sending_faults,
        }
    }

    pub(crate) fn handler(&self) -> Handler {
        let queues = self.clone();
        Arc::new(move |request: Request<Bytes>| {
            let queues = queues.clone();
            Box::pin(async move {
                let sets_visibility = request
                    .headers()
                    .get("x-amz-target")
                    .is_some_and(|operation| operation == "AmazonSQS.ChangeMessageVisibilityBatch");
                let request: Value = serde_json::from_slice(request.body()).unwrap_or_default();
                let (status, body, delay) = if sets_visibility {
                    queues.lock().set_visibility(&request)?
                } else {
                    queues.lock().send_batch(&request)?
                };
                tokio::time::sleep(delay).await;
                Some(answer(status, &body))
            })
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, body: String, delay: Duration) {
        self.next += 1;
        let visible = Instant::now() + delay;
        self.source.push_back(Message { id: format!("m{}", self.next), body, deliveries: 0, visible });
    }

    /// A message's receipt handle is its identifier. Gives nothing if the connection breaks.
    fn set_visibility(&mut self, request: &Value) -> Option<(u16, Value, Duration)> {
        if self.rng.u32(0..100) < FAILING {
            let refusal = || (403, json!({ "__type": "com.amazonaws.sqs#AccessDenied" }), Duration::ZERO);
            return self.rng.bool().then(refusal);
        }
        let now = Instant::now();
        let mut successful = Vec::new();
        for entry in request["Entries"].as_array().into_iter().flatten() {
            let seconds = Duration::from_secs(entry["VisibilityTimeout"].as_u64().unwrap_or(0));
            let message = self.source.iter_mut().find(|message| entry["ReceiptHandle"] == *message.id);
            if let Some(message) = message {
                message.visible = now + seconds.min(LONGEST_DELAY);
            }
            successful.push(json!({ "Id": entry["Id"] }));
        }
        Some((200, json!({ "Successful": successful, "Failed": [] }), Duration::ZERO))
    }

    /// Gives nothing if the connection breaks.
    fn send_batch(&mut self, request: &Value) -> Option<(u16, Value, Duration)> {
        let fault = if self.rng.u32(0..100) < FAILING { self.rng.u8(0..6) } else { u8::MAX };
        self.sending_faults += u64::from(fault != u8::MAX);
        let mut delay = Duration::ZERO;
        match fault {
            0 => return Some((500, json!({ "__type": "com.amazonaws.sqs#InternalFailure" }), delay)),
            1 => return Some((403, json!({ "__type": "com.amazonaws.sqs#RequestThrottled" }), delay)),
            2 => return None,
            3 => delay = Duration::from_secs(2),
            _ => {}
        }
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for (number, entry) in request["Entries"].as_array().into_iter().flatten().enumerate() {
            if fault == 4 && number == 0 {
                failed.push(json!({ "Id": entry["Id"], "SenderFault": false, "Code": "InternalError" }));
                continue;
            }
            let body = entry["MessageBody"].as_str().unwrap_or_default().to_owned();
            if request["QueueUrl"] == FAILURES_URL {
                self.failures.push(body);
            } else {
                let seconds = Duration::from_secs(entry["DelaySeconds"].as_u64().unwrap_or(0));
                self.push(body, seconds.min(LONGEST_DELAY));
                self.continued += 1;
            }
            successful.push(json!({ "Id": entry["Id"], "MessageId": "id", "MD5OfMessageBody": "" }));
        }
        // The batch was sent, and the sender gets no answer.
        if fault == 5 {
            return None;
        }
        Some((200, json!({ "Successful": successful, "Failed": failed }), delay))
    }
}
