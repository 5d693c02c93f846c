//! Checks that the published schema, the sample events and the parser agree.
//!
//! Producers validate their requests with the schema and copy the events, so both must match the parser.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

mod invalid;
mod requests;
mod samples;

use std::sync::LazyLock;

use jsonschema::{Validator, draft202012};
use queue_email_associator::payload::Json;
use queue_email_associator::requests::{ArnScope, Base, Context, Field, InstanceId, Request};
use serde_json::{Value, json};

use crate::requests::{entry, long, short, with};

const INSTANCE: &str = "11111111-2222-3333-4444-555555555555";
const ARN: &str = "arn:aws:connect:eu-central-1:111122223333:instance/11111111-2222-3333-4444-555555555555";

// --- The schema itself ---

#[test]
fn published_schema_is_valid() {
    draft202012::meta::validate(&schema()).unwrap();
    for example in schema()["examples"].as_array().unwrap() {
        assert_valid(example, "examples of the schema");
    }
}

#[test]
fn schema_rejects_near_misses_of_exactly_the_known_fields() {
    let separators = r"[\W_]*";
    let pattern = |name: &str| {
        let letters = name.chars().map(|c| {
            let (upper, lower) = (c.to_ascii_uppercase(), c.to_ascii_lowercase());
            format!("[{upper}{lower}]{separators}")
        });
        json!({ "pattern": format!("^{separators}{}$", letters.collect::<String>()) })
    };
    let names: Vec<&str> = Field::ALL.into_iter().map(Field::name).collect();
    let schema = schema();
    assert_eq!(schema["$defs"]["memberName"]["anyOf"][0]["enum"], json!(names));
    let patterns: Vec<Value> = names.into_iter().map(pattern).collect();
    assert_eq!(schema["$defs"]["nearMiss"]["anyOf"], json!(patterns));
}

// --- Requests that are valid, and requests that are not ---

#[test]
fn schema_and_parser_accept_valid_requests() {
    let instance_100 = "i".repeat(100);
    let id_500 = "x".repeat(500);
    let table = [
        ("short form", short([])),
        ("short form by names", json!({ "queueName": "Billing", "emailAddress": "billing@brand.example" })),
        ("short form with a list", json!({ "queueId": "q", "emailAddressIds": ["e", "f"] })),
        ("short form with options", short([("dryRun", json!(true)), ("failOnPermanent", json!(true))])),
        ("short form, empty strings are absent", {
            let fields =
                ["instanceId", "dryRun", "failOnRetryable", "queueName", "emailAddress", "emailAddressIds"];
            short(fields.map(|field| (field, json!(""))))
        }),
        ("long form", long([], [entry([])])),
        ("long form with options", {
            let options = ["dryRun", "failOnPermanent", "failOnRetryable"];
            long(options.map(|field| (field, json!(false))), [entry([])])
        }),
        ("several entries", long([], [entry([]), entry([]), entry([("instanceId", json!("other"))])])),
        ("a list of identifiers", long([], [json!({ "queueId": "q", "emailAddressIds": ["e", "e"] })])),
        ("a single identifier where a list is expected", json!({ "queueId": "q", "emailAddressIds": "e" })),
        ("a single address where a list is expected", {
            json!({ "queueId": "q", "emailAddresses": "a@brand.example" })
        }),
        ("a single entry where a list is expected", json!({ "associations": entry([]) })),
        ("a single entry with a single element", {
            json!({ "associations": { "queueId": "q", "emailAddressIds": "e" } })
        }),
        ("null for every field that is not used", {
            let fields = Field::ALL.map(|field| (field.name(), Value::Null));
            with(
                json!({}),
                fields.into_iter().chain([("queueId", json!("q")), ("emailAddressId", json!("e"))]),
            )
        }),
        ("null for every other field of a request and an entry", {
            let nulls = || Field::ALL.map(|field| (field.name(), Value::Null)).into_iter();
            let entry =
                nulls().chain([("queueName", json!("Q")), ("emailAddresses", json!(["a@brand.example"]))]);
            with(json!({}), nulls().chain([("associations", json!([with(json!({}), entry)]))]))
        }),
        ("checkQueues in a dry run", short([("dryRun", json!(true)), ("checkQueues", json!(true))])),
        ("checkQueues that is false", long([("checkQueues", json!(false))], [entry([])])),
        ("a list of addresses", long([], [json!({ "queueId": "q", "emailAddresses": ["a@brand.example"] })])),
        ("a name of 500", json!({ "queueName": "é".repeat(500), "emailAddress": "a@brand.example" })),
        ("an email address of 255", {
            json!({ "queueId": "q", "emailAddress": format!("{}@b.example", "é".repeat(245)) })
        }),
        ("any text as a name", {
            long([], [json!({ "queueName": " é/\u{1F4E7}", "emailAddress": "o'neil+1@größe.example" })])
        }),
        ("every accepted character", short([("queueId", json!("AZaz09-_."))])),
        ("three dots are not a path", short([("queueId", json!("..."))])),
        ("arn is an identifier", short([("queueId", json!("arn"))])),
        ("an instance of 100 characters", short([("instanceId", json!(instance_100))])),
        ("identifiers of 500", json!({ "queueId": id_500, "emailAddressId": id_500 })),
        ("ARNs", {
            let address = format!("{ARN}/email-address/e");
            json!({ "instanceId": ARN, "queueId": format!("{ARN}/queue/q"), "emailAddressId": address })
        }),
        ("an ARN with an identifier of 500", {
            short([("instanceId", json!(INSTANCE)), ("queueId", json!(format!("{ARN}/queue/{id_500}")))])
        }),
        ("fields of the caller's own", {
            let own = [("ticket", json!({ "queueId": 5 })), ("queue", json!("x")), ("", json!(1))];
            long(own.clone(), [entry(own)])
        }),
        ("a redriven message", long([("failures", json!([{ "error": "QueueFull" }]))], [entry([])])),
    ];
    for (what, request) in table {
        assert_valid(&request, what);
        assert_eq!(invalid_paths(&request.to_string(), Some(INSTANCE)), [""; 0], "{what}: {request}");
    }
}

