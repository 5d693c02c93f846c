//! Tests both steps: the objects that they read and write, their responses and their logs.

use std::sync::{Arc, Mutex};

use association_file::function::FileFunction;
use association_file::settings::FileSettings;
use association_file::storage;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use lambda_runtime::Diagnostic;
use queue_email_associator::log::Lines;
use queue_email_associator::sdk;
use serde_json::{Value, json};
use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::{DefaultGuard, NoSubscriber};
use tracing_subscriber::layer::SubscriberExt;

use crate::s3::S3;

fn function(s3: &S3) -> FileFunction {
    let settings = FileSettings::read(|name| match name {
        "AWS_REGION" => Some("eu-central-1".to_owned()),
        "AWS_ENDPOINT_URL_S3" => Some(s3.endpoint.clone()),
        _ => None,
    })
    .unwrap();
    let credentials = SharedCredentialsProvider::new(Credentials::for_tests());
    let client = storage::client(&settings, credentials, sdk::http_client());
    FileFunction::new(client, settings.context)
}

/// Returns the response, or the error as Lambda reports it.
pub(crate) async fn invoke(s3: &S3, event: &Value) -> Result<Value, (String, String)> {
    match function(s3).invoke(event).await {
        Ok(response) => Ok(serde_json::from_str(response.get()).unwrap()),
        Err(error) => {
            let diagnostic = Diagnostic::from(error);
            Err((diagnostic.error_type, diagnostic.error_message))
        }
    }
}

pub(crate) fn group(key: &str) -> Value {
    json!({ "group": { "bucket": "files", "key": key, "to": "work/x/requests.jsonl" } })
}

pub(crate) fn summarise(more: &Value) -> Value {
    let mut step = json!({ "bucket": "files", "key": "incoming/dir/a b ü.csv", "execution": "x" });
    step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "summarise": step })
}

const FILE: &str = "\u{feff}queueId,emailAddressId\r\nq1,e1\r\nq2,e1\r\nq1,e2\r\nq1,e1\r\n";

