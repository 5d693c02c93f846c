//! Tests sending on and redelivery against a real implementation of SQS. `scripts/local/sqs` starts a server and runs
//! these tests.
//!
//! `cargo test` does not run them (`test = false` in `Cargo.toml`), because they need a server.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot continue fails")]

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use connect_simulator::{Connect, Effect, Fault, Fixture, Options, Server};
use queue_email_associator::invocation::{Function, Invocation};
use queue_email_associator::sdk::{self, LazyClient};
use queue_email_associator::settings::Settings;
use serde_json::{Value, json};
use tokio::time::Instant;

const INSTANCE: &str = "11111111-2222-3333-4444-555555555555";

struct World {
    connect: Connect,
    _server: Server,
    sqs: LazyClient<aws_sdk_sqs::Client>,
    function: Function,
    failures: String,
    continuation: String,
    /// The source queue, with the visibility timeout of the template.
    source: String,
}

impl World {
    async fn new(name: &str, fixture: Fixture) -> Self {
        let endpoint = std::env::var("SQS_ENDPOINT").expect("SQS_ENDPOINT: scripts/local/sqs sets it");
        let connect = Connect::new(Options { fixture, ..Options::default() });
        let server = Server::start(connect.clone()).unwrap();
        let credentials = SharedCredentialsProvider::new(Credentials::for_tests());
        let mut variables = vec![
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ENDPOINT_URL_CONNECT", server.endpoint()),
            ("AWS_ENDPOINT_URL_SQS", endpoint),
            ("CONNECT_REQUESTS_PER_SECOND", "10000".to_owned()),
            ("CONNECT_BURST", "10000".to_owned()),
            ("BACKOFF_MAX_MS", "5".to_owned()),
            ("BACKOFF_INITIAL_MS", "1".to_owned()),
            ("MAX_ATTEMPTS", "2".to_owned()),
        ];
        let sqs = sdk::sqs_client(&settings(&variables), credentials.clone(), sdk::http_client());
        let mut urls = Vec::new();
        for queue in ["failures", "continuation", "source"] {
            let created = sqs
                .create_queue()
                .queue_name(format!("{name}-{queue}"))
                .attributes(QueueAttributeName::MaximumMessageSize, "1048576")
                .attributes(QueueAttributeName::VisibilityTimeout, visibility_of_the_template())
                .send()
                .await
                .unwrap();
            urls.push(created.queue_url.unwrap());
        }
        variables.push(("FAILURES_QUEUE_URL", urls[0].clone()));
        variables.push(("CONTINUATION_QUEUE_URL", urls[1].clone()));
        let settings = settings(&variables);
        let client = sdk::connect_client(&settings, credentials, sdk::http_client());
        let function = Function::new(settings, client, sqs.clone());
        let [failures, continuation, source] = urls.try_into().unwrap();
        World { connect, _server: server, sqs, function, failures, continuation, source }
    }

    /// Delivers bodies as a batch. Returns the messages to redeliver.
    async fn deliver(&self, bodies: &[Value]) -> Vec<String> {
        let records: Vec<Value> = bodies
            .iter()
            .enumerate()
            .map(|(number, body)| {
                let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
                json!({ "messageId": format!("m{number}"), "eventSource": "aws:sqs", "body": body })
            })
            .collect();
        self.invoke(&records).await
    }

    /// Delivers records as a batch. Returns the listed messages.
    async fn invoke(&self, records: &[Value]) -> Vec<String> {
        let payload = json!({ "Records": records }).to_string();
        let ends = Instant::now() + Duration::from_secs(60);
        let invocation = Invocation { request_id: "r", ends, intent: None, observer: None };
        let answer = self.function.invoke(payload.as_bytes(), invocation).await.unwrap();
        let answer = serde_json::to_value(answer).unwrap();
        let listed = answer["batchItemFailures"].as_array().unwrap();
        listed.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
    }

    /// Sends a message to the source queue, and returns its identifier.
    async fn send(&self, body: &Value) -> String {
        let sent = self.sqs.send_message().queue_url(&self.source).message_body(body.to_string()).send();
        sent.await.unwrap().message_id.unwrap()
    }