/// The schema cannot express rules about several fields at once, or about something outside the request. So it accepts
/// these requests, and the parser rejects them.
#[test]
fn parser_rejects_what_the_schema_cannot_express() {
    let elsewhere = |from: &str, to: &str| format!("{ARN}/queue/q").replace(from, to);
    let other_instance = "arn:aws:connect:eu-central-1:111122223333:instance/other";
    let other_account = ARN.replace("111122223333", "444455556666");
    let table = [
        ("a near miss in full-width letters", "ｄｒｙＲｕｎ", short([("ｄｒｙＲｕｎ", json!(true))])),
        ("another Region", "queueId", short([("queueId", json!(elsewhere("eu-central-1", "us-east-1")))])),
        ("another partition", "queueId", short([("queueId", json!(elsewhere("arn:aws:", "arn:aws-cn:")))])),
        ("another instance than instanceId", "queueId", {
            short([("instanceId", json!("other")), ("queueId", json!(elsewhere("", "")))])
        }),
        ("another instance than the request's", "associations[0].queueId", {
            long([("instanceId", json!(other_instance))], [entry([("queueId", json!(elsewhere("", "")))])])
        }),
        ("another instance than the queue's", "emailAddressId", {
            let address = format!("{other_instance}/email-address/e");
            json!({ "queueId": elsewhere("", ""), "emailAddressId": address })
        }),
        ("another account than the request's", "associations[0].instanceId", {
            long([("instanceId", json!(ARN))], [entry([("instanceId", json!(other_account))])])
        }),
        ("another account than the queue's", "emailAddressIds[1]", {
            let address = format!("{other_account}/email-address/e");
            json!({ "queueId": elsewhere("", ""), "emailAddressIds": ["e", address] })
        }),
    ];
    for (what, path, request) in table {
        assert_valid(&request, what);
        assert_eq!(invalid_paths(&request.to_string(), Some(INSTANCE)), [path], "{what}: {request}");
    }
}

#[test]
fn instance_may_come_from_outside_the_request() {
    for (path, request) in [
        ("instanceId", short([])),
        ("instanceId", short([("instanceId", json!(""))])),
        ("associations[0].instanceId", long([], [entry([])])),
    ] {
        assert_valid(&request, "a request without an instance");
        assert_eq!(invalid_paths(&request.to_string(), None), [path], "{request}");
        assert_eq!(invalid_paths(&request.to_string(), Some(INSTANCE)), [""; 0], "{request}");
    }
}

#[test]
fn only_the_parser_rejects_a_duplicate_field() {
    for (path, request) in [
        ("queueId", r#"{"queueId":"q","queueId":"p","emailAddressId":"e"}"#),
        ("dryRun", r#"{"dryRun":true,"associations":[{"queueId":"q","emailAddressId":"e"}],"dryRun":false}"#),
        (
            "associations[0].queueId",
            r#"{"associations":[{"queueId":"q","queueId":"q","emailAddressId":"e"}]}"#,
        ),
    ] {
        assert_valid(&serde_json::from_str(request).unwrap(), request);
        assert_eq!(invalid_paths(request, Some(INSTANCE)), [path], "{request}");
    }
}

// --- Helpers ---

fn schema() -> Value {
    serde_json::from_str(include_str!("../../schema/association-request.schema.json")).unwrap()
}

/// Compiled once, because compiling the patterns takes much longer than checking a request.
fn validator() -> &'static Validator {
    static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| draft202012::new(&schema()).unwrap());
    &VALIDATOR
}

fn assert_valid(request: &Value, what: &str) {
    if let Err(error) = validator().validate(request) {
        panic!("the schema rejects {what}: {error} at {}", error.instance_path());
    }
}

fn scope() -> ArnScope {
    ArnScope::new("eu-central-1")
}

/// Returns the path at which the parser rejects a request.
fn invalid_paths(request: &str, instance: Option<&str>) -> Vec<String> {
    let scope = scope();
    let instance = instance.map(|id| InstanceId::parse(id, &scope).unwrap());
    let context = Context::new(&scope, instance.as_ref());
    let json = Json::parse(request).unwrap();
    let read = Request::read(&json, Base::Root, &context);
    read.invalid.iter().map(|invalid| invalid.path_text().unwrap_or_default()).collect()
}
