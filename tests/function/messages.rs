//! Compares every error, failure and log line of the function with `messages.txt`, which lists each under its cause, in
//! the order of this file.

use std::time::Duration;

use connect_simulator::{Connect, Effect, Fault, Fixture, Operation, Options, Switches, UnknownAddress};
use queue_email_associator::sdk::check_proxies;
use queue_email_associator::settings::Settings;
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;

use crate::golden::{Messages, compare};
use crate::logs::log_of;
use crate::sqs::{CONTINUATION, FAILURES, SqsFault};
use crate::world::{INSTANCE, World, fixture, ids, request, sqs};

const ASSOCIATE: Operation = Operation::AssociateQueueEmailAddresses;
const LIST: Operation = Operation::ListQueueEmailAddresses;

#[tokio::test(start_paused = true)]
async fn messages_match_the_list() {
    let mut messages = Messages::default();
    settings(&mut messages);
    payloads(&mut messages).await;
    requests(&mut messages).await;
    bodies(&mut messages).await;
    refusals(&mut messages).await;
    narrowing(&mut messages).await;
    full_queues(&mut messages).await;
    names(&mut messages).await;
    checks(&mut messages).await;
    deadlines(&mut messages).await;
    log_lines(&mut messages).await;
    // An email address may be in a cause, but never in a message.
    let indented = messages.text().lines().filter(|line| line.starts_with("    "));
    assert_eq!(indented.filter(|line| line.contains("brand.example")).collect::<Vec<_>>(), [""; 0]);
    compare("tests/function/messages.txt", messages.text());
}

fn settings(messages: &mut Messages) {
    messages.section("Settings that cannot be used: the process does not start");
    for (variable, value) in [
        ("CONNECT_INSTANCE_ID", "my instance"),
        ("CONNECT_INSTANCE_ID", "arn:aws:connect:us-east-1:111122223333:instance/i"),
        ("CONNECT_INSTANCE_IDS", "i,my instance"),
        ("CONNECT_REQUESTS_PER_SECOND", "two"),
        ("CONNECT_BURST", "-1"),
        ("CONNECT_WORKERS", "0"),
        ("MAX_CONCURRENT_CALLS", "1.5"),
        ("BACKOFF_INITIAL_MS", "30000"),
        ("MAX_ATTEMPTS", "0"),
        ("CALL_TIMEOUT_MS", "5s"),
        ("QUEUE_ADDITIONAL_LIMIT", "-1"),
        ("FAILURES_QUEUE_URL", "https://sqs.eu-central-1.amazonaws.com/111122223333/failures.fifo"),
        ("CONTINUATION_QUEUE_URL", "associations"),
        ("REDELIVERY_MAX_SECONDS", "43201"),
        ("REDELIVERY_INITIAL_SECONDS", "901"),
        ("METRICS_NAMESPACE", ":x"),
        ("AWS_LAMBDA_LOG_LEVEL", "loud"),
        ("RUST_LOG", "x=1"),
        ("AWS_ENDPOINT_URL_CONNECT", "localhost:8080"),
    ] {
        let lookup = |name: &str| match name {
            "AWS_REGION" => Some("eu-central-1".to_owned()),
            _ => Some(value.to_owned()).filter(|_| name == variable),
        };
        messages.add(&format!("{variable}={value}"), &Settings::read(lookup).unwrap_err().to_string());
    }
    let lookup = |name: &str| match name {
        "CONNECT_INSTANCE_ID" => Some("i".to_owned()),
        "CONNECT_INSTANCE_IDS" => Some("j,k".to_owned()),
        _ => None,
    };
    messages.add(
        "CONNECT_INSTANCE_ID=i, CONNECT_INSTANCE_IDS=j,k",
        &Settings::read(lookup).unwrap_err().to_string(),
    );
    let lookup = |name: &str| Some("ht tp://proxy".to_owned()).filter(|_| name == "HTTPS_PROXY");
    messages.add("HTTPS_PROXY=ht tp://proxy", &check_proxies(lookup).unwrap_err().to_string());
}

/// Returns the error of a payload, or the first failure of its report.
async fn outcome(world: &World, payload: &[u8]) -> String {
    match world.invoke_raw(payload).await {
        Err((error, message)) => format!("{error}: {message}"),
        Ok(report) => {
            let failure = &report["failures"][0];
            let text = |member: &str| failure[member].as_str().unwrap_or_default().to_owned();
            format!("{} at {}: {}", text("error"), text("path"), text("message"))
        }
    }
}

