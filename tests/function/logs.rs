//! An invocation logs each failure once, one closing line and the metrics, and never an email address.

use std::sync::{Arc, LazyLock, Mutex};

use connect_simulator::Fault;
use queue_email_associator::log::Lines;
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Instrument};
use tracing_subscriber::layer::SubscriberExt;

use crate::common::{error, on_queue, received, reported, unwell};
use crate::world::{INSTANCE, World, fixture, ids, request, sqs};

/// `tracing` caches for the whole process whether a callsite is enabled, so only one test at a time may have a
/// subscriber.
static SUBSCRIBER: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A second, permanent subscriber. With a single subscriber, the first thread that reaches a callsite decides for all
/// threads whether it is enabled. A test without a subscriber would then disable the lines of another test.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::default()));

/// Returns the lines that an invocation logs.
pub async fn log_of(world: &World, level: LevelFilter, payload: &[u8]) -> Vec<Value> {
    let _alone = SUBSCRIBER.lock().await;
    LazyLock::force(&SECOND);
    let lines = Arc::new(Mutex::new(String::new()));
    let sink = {
        let lines = lines.clone();
        Arc::new(move |line: &str| lines.lock().unwrap().push_str(line))
    };
    let subscriber = tracing_subscriber::registry().with(Lines::new(level, sink));
    let guard = tracing::subscriber::set_default(subscriber);
    let span = tracing::error_span!("invocation", requestId = "request-1");
    let _ = world.invoke_raw(payload).instrument(span).await;
    drop(guard);
    let lines = lines.lock().unwrap();
    lines.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

fn without_time(mut line: Value) -> Value {
    let time = line.as_object_mut().unwrap().remove("timestamp").unwrap();
    assert!(time.as_str().unwrap().ends_with('Z'));
    line
}

fn mixed() -> Value {
    json!({ "instanceId": INSTANCE, "associations": [
        { "queueId": "q0", "emailAddressIds": ["e0", "bad"] },
        { "queueId": "q1", "emailAddressIds": ["e0", "e1"] },
        { "queueName": "Nowhere", "emailAddress": "help@brand.example" },
        { "queueId": "q0" },
    ]})
}

#[tokio::test]
async fn invocation_logs_its_failures_counts_and_metrics() {
    let world = World::with(fixture(2, 2), &[("MAX_ATTEMPTS", "2")]);
    world.connect.inject(on_queue("q1", unwell()));
    let payload = reported(mixed()).to_string();
    let mut lines = log_of(&world, LevelFilter::INFO, payload.as_bytes()).await;
    let metrics = lines.pop().unwrap();
    let mut lines: Vec<Value> = lines.into_iter().map(without_time).collect();
    let mut closing = lines.pop().unwrap();
    let took = closing.as_object_mut().unwrap().remove("durationMs").unwrap();
    assert!(took.is_u64());
    assert_eq!(
        closing,
        json!({
            "level": "INFO", "message": "invocation ended", "requestId": "request-1",
            "requested": 6, "distinct": 6, "associated": 1, "alreadyAssociated": 0, "planned": 0, "failed": 5,
            "retryable": 2, "apiCalls": 9, "throttledCalls": 0, "retries": 1, "queues": 3,
        })
    );
    let warning = |line: Value| {
        let mut whole = json!({ "level": "WARN", "message": "pairs failed permanently", "requestId": "request-1",
                                "reference": "request-1", "sentOn": false });
        whole.as_object_mut().unwrap().extend(line.as_object().unwrap().clone());
        whole
    };
    let reason_of = |line: &Value| line["reason"].as_str().unwrap().to_owned();
    assert_eq!(lines.len(), 4, "{lines:#?}");
    assert_eq!(
        lines[0],
        warning(json!({
            "instanceId": INSTANCE, "queueId": "q0", "emailAddressId": "bad", "path": "associations[0].emailAddressIds[1]",
            "error": "InvalidParameterException", "reason": reason_of(&lines[0]),
        }))
    );
    assert_eq!(
        lines[1],
        warning(json!({
            "instanceId": INSTANCE, "queueName": "Nowhere", "path": "associations[2]", "error": "NameNotFound",
            "reason": reason_of(&lines[1]),
        }))
    );
    assert_eq!(
        lines[2],
        warning(json!({
            "path": "associations[3].emailAddressId", "error": "InvalidRequest", "reason": reason_of(&lines[2]),
        }))
    );
    assert_eq!(
        lines[3],
        json!({
            "level": "WARN", "message": "pairs failed and can be retried", "requestId": "request-1", "sentOn": false,
            "instanceId": INSTANCE, "queueId": "q1", "error": "Unwell", "reason": "try later", "count": 2,
            "references": ["request-1"],
        })
    );
    assert_eq!(metrics["requestId"], "request-1");
    assert_eq!(metrics["FunctionName"], "queue-email-associator");
    for (name, value) in [
        ("PairsRequested", 6),
        ("PairsAssociated", 1),
        ("PairsFailed", 3),
        ("PairsRetryable", 2),
        ("ApiCalls", 9),
        ("ThrottledCalls", 0),
        ("Retries", 1),
        ("Queues", 3),
    ] {
        assert_eq!(metrics[name], value, "{name}");
    }
}

#[tokio::test]
async fn many_permanent_failures_share_lines() {
    let world = World::with(fixture(1, 1), &[]);
    let message = |count: usize, reference: &str, entry: Value| json!({ "instanceId": INSTANCE, "reference": reference, "associations": vec![entry; count] });
    let unknown = json!({ "queueName": "Nowhere", "emailAddressId": "e0" });
    let mut bodies = vec![message(998, "first", json!(7))];
    bodies.extend((0..12).map(|number| message(3, &format!("r{number}"), json!(7))));
    bodies.push(message(1, "last", unknown));
    let batch = received(sqs(&bodies), 2);
    let lines = log_of(&world, LevelFilter::INFO, batch.to_string().as_bytes()).await;
    let failed: Vec<&Value> =
        lines.iter().filter(|line| line["message"] == "pairs failed permanently").collect();
    assert_eq!(failed.len(), 1_002);
    assert!(failed[..1_000].iter().all(|line| line["count"].is_null()));
    assert_eq!(failed[999]["reference"], "r0");
    let references: Vec<String> = (0..10).map(|number| format!("r{number}")).collect();
    assert_eq!(
        (&failed[1_000]["error"], &failed[1_000]["count"], &failed[1_000]["references"]),
        (&json!("InvalidRequest"), &json!(34), &json!(references))
    );
    assert_eq!(
        (&failed[1_001]["error"], &failed[1_001]["queueName"], &failed[1_001]["references"]),
        (&json!("NameNotFound"), &json!("Nowhere"), &json!(["last"]))
    );
}

#[tokio::test]
async fn fifth_deliveries_are_counted() {
    let world = World::new(fixture(1, 1));
    let mut batch = sqs(&vec![request("q0", &ids(0..1)); 5]);
    for (number, count) in [json!("1"), json!("4"), json!("5"), json!("12"), json!(12)].iter().enumerate() {
        batch["Records"][number]["attributes"]["ApproximateReceiveCount"] = count.clone();
    }
    let lines = log_of(&world, LevelFilter::INFO, batch.to_string().as_bytes()).await;
    assert_eq!(lines.last().unwrap()["MessagesReceivedOften"], 2);
    let lines = log_of(&world, LevelFilter::INFO, request("q0", &ids(0..1)).to_string().as_bytes()).await;
    assert_eq!(lines.last().unwrap()["MessagesReceivedOften"], 0);
}

#[tokio::test]
async fn metrics_record_keeps_to_the_specification() {
    let schema: Value = serde_json::from_str(include_str!("embedded-metric-format.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let world = World::new(fixture(2, 2));
    for payload in [mixed().to_string(), "not JSON".to_owned()] {
        // Metrics are written at every log level.
        let lines = log_of(&world, LevelFilter::ERROR, payload.as_bytes()).await;
        assert_eq!(lines.len(), 1);
        assert!(validator.is_valid(&lines[0]), "{}", lines[0]);
        let directive = &lines[0]["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], "QueueEmailAssociations");
        for metric in directive["Metrics"].as_array().unwrap() {
            assert!(lines[0][metric["Name"].as_str().unwrap()].is_number(), "{metric}");
        }
    }
    assert!(!validator.is_valid(&json!({ "_aws": { "Timestamp": 1, "CloudWatchMetrics": [{}] } })));
}

#[tokio::test]
async fn no_email_address_is_logged_at_any_level() {
    let secret = "hidden@brand.example";
    let entries = |entry: Value| json!({ "instanceId": INSTANCE, "associations": [entry] });
    let mut payloads = vec![
        json!(secret).to_string(),
        format!("{{\"a\": \"{secret}\" nonsense"),
        json!([secret]).to_string(),
        json!({ "Records": [secret] }).to_string(),
        json!({ "Records": [{ "eventSource": secret }] }).to_string(),
        json!({ "Items": secret }).to_string(),
        json!({ "Items": [secret], "BatchInput": secret }).to_string(),
        json!({ secret: 1 }).to_string(),
        sqs(&[json!(secret)]).to_string(),
        sqs(&[json!({ "unreadable": secret })]).to_string(),
        entries(json!({ "queueName": secret, "emailAddress": secret })).to_string(),
        entries(json!({ "queueId": "q0", "emailAddresses": [secret, 7] })).to_string(),
        entries(json!({ "queueId": "q0", "emailAddressId": "e0" })).to_string(),
    ];
    for field in ["instanceId", "queueId", "queueName", "emailAddressId", "emailAddress", "dryRun", "dry_run"]
    {
        let mut request = json!({ "instanceId": INSTANCE, "queueId": "q0", "emailAddressId": "e0" });
        request[field] = json!(secret);
        payloads.push(request.to_string());
        payloads.push(entries(request.clone()).to_string());
        payloads.push(sqs(&[request]).to_string());
    }
    let mut with_odd_ids = sqs(&[entries(json!({ "queueId": "q0", "emailAddressId": "bad" }))]);
    with_odd_ids["Records"][0]["messageId"] = json!(secret);
    payloads.push(with_odd_ids.to_string());
    let world = World::with(fixture(1, 1), &[("MAX_ATTEMPTS", "2")]);
    for (status, code) in
        [(400, "InvalidParameterException"), (500, "InternalServiceException"), (403, secret)]
    {
        world.connect.clear_faults();
        world.connect.inject(Fault::new(error(status, code, &format!("{secret} is not welcome"))));
        for payload in &payloads {
            for level in [LevelFilter::INFO, LevelFilter::TRACE] {
                for line in log_of(&world, level, payload.as_bytes()).await {
                    assert!(!line.to_string().contains("hidden"), "{payload}: {line}");
                }
            }
        }
    }
}
