//! Sets up the world of one test: a simulator, a stand-in for SQS, and a function that calls them.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_connect::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use connect_simulator::{Connect, Fixture, Operation, Options, Quota, RecordedCall, Server};
use queue_email_associator::answer::Answer;
use queue_email_associator::invocation::{Function, Invocation};
use queue_email_associator::sdk;
use queue_email_associator::settings::Settings;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::in_memory::InMemory;
use crate::sqs::Sqs;

/// The instance of all tests.
pub const INSTANCE: &str = "11111111-2222-3333-4444-555555555555";

/// Settings under which nothing waits for long.
const QUICK: [(&str, &str); 5] = [
    ("AWS_REGION", "eu-central-1"),
    ("CONNECT_REQUESTS_PER_SECOND", "100000"),
    ("CONNECT_BURST", "100000"),
    ("BACKOFF_INITIAL_MS", "1"),
    ("BACKOFF_MAX_MS", "4"),
];

/// One process of the function, with the services that it calls.
#[derive(Debug)]
pub struct World {
    /// The simulator of Amazon Connect.
    pub connect: Connect,
    /// The stand-in for SQS.
    pub sqs: Sqs,
    /// The function under test.
    pub function: Function,
    /// Time limit of each invocation.
    pub invocation_time: Duration,
    /// Identifier of each invocation.
    pub request_id: &'static str,
    _server: Option<Server>,
}

/// The result of an invocation: the answer as JSON, or the error's type and message.
pub type Ending = Result<Value, (String, String)>;

impl World {
    /// Returns a world over HTTP with the given content.
    pub fn new(fixture: Fixture) -> Self {
        World::with(fixture, &[])
    }

    /// Returns a world over HTTP. The variables override settings under which nothing waits for long.
    pub fn with(options: impl Into<Options>, variables: &[(&str, &str)]) -> Self {
        let connect = Connect::new(options);
        let server = Server::start(connect.clone()).expect("the simulator binds a free port");
        let endpoint = server.endpoint();
        let mut variables = variables.to_vec();
        variables.push(("AWS_ENDPOINT_URL_CONNECT", &endpoint));
        variables.extend(QUICK);
        let sqs = Sqs::default();
        let function = function(&variables, sdk::http_client(), &sqs);
        World {
            connect,
            sqs,
            function,
            invocation_time: Duration::from_secs(60),
            request_id: "request-1",
            _server: Some(server),
        }
    }

    /// Returns a world in memory, for a paused clock. With sockets, a paused clock runs ahead of the responses.
    pub fn in_memory(options: impl Into<Options>, variables: &[(&str, &str)]) -> Self {
        let connect = Connect::new(options);
        let sqs = Sqs::default();
        let function = in_memory_function(&connect, &sqs, variables);
        World {
            connect,
            sqs,
            function,
            invocation_time: Duration::from_secs(900),
            request_id: "request-1",
            _server: None,
        }
    }

    /// Returns a world in memory in which every page has the same token, so that no listing ends.
    pub fn endless(options: impl Into<Options>) -> Self {
        let world = World::in_memory(options, &[]);
        let answers = InMemory { connect: world.connect.clone(), endless: true };
        World { function: function_answered_by(answers, &world.sqs, &[]), ..world }
    }

    /// Replaces the process: the same account, but nothing cached.
    pub fn restarted(self, variables: &[(&str, &str)]) -> Self {
        World { function: in_memory_function(&self.connect, &self.sqs, variables), ..self }
    }

    /// Returns another process of the same account.
    pub fn beside(&self, variables: &[(&str, &str)]) -> Self {
        World {
            connect: self.connect.clone(),
            sqs: self.sqs.clone(),
            function: in_memory_function(&self.connect, &self.sqs, variables),
            invocation_time: self.invocation_time,
            request_id: "request-2",
            _server: None,
        }
    }

    /// Invokes the function with a JSON payload.
    pub async fn invoke(&self, payload: &Value) -> Ending {
        self.invoke_raw(payload.to_string().as_bytes()).await
    }

