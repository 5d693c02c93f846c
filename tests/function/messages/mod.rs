//! Compares every error, failure and log line of the function with `messages.txt`, which lists each under its cause, in
//! the order of this file.

mod results;

use queue_email_associator::sdk::check_proxies;
use queue_email_associator::settings::Settings;
use serde_json::{Value, json};

use crate::common::entries;
use crate::golden::{Messages, compare};
use crate::world::{World, fixture};

#[tokio::test(start_paused = true)]
async fn messages_match_the_list() {
    let mut messages = Messages::default();
    settings(&mut messages);
    let world = World::in_memory(fixture(1, 1), &[]);
    payloads(&mut messages, &world).await;
    requests(&mut messages, &world).await;
    bodies(&mut messages, &world).await;
    assert_eq!(world.call_count(), 0, "invalid input causes no call");
    results::add_results(&mut messages).await;
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
        ("CONNECT_REQUESTS_PER_SECOND", "NaN"),
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
        ("METRICS_NAMESPACE", " "),
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
            let path = failure["path"].as_str().map(|path| format!(" at {path}")).unwrap_or_default();
            format!("{}{path}: {}", text("error"), text("message"))
        }
    }
}

async fn payloads(messages: &mut Messages, world: &World) {
    messages.section("Payloads without a recognised envelope, and invalid batch defaults");
    messages.add("a payload with a byte that is not UTF-8", &outcome(world, b"{\"\xff").await);
    let long = "i".repeat(257);
    let item = r#"{"instanceId": "i", "queueId": "q", "emailAddressId": "e"}"#;
    for payload in [
        "",
        "{\"queueId\": ",
        "{} x",
        "{\"queueId\": \"q\"}\n{\"queueId\": \"p\"}",
        "null",
        "7",
        "\"text\"",
        r#""{\"queueId\": \"q\"}""#,
        r#"[{"MessageId": "m", "ReceiptHandle": "h", "Body": "{}"}]"#,
        r#"[{"detail-type": "t", "source": "s", "detail": {}}]"#,
        r#"[{"queueId": "q", "emailAddressId": "e"}]"#,
        r#"["someone@brand.example"]"#,
        r#"[{"messageId": "m", "eventSource": "aws:sqs", "body": "{}"}, 7]"#,
        r#"[{"attributes": "someone@brand.example"}]"#,
        r#"{"Records": [{"eventSource": "aws:kinesis", "body": "{}"}]}"#,
        r#"{"Records": [{"eventSource": "someone@brand.example"}]}"#,
        r#"{"Records": [{"eventSource": "aws:sqs", "messageId": "m"}, {"EventSource": "aws:sns"}]}"#,
        r#"{"Records": [{"eventSource": "aws:sqs", "MessageId": "m", "Body": "{}"}]}"#,
        r#"{"Records": [[]]}"#,
        r#"{"Records": {}}"#,
        r#"{"Records": 5, "a": }"#,
        "{\"Records\": 5}\n{\"Records\": []}",
        r#"{"Records": [], "Records": []}"#,
        r#"{"Items": {}}"#,
        r#"{"Items": [], "Items": []}"#,
        r#"{"BatchInput": {}, "Items": [], "BatchInput": {}}"#,
        r#"{"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}"#,
        r#"{"Records": [{"eventSource": "aws:sqs", "messageId": 7, "body": "{}"}]}"#,
        &format!(r#"{{"Records": [{{"eventSource": "aws:sqs", "body": "{{}}", "messageId": "{long}"}}]}}"#),
        &format!(r#"{{"Records": [{{"EventSource": "aws:sns", "Sns": {{"MessageId": "{long}"}}}}]}}"#),
        &format!(r#"{{"detail-type": "t", "source": "s", "detail": {{}}, "id": "{long}"}}"#),
        &format!(r#"{{"detail-type": "t", "source": "s", "detail": {{}}, "replay-name": "{long}"}}"#),
        r#"{"detail-type": "t", "source": "s", "detail": {}, "detail": {}}"#,
        &format!(r#"{{"BatchInput": [], "Items": [{item}]}}"#),
        &format!(r#"{{"BatchInput": {{"dryRun": 1}}, "Items": [{item}]}}"#),
        &format!(r#"{{"BatchInput": {{"dryrun": true}}, "Items": [{item}]}}"#),
        &format!(r#"{{"batchInput": {{}}, "Items": [{item}]}}"#),
        &format!(r#"{{"dryRun": true, "Items": [{item}]}}"#),
        r#"{"detail-type": "t", "source": "s", "detail": {}, "dryRun": true}"#,
    ] {
        messages.add(payload, &outcome(world, payload.as_bytes()).await);
    }
}

async fn requests(messages: &mut Messages, world: &World) {
    messages.section("Invalid requests, entries and elements");
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
        r#"{"instanceId": "i", "queueId": "q", "emailAddress": "a%40brand.example"}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddress": "brand.example"}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddress": "@brand.example"}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddress": "a@brand"}"#,
        &format!(r#"{{"instanceId": "i", "queueId": "q", "emailAddress": "{long}@brand.example"}}"#),
        r#"{"instanceId": "i", "queue_id": "q", "emailAddressId": "e"}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddressId": "e", "dryRun": "no"}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddressId": "e", "dry_run": true}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddressId": "e", "dryRun\u200b": true}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddressId": "e", "checkQueues": true}"#,
        r#"{"instanceId": "i", "queueId": "q", "emailAddressId": "e", "reference": 7}"#,
        r#"{"instanceId": "i", "reference": "", "associations": {"queueId": "q", "emailAddressId": "e"}}"#,
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
        messages.add(request, &outcome(world, request.as_bytes()).await);
    }
    let sevens = format!("[{}7]", "7,".repeat(100_000));
    for (cause, payload) in [
        ("more than 100,000 invalid entries", format!(r#"{{"instanceId": "i", "associations": {sevens}}}"#)),
        (
            "more than 100,000 addresses",
            format!(r#"{{"instanceId": "i", "queueId": "q", "emailAddressIds": {sevens}}}"#),
        ),
        ("more than 100,000 items", format!(r#"{{"Items": {sevens}}}"#)),
    ] {
        messages.add(cause, &outcome(world, payload.as_bytes()).await);
    }
    let with_queues = |queues: &[&str]| {
        let entry = |queue: &&str| json!({ "queueId": queue, "emailAddressId": "e" });
        entries(queues.iter().map(entry).collect::<Vec<Value>>()).to_string()
    };
    let four = with_queues(&["a/b", "a%b", "a b", "..", ".."]);
    messages.add("four different reasons in one request", &outcome(world, four.as_bytes()).await);
    let five = with_queues(&["/", "%", "+", "..", ""]);
    messages.add("five different reasons in one request", &outcome(world, five.as_bytes()).await);
}

async fn bodies(messages: &mut Messages, world: &World) {
    messages.section("Bodies of messages, here of a notification");
    let mut deep = "{}".to_owned();
    for _ in 0..9 {
        deep = json!({ "unreadable": deep }).to_string();
    }
    for body in [
        "",
        "{",
        "{\n  nope",
        "{\"queueId\": \"q\"}\n{\"queueId\": \"p\"}",
        "[]",
        "\"{}\"",
        r#"{"Type": "Notification"}"#,
        r#"{"Type": "Notification", "Message": "{"}"#,
        r#"{"Type": "Notification", "Message": "{}", "dry_run": true}"#,
        r#"{"Type": "Notification", "Message": "{}", "Message": "{}"}"#,
        r#"{"unreadable": "nope"}"#,
        r#"{"unreadable": "{}", "dryRun": true}"#,
        r#"{"unreadable": "{}", "unreadable": "{}"}"#,
        r#"{"detail": {}, "source": "s", "detail-type": "t", "instanceId": "i"}"#,
        r#"{"detail": {}, "source": "s", "detail-type": "t", "detail": {}}"#,
        &deep,
    ] {
        let record = json!({ "EventSource": "aws:sns", "Sns": { "MessageId": "n", "Message": body } });
        let payload = json!({ "Records": [record] }).to_string();
        messages.add(body, &outcome(world, payload.as_bytes()).await);
    }
}
