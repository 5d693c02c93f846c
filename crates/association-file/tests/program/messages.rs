//! Compares every message of the file function with `messages.txt`, which lists each under its cause.

use serde_json::{Value, json};

use crate::golden::{Messages, compare};
use crate::s3::S3;
use crate::steps::{group, invoke, summarise};

#[tokio::test]
async fn messages_match_the_list() {
    let mut messages = Messages::default();
    let s3 = S3::start().await;
    messages.section("Input that is not a valid step");
    for step in [json!(null), json!({ "sort": {} }), json!({ "group": { "bucket": "files" } })] {
        add(&mut messages, &s3, &step.to_string(), &step).await;
    }

    messages.section("Files that cannot be grouped");
    for (name, content) in [
        ("pairs.pdf", "x"),
        ("pairs.xlsx", "x"),
        ("empty.csv", "\n\n"),
        ("header-only.csv", "queueId,emailAddressId\n"),
        ("unknown.csv", "name,mail\nx,y\n"),
        ("broken.jsonl", "{\n"),
    ] {
        s3.put(&format!("files/incoming/{name}"), content);
        add(&mut messages, &s3, &format!("{name}: {content}"), &group(&format!("incoming/{name}"))).await;
    }
    let rows: String = (0..250_001).map(|row| format!("q,e{row}\n")).collect();
    s3.put("files/incoming/long.csv", format!("queueId,emailAddressId\n{rows}"));
    add(&mut messages, &s3, "a file with too many pairs", &group("incoming/long.csv")).await;
    s3.put("files/incoming/large.csv", "x".repeat(32 * 1024 * 1024 + 1));
    add(&mut messages, &s3, "a file with too many bytes", &group("incoming/large.csv")).await;
    let line = json!({ "queueId": "q", "emailAddressIds": vec!["e"; 5_000] });
    s3.put("files/incoming/arrays.jsonl", format!("{line}\n").repeat(51));
    add(&mut messages, &s3, "lines with too many pairs", &group("incoming/arrays.jsonl")).await;
    let line = json!({ "instanceId": "i".repeat(100), "queueId": "q".repeat(500), "reference": "r".repeat(256),
                       "emailAddressIds": vec!["/"; 100_000] });
    s3.put("files/incoming/invalid.jsonl", line.to_string());
    add(&mut messages, &s3, "a long queue with many invalid addresses", &group("incoming/invalid.jsonl"))
        .await;
    add(&mut messages, &s3, "a file that does not exist", &group("incoming/missing.csv")).await;
    s3.reject(1, 403, "AccessDenied");
    add(&mut messages, &s3, "a file without permission", &group("incoming/long.csv")).await;

    messages.section("Failed rows in the summary");
    let request = |address: &str| json!({ "queueId": "q", "emailAddressIds": [address], "rows": [2] });
    let input = |address: &str| json!({ "Items": [request(address)] }).to_string();
    let cut = json!({ "associated": 0, "alreadyAssociated": 0, "failed": 1, "apiCalls": 1, "throttledCalls": 0,
                      "failuresOmitted": 1, "failures": [] });
    let object = |name: &str| format!("work/x/map/run/{name}.json");
    s3.put(
        &format!("files/{}", object("SUCCEEDED_0")),
        json!([
            { "Input": input("e1"), "Output": "?", "Status": "SUCCEEDED" },
            { "Input": input("e2"), "Output": cut.to_string(), "Status": "SUCCEEDED" },
        ])
        .to_string(),
    );
    s3.put(&format!("files/{}", object("PENDING_0")), json!([{ "Input": input("e3") }]).to_string());
    s3.put(
        &format!("files/{}", object("FAILED_0")),
        json!([
            { "Input": input("e4"), "Status": "TIMED_OUT" },
            { "Input": input("e5"), "Error": "Lambda.TooManyRequestsException", "Cause": "Rate Exceeded." },
        ])
        .to_string(),
    );
    let files = |name: &str| json!([{ "Key": object(name), "Size": 1 }]);
    let manifest = json!({ "DestinationBucket": "files", "MapRunArn": "arn", "ResultFiles": {
        "FAILED": files("FAILED_0"), "PENDING": files("PENDING_0"), "SUCCEEDED": files("SUCCEEDED_0") } });
    s3.put(&format!("files/{}", object("manifest")), manifest.to_string());
    let lines: String = (1..7).map(|number| format!("{}\n", request(&format!("e{number}")))).collect();
    s3.put("files/work/x/requests.jsonl", lines);
    let grouped = json!({ "bucket": "files", "key": "work/x/requests.jsonl", "rows": 6, "pairs": 6, "repeated": 0,
                          "queues": 1, "requests": 6 });
    let step = summarise(&json!({ "grouped": grouped, "manifest": object("manifest") }));
    let summary = invoke(&s3, &step).await.unwrap();
    let causes =
        ["an unreadable response", "a truncated report", "not started", "timed out", "an error", "no result"];
    for failure in summary["failures"].as_array().unwrap() {
        let number: usize = failure["emailAddressId"].as_str().unwrap()[1..].parse().unwrap();
        let text = |member: &str| failure[member].as_str().unwrap().to_owned();
        messages.add(causes[number - 1], &format!("{}: {}", text("error"), text("message")));
    }
    compare("tests/program/messages.txt", messages.text());
}

async fn add(messages: &mut Messages, s3: &S3, cause: &str, step: &Value) {
    let (error, message) = invoke(s3, step).await.unwrap_err();
    messages.add(cause, &format!("{error}: {message}"));
}
