//! Arrangements that many tests share.

use connect_simulator::{Effect, Fault, Fixture, Operation, Options};
use serde_json::{Value, json};

use crate::sqs::{CONTINUATION, FAILURES};
use crate::world::{INSTANCE, World, default_quota};

pub const ASSOCIATE: Operation = Operation::AssociateQueueEmailAddresses;
pub const LIST: Operation = Operation::ListQueueEmailAddresses;

pub const FAILURES_QUEUE: (&str, &str) = ("FAILURES_QUEUE_URL", FAILURES);
pub const CONTINUATION_QUEUE: (&str, &str) = ("CONTINUATION_QUEUE_URL", CONTINUATION);
pub const BOTH_QUEUES: [(&str, &str); 2] = [FAILURES_QUEUE, CONTINUATION_QUEUE];
pub const ONE_ATTEMPT: (&str, &str) = ("MAX_ATTEMPTS", "1");

/// Returns a world in memory with the default quota of AWS.
pub fn with_quota(fixture: Fixture, variables: &[(&str, &str)]) -> World {
    World::in_memory(Options { fixture, quota: default_quota(), ..Options::default() }, variables)
}

pub fn error(status: u16, code: &str, message: &str) -> Effect {
    Effect::Error { status, code: code.to_owned(), message: message.to_owned() }
}

/// Returns an error that may pass.
pub fn unwell() -> Effect {
    error(500, "Unwell", "try later")
}

pub fn limit_exceeded() -> Effect {
    error(429, "LimitExceededException", "too many")
}

pub fn on(operation: Operation, effect: Effect) -> Fault {
    Fault::new(effect).on(operation)
}

pub fn on_address(address: &str, effect: Effect) -> Fault {
    Fault { address: Some(address.to_owned()), ..Fault::new(effect) }
}

pub fn on_queue(queue: &str, effect: Effect) -> Fault {
    Fault { queue: Some(queue.to_owned()), ..Fault::new(effect) }
}

/// Returns a request with the given entries.
pub fn entries(associations: impl Into<Value>) -> Value {
    json!({ "instanceId": INSTANCE, "associations": associations.into() })
}

/// Returns a request for an address on a queue, in the short form.
pub fn pair(queue: &str, address: &str) -> Value {
    json!({ "instanceId": INSTANCE, "queueId": queue, "emailAddressId": address })
}

/// Returns a request for the address `e0` on each of the queues `q<start>` to `q<end - 1>`.
pub fn one_pair_a_queue(queues: std::ops::Range<usize>) -> Value {
    let entry = |queue| json!({ "queueId": format!("q{queue}"), "emailAddressId": "e0" });
    entries(queues.map(entry).collect::<Vec<_>>())
}

/// Returns a request whose report contains its retryable failures, instead of an error.
pub fn reported(mut request: Value) -> Value {
    request["failOnRetryable"] = json!(false);
    request
}

pub fn event(detail: &Value) -> Value {
    json!({ "id": "event-1", "source": "s", "detail-type": "t", "detail": detail })
}

pub fn sns(messages: &[&Value]) -> Value {
    let record = |message: &&Value| {
        let message = message.to_string();
        json!({ "EventSource": "aws:sns", "Sns": { "MessageId": "notification-1", "Message": message } })
    };
    json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() })
}

/// Sets the number of deliveries of each message in a batch.
pub fn received(mut batch: Value, count: usize) -> Value {
    for record in batch["Records"].as_array_mut().unwrap() {
        record["attributes"]["ApproximateReceiveCount"] = json!(count.to_string());
    }
    batch
}

/// Puts the messages of a batch on a FIFO queue, each in its group.
pub fn on_fifo(mut batch: Value, groups: &[Option<&str>]) -> Value {
    for (record, group) in batch["Records"].as_array_mut().unwrap().iter_mut().zip(groups) {
        record["eventSourceARN"] = json!("arn:aws:sqs:eu-central-1:111122223333:associations.fifo");
        record["attributes"]["MessageGroupId"] = json!(group);
    }
    batch
}

/// Returns some counts of a report.
pub fn counts<const N: usize>(report: &Value, names: [&str; N]) -> [u64; N] {
    names.map(|name| report[name].as_u64().unwrap())
}

pub fn failures(report: &Value) -> &[Value] {
    report["failures"].as_array().unwrap()
}

/// Returns the error of each failure, and whether it is retryable.
pub fn errors(report: &Value) -> Vec<(&str, bool)> {
    let error = |failure: &Value| failure["retryable"].as_bool().unwrap();
    failures(report).iter().map(|failure| (failure["error"].as_str().unwrap(), error(failure))).collect()
}

/// Returns the number of failures with the given error.
pub fn count_errors(report: &Value, error: &str) -> usize {
    failures(report).iter().filter(|failure| failure["error"] == error).count()
}

pub fn message(failure: &Value) -> &str {
    failure["message"].as_str().unwrap()
}

/// Returns the client token of each AssociateQueueEmailAddresses call.
pub fn tokens(world: &World) -> Vec<String> {
    world.calls(ASSOCIATE).into_iter().map(|call| call.client_token.unwrap()).collect()
}

pub fn on_a_paused_clock<F: Future>(future: F) -> F::Output {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap().block_on(future)
}