fn quiet(fixture: Fixture) -> World {
    World::in_memory(Options { fixture, ..Options::default() }, &[])
}

async fn payloads(messages: &mut Messages) {
    messages.section("Payloads that are no envelope, and defaults of a batch");
    let world = quiet(fixture(1, 1));
    messages.add("a payload that is not UTF-8 from byte 2 on", &outcome(&world, b"{\"\xff").await);
    for payload in [
        "",
        "{\"queueId\": ",
        "{\"queueId\": \"q\"}\n{\"queueId\": \"p\"}",
        "null",
        "7",
        "\"text\"",
        r#""{\"queueId\": \"q\"}""#,
        r#"[{"MessageId": "m", "ReceiptHandle": "h", "Body": "{}"}]"#,
        r#"[{"detail-type": "t", "source": "s", "detail": {}}]"#,
        r#"[{"queueId": "q", "emailAddressId": "e"}]"#,
        r#"["someone@brand.example"]"#,
        r#"{"Records": [{"eventSource": "aws:kinesis", "body": "{}"}]}"#,
        r#"{"Records": {}}"#,
        r#"{"Items": {}}"#,
        r#"{"Items": [], "Items": []}"#,
        r#"{"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}"#,
        r#"{"Records": [{"eventSource": "aws:sqs", "messageId": 7, "body": "{}"}]}"#,
        r#"{"Items": [], "BatchInput": []}"#,
        r#"{"Items": [], "BatchInput": {"dryRun": 1}}"#,
        r#"{"Items": [], "batchInput": {}}"#,
        r#"{"Items": [], "dryRun": true}"#,
        r#"{"detail-type": "t", "source": "s", "detail": {}, "dryRun": true}"#,
    ] {
        messages.add(payload, &outcome(&world, payload.as_bytes()).await);
    }
}

