//! Sending on, against a real implementation of SQS: `scripts/test-against-sqs` starts one and runs this.
//!
//! Not part of `cargo test` by itself (`test = false` in `Cargo.toml`), since it needs a server.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use connect_simulator::{Connect, Effect, Fault, Fixture, Options, Server};
use queue_email_associator::invocation::{Function, Invocation};
use queue_email_associator::settings::Settings;
use queue_email_associator::{deferred::Deferred, sdk};
use serde_json::{Value, json};
use tokio::time::Instant;

const INSTANCE: &str = "11111111-2222-3333-4444-555555555555";

struct World {
    connect: Connect,
    _server: Server,
    sqs: Deferred<aws_sdk_sqs::Client>,
    function: Function,
    failures: String,
    continuation: String,
}

impl World {
    async fn new(name: &str, fixture: Fixture) -> Self {
        let endpoint = std::env::var("SQS_ENDPOINT").expect("SQS_ENDPOINT: scripts/test-against-sqs sets it");
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
        for queue in ["failures", "continuation"] {
            let created = sqs
                .get()
                .create_queue()
                .queue_name(format!("{name}-{queue}"))
                .attributes(QueueAttributeName::MaximumMessageSize, "1048576")
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
        let [failures, continuation] = urls.try_into().unwrap();
        World { connect, _server: server, sqs, function, failures, continuation }
    }

    /// Delivers bodies as a batch; gives the messages that are to come again.
    async fn deliver(&self, bodies: &[Value]) -> Vec<String> {
        let records: Vec<Value> = bodies
            .iter()
            .enumerate()
            .map(|(number, body)| {
                let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
                json!({ "messageId": format!("m{number}"), "eventSource": "aws:sqs", "body": body })
            })
            .collect();
        let payload = json!({ "Records": records }).to_string();
        let ends = Instant::now() + Duration::from_secs(60);
        let invocation = Invocation { request_id: "r", ends, dry_run: false, observer: None };
        let answer = self.function.invoke(payload.as_bytes(), invocation).await.unwrap();
        let answer = serde_json::to_value(answer).unwrap();
        let listed = answer["batchItemFailures"].as_array().unwrap();
        listed.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
    }

    /// Takes everything that is visible on a queue.
    async fn take(&self, queue_url: &str) -> Vec<Value> {
        let mut bodies = Vec::new();
        loop {
            let received = self
                .sqs
                .get()
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
                self.sqs
                    .get()
                    .delete_message()
                    .queue_url(queue_url)
                    .receipt_handle(handle)
                    .send()
                    .await
                    .unwrap();
            }
        }
    }

    /// How many messages are on a queue and still delayed.
    async fn delayed(&self, queue_url: &str) -> String {
        let attributes = self
            .sqs
            .get()
            .get_queue_attributes()
            .queue_url(queue_url)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesDelayed)
            .send()
            .await
            .unwrap();
        attributes.attributes.unwrap()[&QueueAttributeName::ApproximateNumberOfMessagesDelayed].clone()
    }
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
    let mut mended = fixture();
    for number in 0..24 {
        mended =
            mended.with_address(INSTANCE, format!("late{number}"), format!("late{number}@brand.example"));
    }
    world.connect.add(mended);
    assert_eq!(world.deliver(&failures).await, [""; 0]);
    assert_eq!(world.connect.associated(INSTANCE, "q0").len(), 25);
    let again = world.take(&world.failures).await;
    assert_eq!(again.len(), 1, "{again:?}");
    assert_eq!(again[0]["unreadable"], "not JSON at all \u{1F4E7} <&>");
}

#[tokio::test]
async fn what_is_left_arrives_delayed() {
    let world = World::new("left", fixture()).await;
    world.connect.inject(Fault { queue: Some("q1".to_owned()), ..Fault::default() });
    let body = json!({ "instanceId": INSTANCE, "associations": [
        { "queueId": "q0", "emailAddressId": "e0" },
        { "queueId": "q1", "emailAddressId": "e0" },
    ]});
    assert_eq!(world.deliver(&[body]).await, [""; 0]);
    assert_eq!(world.delayed(&world.continuation).await, "1");
    assert!(world.take(&world.failures).await.is_empty());
}

#[tokio::test]
async fn a_message_above_the_size_limit_arrives_in_parts() {
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

#[tokio::test]
async fn a_queue_that_does_not_exist_has_the_message_listed() {
    let world = World::new("gone", fixture()).await;
    world.sqs.get().delete_queue().queue_url(&world.failures).send().await.unwrap();
    assert_eq!(world.deliver(&[request("q0", &["bad"])]).await, ["m0"]);
}