    /// Receives the visible messages of the source queue, as the records of an event source mapping.
    async fn receive(&self) -> Vec<Value> {
        let name = self.source.rsplit('/').next().unwrap();
        let received = self
            .sqs
            .receive_message()
            .queue_url(&self.source)
            .max_number_of_messages(10)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await
            .unwrap();
        let record = |message: aws_sdk_sqs::types::Message| {
            let count = MessageSystemAttributeName::ApproximateReceiveCount;
            json!({
                "messageId": message.message_id,
                "receiptHandle": message.receipt_handle,
                "body": message.body,
                "attributes": { "ApproximateReceiveCount": message.attributes.unwrap()[&count] },
                "eventSource": "aws:sqs",
                "eventSourceARN": format!("arn:aws:sqs:us-east-1:123456789012:{name}"),
            })
        };
        received.messages.unwrap_or_default().into_iter().map(record).collect()
    }

    /// Waits until a received message is visible again.
    async fn show(&self, record: &Value) {
        let handle = record["receiptHandle"].as_str().unwrap();
        let change = self.sqs.change_message_visibility().queue_url(&self.source);
        change.receipt_handle(handle).visibility_timeout(0).send().await.unwrap();
    }

    /// Receives and deletes all visible messages of a queue.
    async fn take(&self, queue_url: &str) -> Vec<Value> {
        let mut bodies = Vec::new();
        loop {
            let received = self
                .sqs
                .receive_message()
                .queue_url(queue_url)
                .max_number_of_messages(10)
                .message_system_attribute_names(MessageSystemAttributeName::All)
                .send()
                .await
                .unwrap();
            let Some(messages) = received.messages.filter(|messages| !messages.is_empty()) else {
                return bodies;
            };
            for message in messages {
                bodies.push(serde_json::from_str(&message.body.unwrap()).unwrap());
                let handle = message.receipt_handle.unwrap();
                self.sqs.delete_message().queue_url(queue_url).receipt_handle(handle).send().await.unwrap();
            }
        }
    }

    /// Returns the number of delayed messages in a queue.
    async fn delayed(&self, queue_url: &str) -> String {
        let attributes = self
            .sqs
            .get_queue_attributes()
            .queue_url(queue_url)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesDelayed)
            .send()
            .await
            .unwrap();
        attributes.attributes.unwrap()[&QueueAttributeName::ApproximateNumberOfMessagesDelayed].clone()
    }
}

/// The source queue's `VisibilityTimeout`.
fn visibility_of_the_template() -> &'static str {
    let lines = include_str!("../template.yaml").lines();
    let mut found = lines.filter_map(|line| line.trim().strip_prefix("VisibilityTimeout: "));
    found.next().expect("the template's source queue has a VisibilityTimeout")
}

/// Returns the number of seconds, from when it was sent, for which the server hides the message whose body contains the
/// given text.
fn hidden_seconds(part_of_body: &str, until: &str) -> u64 {
    let endpoint = std::env::var("SQS_ENDPOINT").unwrap();
    let mut server = TcpStream::connect(endpoint.strip_prefix("http://").unwrap()).unwrap();
    server.write_all(b"GET /moto-api/data.json HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    server.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let state: Value = serde_json::from_str(body).unwrap();
    let messages = state["sqs"]["Message"].as_array().unwrap();
    let message =
        messages.iter().find(|message| message["body"].as_str().unwrap().contains(part_of_body)).unwrap();
    let hidden = message[until].as_f64().unwrap() - message["sent_timestamp"].as_f64().unwrap();
    (hidden / 1000.0) as u64
}

fn settings(variables: &[(&str, String)]) -> Settings {
    Settings::read(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone()))
        .unwrap()
}

fn request(queue: &str, addresses: &[&str]) -> Value {
    json!({ "instanceId": INSTANCE, "associations": [{ "queueId": queue, "emailAddressIds": addresses }] })
}

fn fixture() -> Fixture {
    Fixture::new().with_queue(INSTANCE, "q0", "Queue 0").with_queue(INSTANCE, "q1", "Queue 1").with_address(
        INSTANCE,
        "e0",
        "e0@brand.example",
    )
}