async fn requests(messages: &mut Messages) {
    messages.section("Invalid requests, entries and elements");
    let world = quiet(fixture(1, 1));
    let elsewhere = "arn:aws:connect:eu-central-1:111122223333:instance/i/queue/q";
    let account = "arn:aws:connect:eu-central-1:999999999999:instance/i/email-address/e";
    let long = "q".repeat(501);
    for request in [
        r"{}",
        r#"{"instanceId": "i", "associations": 7}"#,
        r#"{"instanceId": "i", "associations": []}"#,
        r#"{"instanceId": "i", "associations": [7]}"#,
        r#"{"instanceId": "i", "queueId": "q"}"#,
        r#"{"instanceId": "i", "emailAddressId": "e"}"#,
        r#"{"queueId": "q", "emailAddressId": "e"}"#,
        r#"{"instanceId": "i", "queueId": "q", "queueName": "Q", "emailAddressId": "e"}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddressId": "e", "emailAddress": "a@brand.example"}"#,
        r#"{"instanceId": "i", "queueId": "q", "queueId": "p", "emailAddressId": "e"}"#,
        r#"{"instanceId": "i", "queueId": 7, "emailAddressId": "e"}"#,
        r#"{"instanceId": "i", "associations": {"queueId": "", "emailAddressId": "e"}}"#,
        r#"{"instanceId": "i", "queueId": "a/b", "emailAddressId": "e"}"#,
        r#"{"instanceId": "i", "queueId": "Billing EU", "emailAddressId": "e"}"#,
        r#"{"instanceId": "i", "queueId": "..", "emailAddressId": "e"}"#,
        &format!(r#"{{"instanceId": "i", "emailAddressId": "e", "queueId": "{long}"}}"#),
        &format!(r#"{{"instanceId": "i", "emailAddressId": "e", "queueName": "{long}"}}"#),
        r#"{"instanceId": "i", "queueId": "q", "emailAddressId": "a@brand.example"}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddressIds": []}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddressIds": {}}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddressIds": ["", 7]}"#,
        r#"{"instanceId": "i", "queueId": "arn:aws:connect:eu-central-1:1:queue/q", "emailAddressId": "e"}"#,
        r#"{"queueId": "arn:aws:connect:us-east-1:111122223333:instance/i/queue/q", "emailAddressId": "e"}"#,
        &format!(r#"{{"instanceId": "j", "queueId": "{elsewhere}", "emailAddressId": "e"}}"#),
        &format!(r#"{{"queueId": "{elsewhere}", "emailAddressId": "{account}"}}"#),
        r#"{"instanceId": "i", "queueId": "q", "emailAddress": "Help Desk <help@brand.example>"}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddress": "a@brand.example, b@brand.example"}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddress": "a@b@brand.example"}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddress": "mailto:a@brand.example"}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddress": "a @brand.example"}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddress": "a\u200b@brand.example"}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddress": "a\uff20brand.example"}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddress": "brand.example"}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddress": "@brand.example"}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddress": "a@brand"}"#,
        &format!(r#"{{"instanceId": "i", "queueId": "q", "emailAddress": "{long}@brand.example"}}"#),
        r#"{"instanceId": "i", "queue_id": "q", "emailAddressId": "e"}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddressId": "e", "dryRun": "no"}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddressId": "e", "dry_run": true}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddressId": "e", "checkQueues": true}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddressId": "e", "reference": 7}"#,
        &format!(
            r#"{{"queueId": "q", "emailAddressId": "e", "instanceId": "i", "reference": "{}"}}"#,
            &long[..257]
        ),
        r#"{"instanceId": "i", "queueId": "q", "associations": [{"emailAddressId": "e"}]}"#,
        r#"{"instanceId": "i", "associations": [{"queueId": "q", "emailAddressId": "e", "dryRun": true}]}"#,
        r#"{"Messages": [{"MessageId": "m", "Body": "{}"}]}"#,
        r#"{"MessageId": "m", "Body": "{}"}"#,
        r#"{"messageId": "m", "body": "{}"}"#,
        r#"{"detail": {"queueId": "q"}}"#,
        r#"{"records": []}"#,
        r#"{"request": {"queueId": "q", "emailAddressId": "e"}}"#,
        r#"{"Items": [7, "{\"queueId\": \"q\"}", []]}"#,
        r#"{"Items": ["{\"queueId\": \"q\"}"]}"#,
        r#"{"Items": [[]]}"#,
    ] {
        messages.add(request, &outcome(&world, request.as_bytes()).await);
    }
    let many = format!(r#"{{"instanceId": "i", "associations": [{}7]}}"#, "7,".repeat(100_000));
    messages.add("more than 100,000 invalid entries", &outcome(&world, many.as_bytes()).await);
    let many =
        format!(r#"{{"instanceId": "i", "queueId": "q", "emailAddressIds": [{}7]}}"#, "7,".repeat(100_000));
    messages.add("more than 100,000 addresses", &outcome(&world, many.as_bytes()).await);
    let many = format!(r#"{{"Items": [{}7]}}"#, "7,".repeat(100_000));
    messages.add("more than 100,000 items", &outcome(&world, many.as_bytes()).await);
    let four = request_of_four();
    messages
        .add("four different reasons in one request", &outcome(&world, four.to_string().as_bytes()).await);
}

fn request_of_four() -> Value {
    let entry = |queue: &str| json!({ "queueId": queue, "emailAddressId": "e" });
    json!({ "instanceId": "i", "associations": [entry("a/b"), entry("a%b"), entry("a b"), entry(".."), entry("..")] })
}

async fn bodies(messages: &mut Messages) {
    messages.section("Bodies of messages, here of a notification");
    let world = quiet(fixture(1, 1));
    let mut deep = "{}".to_owned();
    for _ in 0..9 {
        deep = json!({ "unreadable": deep }).to_string();
    }
    for body in [
        "",
        "{",
        "{\"queueId\": \"q\"}\n{\"queueId\": \"p\"}",
        "[]",
        "\"{}\"",
        r#"{"Type": "Notification"}"#,
        r#"{"Type": "Notification", "Message": "{"}"#,
        r#"{"unreadable": "{}", "dryRun": true}"#,
        r#"{"detail": {}, "source": "s", "detail-type": "t", "detail": {}}"#,
        &deep,
    ] {
        let payload = json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "MessageId": "n", "Message": body } }] });
        messages.add(body, &outcome(&world, payload.to_string().as_bytes()).await);
    }
}

fn fault(operation: Operation, effect: Effect) -> Fault {
    Fault { operation: Some(operation), ..Fault::new(effect) }
}

fn error(status: u16, code: &str, message: &str) -> Effect {
    Effect::Error { status, code: code.to_owned(), message: message.to_owned() }
}

/// Makes an operation fail after its first call.
fn fail_after_first(connect: &Connect, operation: Operation, effect: Effect) {
    let other = connect.clone();
    connect.observe(move |call| {
        if call.operation == operation {
            other.inject(fault(operation, effect.clone()));
        }
    });
}

/// Adds every distinct failure of a request.
async fn add(messages: &mut Messages, cause: &str, world: &World, mut payload: Value) {
    payload["failOnRetryable"] = json!(false);
    let report = world.invoke(&payload).await.unwrap();
    let mut seen = Vec::new();
    for failure in report["failures"].as_array().unwrap() {
        let kind = if failure["retryable"] == true { "retryable" } else { "permanent" };
        let (error, message) = (failure["error"].as_str().unwrap(), failure["message"].as_str().unwrap());
        let line = format!("{error} ({kind}): {message}");
        if !seen.contains(&line) {
            messages.add(cause, &line);
            seen.push(line);
        }
    }
    assert!(!seen.is_empty(), "{cause}: {report}");
}

async fn refusals(messages: &mut Messages) {
    messages.section("Refusals of the API, and calls without an answer");
    let one_attempt = [("MAX_ATTEMPTS", "1")];
    for (cause, effect) in [
        ("the role lacks a permission", error(403, "AccessDeniedException", "no")),
        ("the credentials have expired", error(403, "ExpiredTokenException", "the token has expired")),
        ("every attempt is throttled", error(429, "ThrottlingException", "slow down")),
        ("every attempt fails", error(500, "InternalServiceException", "")),
        ("no attempt is answered", Effect::Hang),
        ("the connection breaks", Effect::Reset),
        ("the answer is not JSON", Effect::Malformed),
    ] {
        let world = World::in_memory(Options { fixture: fixture(1, 2), ..Options::default() }, &one_attempt);
        world.connect.inject(fault(ASSOCIATE, effect));
        add(messages, cause, &world, request("q0", &ids(0..2))).await;
    }
}

async fn narrowing(messages: &mut Messages) {
    messages.section("Queues, addresses and instances that the API does not accept");
    let world = quiet(fixture(1, 1));
    add(messages, "the queue does not exist", &world, request("missing", &ids(0..1))).await;
    add(messages, "the address does not exist", &world, request("q0", &["missing".to_owned()])).await;
    let switches = Switches { unknown_address: UnknownAddress::ResourceNotFound, ..Switches::default() };
    let options = Options { fixture: fixture(1, 1), switches, ..Options::default() };
    let world = World::in_memory(options, &[]);
    add(
        messages,
        "the address does not exist, with the other error",
        &world,
        request("q0", &["missing".to_owned()]),
    )
    .await;
    let missing: Vec<Value> =
        (0..9).map(|queue| json!({ "queueId": format!("q{queue}"), "emailAddressId": "e0" })).collect();
    let elsewhere = json!({ "instanceId": "elsewhere", "associations": missing });
    add(messages, "the instance does not exist", &world, elsewhere).await;

    let unwell = || error(500, "InternalServiceException", "try later");
    let one_attempt = [("MAX_ATTEMPTS", "1")];
    let bad = || request("q0", &["missing".to_owned(), "e0".to_owned()]);
    let world = World::in_memory(Options { fixture: fixture(1, 1), ..Options::default() }, &one_attempt);
    world.connect.inject(fault(LIST, unwell()));
    add(messages, "a chunk is refused and the list cannot be read", &world, bad()).await;
    let world = World::in_memory(Options { fixture: fixture(1, 1), ..Options::default() }, &one_attempt);
    fail_after_first(&world.connect, LIST, unwell());
    add(messages, "an address is refused and the list cannot be read again", &world, bad()).await;
}

async fn full_queues(messages: &mut Messages) {
    messages.section("Full queues");
    let with_limit = |limit| fixture(1, 9).with_limit(INSTANCE, "q0", limit);
    let world = |limit: usize, variables: &[(&str, &str)]| {
        World::in_memory(Options { fixture: with_limit(limit), ..Options::default() }, variables)
    };
    let five = [("QUEUE_ADDITIONAL_LIMIT", "5")];
    add(messages, "the queue has no more room", &world(5, &five), request("q0", &ids(0..9))).await;
    add(messages, "the API takes fewer than the setting says", &world(3, &five), request("q0", &ids(0..9)))
        .await;
    let unwell = || error(500, "InternalServiceException", "try later");
    let denied = || error(403, "AccessDeniedException", "no");
    let one_attempt = [("QUEUE_ADDITIONAL_LIMIT", "5"), ("MAX_ATTEMPTS", "1")];
    let refused = world(3, &one_attempt);
    fail_after_first(&refused.connect, LIST, unwell());
    add(
        messages,
        "the API takes fewer and the list cannot be read again",
        &refused,
        request("q0", &ids(0..9)),
    )
    .await;
    let refused = world(3, &one_attempt);
    refused.connect.inject(fault(LIST, denied()));
    add(
        messages,
        "the queue is full and the role may not read its list",
        &refused,
        request("q0", &ids(0..9)),
    )
    .await;
}

async fn names(messages: &mut Messages) {
    messages.section("Names of queues and addresses");
    let by_name = |queue: &str, address: &str| json!({ "instanceId": INSTANCE, "associations": [{ "queueName": queue, "emailAddress": address }] });
    let twice = fixture(1, 1)
        .with_queue(INSTANCE, "q1", "Twice")
        .with_queue(INSTANCE, "q2", "Twice")
        .with_address(INSTANCE, "e1", "twice@brand.example")
        .with_address(INSTANCE, "e2", "Twice@brand.example")
        .with_address(INSTANCE, "e3", "r\u{fc}ck@brand.example");
    let world = quiet(twice);
    let address = "e0@brand.example";
    add(messages, "no queue has the name", &world, by_name("Nowhere", address)).await;
    add(messages, "a queue has a similar name", &world, by_name("queue 0 ", address)).await;
    add(messages, "two queues have the name", &world, by_name("Twice", address)).await;
    add(messages, "there is no such address", &world, by_name("Queue 0", "nobody@brand.example")).await;
    add(messages, "there is a similar address", &world, by_name("Queue 0", "ru\u{308}ck@brand.example"))
        .await;
    add(messages, "two addresses are this one", &world, by_name("Queue 0", "twice@brand.example")).await;

    let payload = || by_name("Queue 0", address);
    for (cause, operation, effect) in [
        (
            "the role may not search queues",
            Operation::SearchQueues,
            error(403, "AccessDeniedException", "no"),
        ),
        (
            "the role may not search addresses",
            Operation::SearchEmailAddresses,
            error(403, "AccessDeniedException", "no"),
        ),
        (
            "the directory cannot be read",
            Operation::SearchQueues,
            error(500, "InternalServiceException", "try later"),
        ),
    ] {
        let world = World::in_memory(
            Options { fixture: fixture(1, 1), ..Options::default() },
            &[("MAX_ATTEMPTS", "1")],
        );
        world.connect.inject(fault(operation, effect));
        add(messages, cause, &world, payload()).await;
    }
    let world = World::endless(Options { fixture: fixture(1, 1), ..Options::default() });
    add(messages, "the directory does not end", &world, payload()).await;
    let mut world = World::in_memory(
        Options { fixture: fixture(1, 4_000), ..Options::default() },
        &[("CONNECT_REQUESTS_PER_SECOND", "4"), ("CONNECT_BURST", "1")],
    );
    world.invocation_time = Duration::from_secs(5);
    add(messages, "the directory is not read in time", &world, by_name("Queue 0", "nobody@brand.example"))
        .await;
}

async fn checks(messages: &mut Messages) {
    messages.section("Dry runs that check queues");
    let check = |queue: &str, addresses: &[String]| {
        let mut payload = request(queue, addresses);
        (payload["dryRun"], payload["checkQueues"]) = (json!(true), json!(true));
        payload
    };
    let options = || Options { fixture: fixture(1, 9).with_limit(INSTANCE, "q0", 5), ..Options::default() };
    let world = World::in_memory(options(), &[("QUEUE_ADDITIONAL_LIMIT", "5")]);
    add(messages, "the queue would be full", &world, check("q0", &ids(0..9))).await;
    add(messages, "the address does not exist", &world, check("q0", &["missing".to_owned()])).await;
    add(messages, "the queue does not exist", &world, check("missing", &ids(0..1))).await;
    for (cause, effect) in [
        ("the role may not read the list", error(403, "AccessDeniedException", "no")),
        ("the list cannot be read", error(500, "InternalServiceException", "try later")),
    ] {
        let world = World::in_memory(options(), &[("MAX_ATTEMPTS", "1")]);
        world.connect.inject(fault(LIST, effect));
        add(messages, cause, &world, check("q0", &ids(0..1))).await;
    }
}

async fn deadlines(messages: &mut Messages) {
    messages.section("Calls that do not fit before the deadline");
    let many: Vec<Value> =
        (0..40).map(|queue| json!({ "queueId": format!("q{queue}"), "emailAddressId": "e0" })).collect();
    let many = json!({ "instanceId": INSTANCE, "associations": many });
    let short = |seconds, variables: &[(&str, &str)]| {
        let mut world =
            World::in_memory(Options { fixture: fixture(40, 9), ..Options::default() }, variables);
        world.invocation_time = Duration::from_secs(seconds);
        world
    };
    add(messages, "there is more to call than time", &short(4, &[]), many.clone()).await;
    let world = short(4, &[]);
    world.connect.inject(Fault::new(Effect::Hang));
    add(messages, "no call is answered", &world, many).await;
    let world = short(10, &[]);
    let wait = |code: &str| Effect::RetryAfter { millis: 60_000, code: code.to_owned() };
    world.connect.inject(Fault::new(wait("ThrottlingException")));
    add(messages, "the API asks for a longer wait than there is time", &world, request("q0", &ids(0..1)))
        .await;
    let world = short(10, &[]);
    world.connect.inject(fault(ASSOCIATE, wait("LimitExceededException")));
    add(
        messages,
        "the API asks for a longer wait for room than there is time",
        &world,
        request("q0", &ids(0..1)),
    )
    .await;
}

async fn log_lines(messages: &mut Messages) {
    messages.section("Lines of the log");
    let variables =
        [("FAILURES_QUEUE_URL", FAILURES), ("CONTINUATION_QUEUE_URL", CONTINUATION), ("MAX_ATTEMPTS", "1")];
    let world = || World::in_memory(Options { fixture: fixture(2, 2), ..Options::default() }, &variables);
    let batch = || sqs(&[request("q0", &["e0".to_owned(), "missing".to_owned()]), request("q1", &ids(0..2))]);
    let unwell =
        || Fault { queue: Some("q1".to_owned()), ..Fault::new(error(403, "ExpiredTokenException", "no")) };

    let calm = world();
    log(messages, "the payload is no envelope", &calm, &json!([1])).await;
    log(
        messages,
        "a dry run",
        &calm,
        &json!({ "instanceId": INSTANCE, "dryRun": true, "queueId": "q0", "emailAddressId": "e0" }),
    )
    .await;
    log(messages, "a pair fails for good", &calm, &batch()).await;
    let stormy = world();
    stormy.connect.inject(unwell());
    log(messages, "a pair may succeed later", &stormy, &batch()).await;
    for (cause, faults) in [
        ("SQS refuses a batch", vec![SqsFault::Status(400)]),
        ("SQS refuses a message", vec![SqsFault::FirstEntry { sender_fault: true }]),
        ("SQS does not answer", vec![SqsFault::Hang; 9]),
    ] {
        let mut world = world();
        world.invocation_time = Duration::from_secs(30);
        world.sqs.fail(faults);
        log(messages, cause, &world, &batch()).await;
    }
    let hidden = world();
    hidden.connect.inject(unwell());
    hidden.sqs.fail_visibility([SqsFault::Status(403)]);
    log(messages, "the visibility cannot be set", &hidden, &sqs(&[request("q1", &ids(0..2))])).await;
    let big = world();
    let entry =
        format!(r#"{{"instanceId": "i", "queueId": 7, "emailAddressId": "{}"}}"#, "x".repeat(1_100_000));
    log(messages, "a failure is too large for SQS", &big, &sqs(&[json!(entry)])).await;
}

/// Adds the log lines of an invocation, without the timestamp and the source location.
async fn log(messages: &mut Messages, cause: &str, world: &World, payload: &Value) {
    for line in log_of(world, LevelFilter::INFO, payload.to_string().as_bytes()).await {
        let Some(message) = line["message"].as_str().filter(|message| *message != "invocation ended") else {
            continue;
        };
        let mut text = format!("{} {message}", line["level"].as_str().unwrap());
        for name in ["error", "reason", "messages", "attempt", "count"] {
            if !line[name].is_null() {
                text += &format!("; {name} {}", line[name]);
            }
        }
        messages.add(cause, &text);
    }
}
