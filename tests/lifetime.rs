//! Tests how a process ends, what happens after a panic, and two concurrent invocations. The function's binary runs
//! against a runtime API that this file implements. The panic test uses the test binary itself.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot continue fails")]

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use connect_simulator::{Connect, Fixture, Options, Server};
use queue_email_associator::invocation::Function;
use queue_email_associator::settings::Settings;
use queue_email_associator::{lambda, log, sdk};
use serde_json::{Value, json};

const INSTANCE: &str = "11111111-2222-3333-4444-555555555555";
/// Longer than any step of a passing test takes.
const LONG: Duration = Duration::from_secs(60);

/// Lambda's side of the runtime API.
struct RuntimeApi {
    address: SocketAddr,
    invocations: mpsc::Sender<(String, Value)>,
    steps: mpsc::Receiver<Step>,
}

/// A step of the exchange with the process.
#[derive(Debug, PartialEq)]
enum Step {
    /// The process requests its next invocation.
    Next,
    /// The process has received the invocation with this identifier.
    Received(String),
    /// The process has sent its response. `what` is the last part of the path, `response` or `error`.
    Response { id: String, what: String, body: Value },
}

impl RuntimeApi {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (invocations, waiting) = mpsc::channel();
        let (sender, steps) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(waiting));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (waiting, sender) = (waiting.clone(), sender.clone());
                // A connection ends when its process ends.
                thread::spawn(move || serve(stream.ok()?, &waiting, &sender));
            }
        });
        RuntimeApi { address, invocations, steps }
    }

    fn invoke(&self, id: &str, payload: Value) {
        self.invocations.send((id.to_owned(), payload)).unwrap();
    }

    fn next(&self) -> Step {
        self.steps.recv_timeout(LONG).unwrap()
    }

    /// Returns the next response of the process.
    fn response(&self) -> (String, String, Value) {
        loop {
            if let Step::Response { id, what, body } = self.next() {
                return (id, what, body);
            }
        }
    }
}

/// Responds to the requests of one connection.
fn serve(
    mut stream: TcpStream,
    waiting: &Mutex<mpsc::Receiver<(String, Value)>>,
    sender: &mpsc::Sender<Step>,
) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let path: Vec<String> = line.split(' ').nth(1)?.split('/').map(str::to_owned).collect();
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if header.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (head, body) = if path.last()? == "next" {
            sender.send(Step::Next).ok()?;
            let (id, payload) = waiting.lock().ok()?.recv().ok()?;
            sender.send(Step::Received(id.clone())).ok()?;
            let deadline = queue_email_associator::clock::epoch_millis() + 30_000;
            let head = format!(
                "200 OK\r\nlambda-runtime-aws-request-id: {id}\r\nlambda-runtime-deadline-ms: {deadline}\r\n\
                 lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-central-1:111122223333:function:f\r\n"
            );
            (head, payload.to_string())
        } else {
            let [.., id, what] = path.as_slice() else { return None };
            let body = serde_json::from_slice(&body).unwrap_or_default();
            sender.send(Step::Response { id: id.clone(), what: what.clone(), body }).ok()?;
            ("202 Accepted\r\n".to_owned(), String::new())
        };
        write!(stream, "HTTP/1.1 {head}content-length: {}\r\n\r\n{body}", body.len()).ok()?;
    }
}

/// A process of the function, and the lines of its log.
struct Process {
    child: Child,
    log: mpsc::Receiver<Value>,
}