#[tokio::test]
async fn failures_arrive_in_batches_and_can_be_redriven() {
    let world = World::new("redriven", fixture()).await;
    // More than two batches of SendMessageBatch.
    let bodies: Vec<Value> = (0..25)
        .map(|number| match number {
            24 => json!("not JSON at all \u{1F4E7} <&>"),
            _ => request("q0", &["e0", &format!("late{number}")]),
        })
        .collect();
    assert_eq!(world.deliver(&bodies).await, [""; 0]);
    let failures = world.take(&world.failures).await;
    assert_eq!(failures.len(), 25);
    assert!(failures.iter().any(|body| body["unreadable"] == "not JSON at all \u{1F4E7} <&>"));
    let mut fixed = fixture();
    for number in 0..24 {
        fixed = fixed.with_address(INSTANCE, format!("late{number}"), format!("late{number}@brand.example"));
    }
    world.connect.add(fixed);
    assert_eq!(world.deliver(&failures).await, [""; 0]);
    assert_eq!(world.connect.associated(INSTANCE, "q0").len(), 25);
    let again = world.take(&world.failures).await;
    assert_eq!(again.len(), 1, "{again:?}");
    assert_eq!(again[0]["unreadable"], "not JSON at all \u{1F4E7} <&>");
}

#[tokio::test]
async fn message_above_the_size_limit_arrives_in_parts() {
    let world = World::new("large", fixture()).await;
    world.connect.inject(Fault::new(Effect::Error {
        status: 403,
        code: "AccessDeniedException".to_owned(),
        message: "x".repeat(500),
    }));
    let addresses: Vec<String> = (0..2_000).map(|number| format!("{number:0>400}")).collect();
    let references: Vec<&str> = addresses.iter().map(String::as_str).collect();
    assert_eq!(world.deliver(&[request("q0", &references)]).await, [""; 0]);
    let parts = world.take(&world.failures).await;
    assert!(parts.len() > 1);
    let arrived: BTreeSet<String> = parts
        .iter()
        .flat_map(|part| part["associations"].as_array().unwrap().clone())
        .flat_map(|entry| entry["emailAddressIds"].as_array().unwrap().clone())
        .map(|address| address.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(arrived.len(), 2_000);
}

/// Maximum number of seconds between sending a message and setting its visibility timeout on a busy machine.
const SLACK: u64 = 12;

#[tokio::test]
async fn mistyped_name_is_in_the_failures_queue_in_under_three_minutes() {
    let world = World::new("mistyped", fixture()).await;
    let misnamed = json!({ "queueName": "Biling", "emailAddressId": "e0" });
    let right = json!({ "queueId": "q0", "emailAddressId": "e0" });
    let request = |reference: &str, entries: &[&Value]| json!({ "instanceId": INSTANCE, "reference": reference, "associations": entries });
    let own = world.send(&request("mistyped-own", &[&misnamed])).await;
    world.send(&request("mistyped-mixed", &[&misnamed, &right])).await;
    let records = world.receive().await;
    assert_eq!(world.invoke(&records).await, std::slice::from_ref(&own));
    // The first message is hidden for a minute. The continuation of the other is delayed for half a minute.
    let seconds = hidden_seconds("mistyped-own", "visible_at");
    assert!((60..=60 + SLACK).contains(&seconds), "{seconds} s");
    assert_eq!(world.delayed(&world.continuation).await, "1");
    let seconds = hidden_seconds("\"continued\":true", "delayed_until");
    assert_eq!(seconds, 30);
    world.show(records.iter().find(|record| record["messageId"] == own).unwrap()).await;
    let again = world.receive().await;
    assert_eq!(again.len(), 1);
    assert_eq!(world.invoke(&again).await, [""; 0]);
    let continued = json!({ "reference": "mistyped-mixed", "continued": true, "instanceId": INSTANCE, "associations": [misnamed] });
    let record = json!({ "messageId": "c", "eventSource": "aws:sqs", "body": continued.to_string(),
                         "attributes": { "ApproximateReceiveCount": "1" } });
    assert_eq!(world.invoke(&[record]).await, [""; 0]);
    let letters = world.take(&world.failures).await;
    let mut references: Vec<&str> =
        letters.iter().map(|letter| letter["reference"].as_str().unwrap()).collect();
    references.sort_unstable();
    assert_eq!(references, ["mistyped-mixed", "mistyped-own"]);
}

#[tokio::test]
async fn rejected_receipt_handle_keeps_the_queues_timeout() {
    let world = World::new("refused", fixture()).await;
    world.connect.inject(Fault::default());
    let mut body = request("q0", &["e0"]);
    body["reference"] = json!("refused-handle");
    let id = world.send(&body).await;
    let mut records = world.receive().await;
    records[0]["receiptHandle"] = json!("of-another-delivery");
    assert_eq!(world.invoke(&records).await, [id]);
    let seconds = hidden_seconds("refused-handle", "visible_at");
    let timeout: u64 = visibility_of_the_template().parse().unwrap();
    assert!((timeout..=timeout + SLACK).contains(&seconds), "{seconds} s");
}