    /// Invokes the function with the given bytes.
    pub async fn invoke_raw(&self, payload: &[u8]) -> Ending {
        let ends = Instant::now() + self.invocation_time;
        let invocation = Invocation { request_id: self.request_id, ends, intent: None, observer: None };
        match self.function.invoke(payload, invocation).await {
            Ok(answer) => Ok(json_of(&answer)),
            Err(error) => Err((error.error_type().to_owned(), error.to_string())),
        }
    }

    /// Returns the calls of an operation so far.
    pub fn calls(&self, operation: Operation) -> Vec<RecordedCall> {
        self.connect.calls().into_iter().filter(|call| call.operation == operation).collect()
    }

    /// Returns the number of calls so far, of any operation.
    pub fn call_count(&self) -> usize {
        self.connect.calls().len()
    }

    /// Returns the addresses on a queue of [`INSTANCE`].
    pub fn associated(&self, queue: &str) -> Vec<String> {
        self.connect.associated(INSTANCE, queue)
    }
}

fn in_memory_function(connect: &Connect, sqs: &Sqs, variables: &[(&str, &str)]) -> Function {
    function_answered_by(InMemory { connect: connect.clone(), endless: false }, sqs, variables)
}

fn function_answered_by(answers: InMemory, sqs: &Sqs, variables: &[(&str, &str)]) -> Function {
    let connector = SharedHttpConnector::new(answers);
    let mut variables = variables.to_vec();
    variables.push(("AWS_REGION", "eu-central-1"));
    function(&variables, http_client_fn(move |_, _| connector.clone()), sqs)
}

fn function(variables: &[(&str, &str)], http: SharedHttpClient, sqs: &Sqs) -> Function {
    let settings = Settings::read(|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
    .expect("the settings of a test are valid");
    let credentials = SharedCredentialsProvider::new(Credentials::for_tests());
    let connect = sdk::connect_client(&settings, credentials.clone(), http);
    let connector = SharedHttpConnector::new(sqs.clone());
    let sqs = sdk::sqs_client(&settings, credentials, http_client_fn(move |_, _| connector.clone()));
    Function::new(settings, connect, sqs)
}

fn json_of(answer: &Answer) -> Value {
    serde_json::to_value(answer).expect("an answer is JSON")
}

/// Returns an instance with queues `q0`… and addresses `e0`….
pub fn fixture(queues: usize, addresses: usize) -> Fixture {
    let mut fixture = Fixture::new();
    for queue in 0..queues {
        fixture = fixture.with_queue(INSTANCE, &format!("q{queue}"), format!("Queue {queue}"));
    }
    for address in 0..addresses {
        fixture = fixture.with_address(INSTANCE, format!("e{address}"), format!("e{address}@brand.example"));
    }
    fixture
}

/// Returns the identifiers `e<start>` to `e<end - 1>`.
pub fn ids(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| format!("e{number}")).collect()
}

/// Returns a request for one queue.
pub fn request(queue: &str, addresses: &[String]) -> Value {
    json!({ "instanceId": INSTANCE, "associations": [{ "queueId": queue, "emailAddressIds": addresses }] })
}

/// Returns an SQS batch of messages `m0`…, each in its first delivery.
pub fn sqs(bodies: &[Value]) -> Value {
    let records: Vec<Value> = bodies
        .iter()
        .enumerate()
        .map(|(number, body)| {
            let body = match body {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            json!({
                "messageId": format!("m{number}"),
                "receiptHandle": format!("handle{number}"),
                "body": body,
                "attributes": { "ApproximateReceiveCount": "1" },
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:111122223333:associations",
                "awsRegion": "eu-central-1",
            })
        })
        .collect();
    json!({ "Records": records })
}

/// Returns the messages in `batchItemFailures`.
pub fn listed(ending: &Ending) -> Vec<String> {
    let answer = ending.as_ref().expect("a batch has an answer");
    answer["batchItemFailures"]
        .as_array()
        .expect("a batch's answer lists messages")
        .iter()
        .map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned())
        .collect()
}

/// Returns the default quota of AWS.
pub fn default_quota() -> Quota {
    Quota::per_second(2.0, 5.0)
}