impl Process {
    fn start(mut command: Command, api: &RuntimeApi, variables: &[(&str, &str)]) -> Self {
        let mut child = command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "f")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "example")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, log) = mpsc::channel();
        thread::spawn(move || {
            let lines = output.lines().map_while(Result::ok);
            lines.filter_map(|line| serde_json::from_str(&line).ok()).try_for_each(|line| send.send(line))
        });
        Process { child, log }
    }

    fn of_the_function(api: &RuntimeApi, variables: &[(&str, &str)]) -> Self {
        Process::start(Command::new(env!("CARGO_BIN_EXE_queue-email-associator")), api, variables)
    }

    fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end of the process, and returns its exit status and all lines of its log.
    fn wait(mut self) -> (ExitStatus, Vec<Value>) {
        let mut lines = Vec::new();
        loop {
            match self.log.recv_timeout(LONG) {
                Ok(line) => lines.push(line),
                // The log ends with the process.
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("the process has not ended"),
            }
        }
        (self.child.wait().unwrap(), lines)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn batch(queue: &str, address: &str) -> Value {
    let body = json!({ "instanceId": INSTANCE, "queueId": queue, "emailAddressId": address });
    json!({ "Records": [{
        "messageId": format!("message-{queue}"),
        "body": body.to_string(),
        "attributes": { "ApproximateReceiveCount": "2" },
        "eventSource": "aws:sqs",
    }] })
}

#[test]
fn idle_process_ends_immediately_after_a_signal() {
    let api = RuntimeApi::start();
    let process = Process::of_the_function(&api, &[]);
    assert_eq!(api.next(), Step::Next);
    process.terminate();
    let (status, log) = process.wait();
    assert_eq!(status.code(), Some(0), "{status}");
    let last = log.last().unwrap();
    assert_eq!(
        last["message"],
        "SIGTERM: the process exits; messages without a response will be redelivered"
    );
}

/// SQS redelivers the messages if the process does not respond. A hurried response could only lose messages.
#[test]
fn busy_process_does_not_respond_after_a_signal() {
    let never_responds = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let endpoint = format!("http://{}", never_responds.local_addr().unwrap());
    let api = RuntimeApi::start();
    let process = Process::of_the_function(&api, &[("AWS_ENDPOINT_URL_CONNECT", &endpoint)]);
    api.invoke("request-1", batch("q0", "e0"));
    // The call is in flight.
    let _call = never_responds.accept().unwrap();
    process.terminate();
    let (status, _) = process.wait();
    assert_eq!(status.code(), Some(0), "{status}");
    let steps: Vec<Step> = api.steps.try_iter().collect();
    assert_eq!(steps, [Step::Next, Step::Received("request-1".to_owned())]);
}

#[test]
fn concurrent_invocations_have_separate_outcomes_and_logs() {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let connect = Connect::new(Options {
        fixture: Fixture::new().with_queue(INSTANCE, "q0", "Queue").with_address(
            INSTANCE,
            "e0",
            "e0@brand.example",
        ),
        ..Options::default()
    });
    // Both calls wait for each other, so both invocations are running. `block_in_place` hands over the work of the
    // simulator's thread while it waits. Otherwise no thread might poll the sockets, and the other call would not
    // arrive.
    let called = Arc::new((Mutex::new(HashSet::new()), Condvar::new()));
    connect.observe(move |call| {
        let (queues, changed) = &*called;
        let mut queues = queues.lock().unwrap();
        queues.insert(call.queue.clone());
        changed.notify_all();
        let both = || changed.wait_timeout_while(queues, LONG, |queues| queues.len() < 2).unwrap();
        drop(tokio::task::block_in_place(both));
    });
    let server = tokio.block_on(async { Server::start(connect.clone()) }).unwrap();
    let endpoint = server.endpoint();
    let api = RuntimeApi::start();
    let variables = [("AWS_LAMBDA_MAX_CONCURRENCY", "2"), ("AWS_ENDPOINT_URL_CONNECT", &*endpoint)];
    let process = Process::of_the_function(&api, &variables);
    api.invoke("request-good", batch("q0", "e0"));
    api.invoke("request-bad", batch("missing", "e0"));
    let mut got = 0;
    let mut responses = Vec::new();
    while responses.len() < 2 {
        match api.next() {
            Step::Next => {}
            Step::Received(_) => got += 1,
            Step::Response { id, what, body } => {
                assert_eq!(got, 2, "the first got a response before the second started");
                assert_eq!(what, "response");
                responses.push((id, body));
            }
        }
    }
    responses.sort_by(|a, b| a.0.cmp(&b.0));
    let listed = json!({ "batchItemFailures": [{ "itemIdentifier": "message-missing" }] });
    assert_eq!(
        responses,
        [("request-bad".to_owned(), listed), ("request-good".to_owned(), json!({ "batchItemFailures": [] }))]
    );
    process.terminate();
    let (_, log) = process.wait();
    let ends: Vec<(&str, u64)> = log
        .iter()
        .filter(|line| line["message"] == "invocation ended")
        .map(|line| (line["requestId"].as_str().unwrap(), line["failed"].as_u64().unwrap()))
        .collect();
    assert_eq!(ends.len(), 2);
    assert!(ends.contains(&("request-good", 0)) && ends.contains(&("request-bad", 1)), "{ends:?}");
    let failed: Vec<&Value> = log.iter().filter(|line| line["queueId"] == "missing").collect();
    assert!(!failed.is_empty());
    assert!(failed.iter().all(|line| line["requestId"] == "request-bad"), "{failed:?}");
}

/// An invocation that panicked does not report success, so its batch is redelivered. The next invocation can use all
/// permits, the pace and the connections of the process. The log has the panic as one line without email addresses.
#[test]
fn panic_fails_only_its_own_invocation() {
    let api = RuntimeApi::start();
    let mut this = Command::new(std::env::current_exe().unwrap());
    // With one test thread, as on one core, the test's name would precede the first line of the log.
    this.args(["--exact", "process_with_a_panicking_first_call", "--nocapture", "--test-threads=2"]);
    let process = Process::start(this, &api, &[("MAX_CONCURRENT_CALLS", "1")]);
    api.invoke("request-1", batch("q0", "e0"));
    let (id, what, body) = api.response();
    assert_eq!((&*id, &*what), ("request-1", "error"));
    assert!(body["errorType"].is_string(), "{body}");
    api.invoke("request-2", batch("q0", "e0"));
    let (id, what, body) = api.response();
    assert_eq!((&*id, &*what, body), ("request-2", "response", json!({ "batchItemFailures": [] })));
    process.terminate();
    let (_, log) = process.wait();
    let panic = log.iter().find(|line| line["message"] == "panic: [email address] was not expected").unwrap();
    assert_eq!((&panic["level"], &panic["requestId"]), (&json!("ERROR"), &json!("request-1")));
    assert!(panic["location"].as_str().unwrap().contains("lifetime.rs"));
}

/// Runs as the process of the test above, which cannot make the function's own binary panic. Without a runtime API, it
/// does nothing.
#[test]
fn process_with_a_panicking_first_call() {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return;
    }
    let settings = Settings::from_env().unwrap();
    log::start(settings.log_level);
    let connector = SharedHttpConnector::new(Panicking::default());
    let http = http_client_fn(move |_, _| connector.clone());
    let credentials = SharedCredentialsProvider::new(Credentials::for_tests());
    let connect = sdk::connect_client(&settings, credentials.clone(), http.clone());
    let sqs = sdk::sqs_client(&settings, credentials, http);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(lambda::serve(Arc::new(Function::new(settings, connect, sqs)))).unwrap();
}

/// Panics at the first request, and returns success for all others.
#[derive(Debug, Default)]
struct Panicking(AtomicBool);

impl HttpConnector for Panicking {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        assert!(self.0.swap(true, Ordering::Relaxed), "hidden@brand.example was not expected");
        let response = HttpResponse::new(200.try_into().unwrap(), SdkBody::empty());
        HttpConnectorFuture::ready(Ok(response))
    }
}