#[tokio::test]
async fn failed_rows_can_be_uploaded_again() {
    let s3 = S3::start().await;
    s3.put("files/incoming/dir/a b ü.csv", FILE);
    let grouped = invoke(&s3, &group("incoming/dir/a b ü.csv")).await.unwrap();
    assert_eq!(
        grouped,
        json!({ "bucket": "files", "key": "work/x/requests.jsonl", "rows": 4, "pairs": 3, "repeated": 1,
                "queues": 2, "requests": 2, "table": "work/x/requests.rows.jsonl" })
    );
    let lines = s3.text("files/work/x/requests.jsonl");
    let first = r#"{"queueId":"q1","emailAddressIds":["e1","e2"],"rows":[2,4]}"#;
    let second = r#"{"queueId":"q2","emailAddressIds":["e1"],"rows":[3]}"#;
    assert_eq!(lines, format!("{first}\n{second}\n"));

    let input = |line: &str| format!(r#"{{"BatchInput":{{"failOnRetryable":false}},"Items":[{line}]}}"#);
    let output = json!({ "associated": 1, "alreadyAssociated": 0, "failed": 1, "apiCalls": 14, "throttledCalls": 2,
        "failuresOmitted": 0, "failures": [{ "instanceId": "i", "queueId": "q1", "emailAddressId": "e2",
        "error": "QueueFull", "message": "the queue is full", "retryable": false, "path": "Items[0].emailAddressIds[1]" }] });
    s3.put(
        "files/work/x/map/run/SUCCEEDED_0.json",
        json!([{ "Input": input(first), "Output": output.to_string(), "Status": "SUCCEEDED" }]).to_string(),
    );
    s3.put(
        "files/work/x/map/run/FAILED_0.json",
        json!([{ "Input": input(second), "Error": "Lambda.TooManyRequestsException", "Cause": "=slow" }])
            .to_string(),
    );
    let manifest = json!({ "DestinationBucket": "files", "MapRunArn": "arn", "ResultFiles": {
        "FAILED": [{ "Key": "work/x/map/run/FAILED_0.json", "Size": 1 }], "PENDING": [],
        "SUCCEEDED": [{ "Key": "work/x/map/run/SUCCEEDED_0.json", "Size": 1 }] } });
    s3.put("files/work/x/map/run/manifest.json", manifest.to_string());
    let step = summarise(&json!({ "grouped": grouped, "manifest": "work/x/map/run/manifest.json" }));
    let summary = invoke(&s3, &step).await.unwrap();
    assert_eq!(
        summary,
        json!({
            "status": "PARTIAL", "file": "incoming/dir/a b ü.csv", "rows": 4, "pairs": 3, "repeated": 1, "queues": 2,
            "associated": 1, "alreadyAssociated": 0, "failed": 2, "apiCalls": 14, "throttledCalls": 2,
            "summary": "results/dir/a b ü/x/summary.json", "failedRows": "results/dir/a b ü/x/failed.csv",
            "associatedRows": "results/dir/a b ü/x/associated.csv",
            "failures": [
                { "queueId": "q2", "emailAddressId": "e1", "row": 3, "error": "Lambda.TooManyRequestsException",
                  "message": "=slow", "retryable": true },
                { "queueId": "q1", "emailAddressId": "e2", "row": 4, "error": "QueueFull",
                  "message": "the queue is full", "retryable": false },
            ],
        })
    );
    let written: Value = serde_json::from_str(&s3.text("files/results/dir/a b ü/x/summary.json")).unwrap();
    assert_eq!(written, summary);
    let failed = s3.text("files/results/dir/a b ü/x/failed.csv");
    assert_eq!(
        failed,
        "\u{feff}row,error,message,retryable,queueId,emailAddressId\n\
         3,Lambda.TooManyRequestsException,'=slow,true,q2,e1\n\
         4,QueueFull,the queue is full,false,q1,e2\n"
    );
    let associated = s3.text("files/results/dir/a b ü/x/associated.csv");
    assert_eq!(
        associated,
        "\u{feff}instanceId,queueId,queueName,emailAddressId,emailAddress,row\n,q1,,e1,,2\n"
    );
    s3.put("files/incoming/failed.csv", failed);
    let again = invoke(&s3, &group("incoming/failed.csv")).await.unwrap();
    assert_eq!((&again["rows"], &again["pairs"], &again["requests"]), (&json!(2), &json!(2), &json!(2)));
}

#[tokio::test]
async fn file_that_cannot_be_grouped_has_a_summary() {
    let s3 = S3::start().await;
    s3.put("files/incoming/dir/a b ü.csv", "queue;mail\na;b\n");
    let (error_type, message) = invoke(&s3, &group("incoming/dir/a b ü.csv")).await.unwrap_err();
    assert_eq!(error_type, "InvalidFile");
    assert!(message.starts_with("incoming/dir/a b ü.csv: no header in the first 10 rows"), "{message}");
    let error = json!({ "Error": error_type, "Cause": message });
    // Step Functions writes the error of a Lambda function as JSON in a string.
    let cause = json!({ "errorMessage": message, "errorType": error_type }).to_string();
    let step = json!({ "error": { "Error": error_type, "Cause": cause } });
    let summary = invoke(&s3, &summarise(&step)).await.unwrap();
    assert_eq!((&summary["status"], &summary["error"]), (&json!("FAILED"), &error));
    assert_eq!(summary.get("failedRows"), None);
    let results: Vec<_> = s3.paths().into_iter().filter(|path| path.contains("results/")).collect();
    assert_eq!(results, ["files/results/dir/a b ü/x/summary.json"]);
}

/// Two files are put under one key before the first one is read.
#[tokio::test]
async fn replaced_file_fails_its_execution() {
    let s3 = S3::start().await;
    let of_version = |etag: usize| {
        let mut step = group("incoming/f.csv");
        step["group"]["etag"] = json!(etag.to_string());
        step
    };
    s3.put("files/incoming/f.csv", FILE);
    assert!(invoke(&s3, &of_version(FILE.len())).await.is_ok());
    let (error_type, message) = invoke(&s3, &of_version(7)).await.unwrap_err();
    assert_eq!(error_type, "InvalidFile");
    assert_eq!(
        message,
        "s3://files/incoming/f.csv was replaced after this execution was started: expected the version with the ETag \
         \"7\"; another execution reads the new version"
    );
}

#[tokio::test]
async fn temporary_file_is_not_read() {
    let s3 = S3::start().await;
    let ignored = invoke(&s3, &group("incoming/~$pairs.xlsx")).await.unwrap();
    assert_eq!(
        ignored,
        json!({ "ignored": "the object is a folder marker, a temporary file or a lock file" })
    );
    assert!(s3.requests().is_empty());
}

#[tokio::test]
async fn workbook_is_grouped() {
    let s3 = S3::start().await;
    let workbook = include_bytes!("../../../associate-emails/tests/program/workbooks/pairs.xlsx");
    s3.put("files/incoming/dir/a b ü.csv", "unused");
    s3.put("files/incoming/pairs.xlsx", workbook.to_vec());
    let grouped = invoke(&s3, &group("incoming/pairs.xlsx")).await.unwrap();
    assert_eq!((&grouped["rows"], &grouped["pairs"], &grouped["queues"]), (&json!(5), &json!(5), &json!(3)));
    invoke(&s3, &summarise(&json!({ "grouped": grouped }))).await.unwrap();
    let failed = s3.text("files/results/dir/a b ü/x/failed.csv");
    let header = "\u{feff}row,error,message,retryable,Brand,Queue Name,E-Mail Address,Since\n";
    assert!(failed.starts_with(header), "{failed}");
    assert!(failed.contains(",true,B,1001,stores@brand.example,3\n"), "{failed}");
    assert!(failed.contains(",false,B,Orders,,5\n"), "{failed}");
}

#[tokio::test]
async fn map_without_results_fails_every_row() {
    let s3 = S3::start().await;
    s3.put("files/incoming/dir/a b ü.csv", FILE);
    let grouped = invoke(&s3, &group("incoming/dir/a b ü.csv")).await.unwrap();
    let error = json!({ "Error": "States.ItemReaderFailed", "Cause": "no access" });
    for more in [
        json!({ "grouped": grouped, "error": error }),
        // The manifest or a result file is missing.
        json!({ "grouped": grouped, "error": error, "manifest": "work/x/nothing.json" }),
    ] {
        let summary = invoke(&s3, &summarise(&more)).await.unwrap();
        assert_eq!((&summary["status"], &summary["failed"]), (&json!("FAILED"), &json!(3)), "{summary}");
        let failed = s3.text("files/results/dir/a b ü/x/failed.csv");
        assert_eq!(failed.matches("States.ItemReaderFailed,no access,true").count(), 3, "{failed}");
    }
}

#[tokio::test]
async fn deleted_requests_fail_the_summary() {
    let s3 = S3::start().await;
    let grouped = json!({ "bucket": "files", "key": "work/x/requests.jsonl", "rows": 1, "pairs": 1, "repeated": 0,
                          "queues": 1, "requests": 1 });
    let (error_type, message) = invoke(&s3, &summarise(&json!({ "grouped": grouped }))).await.unwrap_err();
    assert_eq!(error_type, "InvalidFile");
    assert!(message.starts_with("s3://files/work/x/requests.jsonl cannot be read: NoSuchKey"), "{message}");
    assert!(s3.paths().is_empty());
}

#[tokio::test]
async fn failed_read_is_retried() {
    let s3 = S3::start().await;
    s3.put("files/f.csv", FILE);
    s3.reject(1, 503, "SlowDown");
    assert!(invoke(&s3, &group("f.csv")).await.is_ok());
    assert_eq!(
        s3.requests(),
        [
            "GET files/f.csv",
            "GET files/f.csv",
            "PUT files/work/x/requests.jsonl",
            "PUT files/work/x/requests.rows.jsonl"
        ]
    );
}

/// The lines that are logged until it is dropped.
struct Log {
    lines: Arc<Mutex<String>>,
    _guard: DefaultGuard,
    _second: Dispatch,
}

impl Log {
    fn start() -> Self {
        // With a single subscriber, the first thread that reaches a callsite decides for all threads whether it is
        // enabled. The other tests have no subscriber.
        let second = Dispatch::new(NoSubscriber::default());
        let lines = Arc::new(Mutex::new(String::new()));
        let sink = {
            let lines = lines.clone();
            Arc::new(move |line: &str| lines.lock().unwrap().push_str(line))
        };
        let subscriber = tracing_subscriber::registry().with(Lines::new(LevelFilter::INFO, sink));
        let guard = tracing::subscriber::set_default(subscriber);
        Log { lines, _guard: guard, _second: second }
    }

    fn text(&self) -> String {
        self.lines.lock().unwrap().clone()
    }

    fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[tokio::test]
async fn unreadable_results_are_logged_and_in_the_summary() {
    let s3 = S3::start().await;
    s3.put("files/incoming/dir/a b ü.csv", FILE);
    let grouped = invoke(&s3, &group("incoming/dir/a b ü.csv")).await.unwrap();
    let manifest = json!({ "ResultFiles": { "SUCCEEDED": [{ "Key": "work/x/cut-off.json" }, { "Key": "work/x/gone.json" }] } });
    s3.put("files/work/x/manifest.json", manifest.to_string());
    s3.put("files/work/x/cut-off.json", "[");
    let log = Log::start();
    for (manifest, reason, count) in [
        ("manifest", "work/x/cut-off.json cannot be read: EOF while parsing a list at line 1 column 1", 2),
        (
            "no-manifest",
            "s3://files/work/x/no-manifest.json cannot be read: NoSuchKey: The specified key does not exist.",
            1,
        ),
    ] {
        let step = json!({ "grouped": grouped, "manifest": format!("work/x/{manifest}.json") });
        let summary = invoke(&s3, &summarise(&step)).await.unwrap();
        assert_eq!((&summary["status"], &summary["failed"]), (&json!("FAILED"), &json!(3)), "{summary}");
        let more = if count > 1 { "; and 1 more" } else { "" };
        let message =
            format!("this pair is in no readable result, but it is safe to send it again ({reason}{more})");
        assert_eq!(summary["failures"][0]["error"], "NoResult");
        assert_eq!(summary["failures"][0]["message"], message);
        let lines = log.lines();
        let [.., warning, _] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!(
            (&warning["level"], &warning["message"]),
            (&json!("WARN"), &json!("results cannot be read"))
        );
        assert_eq!((&warning["unreadable"], &warning["reason"]), (&json!(count), &json!(reason)));
    }
}

#[tokio::test]
async fn log_has_the_failed_rows_of_each_reference() {
    let s3 = S3::start().await;
    let text = "queueId,queueName,emailAddressId,emailAddress,reference\n\
                q,,e1,,order-1\nq,,e2,,order-2\n,Billing,,hidden@brand.example,order-1\nq/,,e,,order-1\nq,,e4,,\n";
    s3.put("files/incoming/f.csv", text);
    let grouped = invoke(&s3, &group("incoming/f.csv")).await.unwrap();
    let log = Log::start();
    invoke(&s3, &summarise(&json!({ "grouped": grouped }))).await.unwrap();
    assert!(!log.text().contains("hidden"), "{}", log.text());
    let lines = log.lines();
    let found: Vec<_> = lines.iter().filter(|line| line["reference"] == "order-1").collect();
    let ends: Vec<_> = found.iter().map(|line| (&line["message"], &line["row"], &line["error"])).collect();
    let failed = json!("a row failed");
    assert_eq!(
        ends,
        [
            (&failed, &json!(2), &json!("NoResult")),
            (&failed, &json!(4), &json!("NoResult")),
            (&failed, &json!(5), &json!("InvalidRequest"))
        ]
    );
    assert_eq!((&found[0]["queueId"], &found[0]["emailAddressId"]), (&json!("q"), &json!("e1")));
    assert_eq!((&found[1]["queueName"], found[1].get("emailAddressId")), (&json!("Billing"), None));
    // Rows without a reference appear only in failed.csv.
    assert_eq!(lines.len(), 5, "{lines:#?}");
}

#[tokio::test]
async fn log_has_one_line_per_step_and_no_address() {
    let s3 = S3::start().await;
    let address = "hidden@brand.example";
    s3.put("files/f.csv", format!("queueName,emailAddress\nBilling,{address}\n"));
    s3.put("files/g.csv", format!("{address}\n"));
    let log = Log::start();
    let grouped = invoke(&s3, &group("f.csv")).await.unwrap();
    let _ = invoke(&s3, &group("g.csv")).await.unwrap_err();
    let _ = invoke(&s3, &summarise(&json!({ "grouped": grouped }))).await.unwrap();
    assert!(!log.text().contains("hidden"), "{}", log.text());
    let lines = log.lines();
    let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["grouped", "the step failed", "summarised"]);
    assert_eq!((&lines[0]["key"], &lines[0]["pairs"]), (&json!("f.csv"), &json!(1)));
    assert_eq!((&lines[2]["status"], &lines[2]["failed"]), (&json!("FAILED"), &json!(1)));
}
