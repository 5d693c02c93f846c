//! Holds the published schema, the sample events and the parser against each other.
//!
//! Producers check their requests with the schema and copy the events, so neither may say anything else than the
//! parser does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod samples;

use std::sync::LazyLock;

use jsonschema::{Validator, draft202012};
use queue_email_associator::payload::Json;
use queue_email_associator::requests::{Base, Context, Defaults, Field, Home, InstanceId, Request};
use serde_json::{Value, json};

const INSTANCE: &str = "11111111-2222-3333-4444-555555555555";
const ARN: &str = "arn:aws:connect:eu-central-1:111122223333:instance/11111111-2222-3333-4444-555555555555";

// --- The schema itself ---

#[test]
fn the_schema_is_a_schema() {
    draft202012::meta::validate(&schema()).unwrap();
    for example in schema()["examples"].as_array().unwrap() {
        assert_valid(example, "examples of the schema");
    }
}

#[test]
fn the_schema_refuses_near_misses_of_exactly_the_known_fields() {
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
fn valid_requests() {
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
        ("null for every field of an entry and beside", {
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
        ("three dots are no path", short([("queueId", json!("..."))])),
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
        (
            "what a redriven message holds",
            long([("failures", json!([{ "error": "QueueFull" }]))], [entry([])]),
        ),
    ];
    for (what, request) in table {
        assert_valid(&request, what);
        assert_eq!(invalid_paths(&request.to_string(), Some(INSTANCE)), [""; 0], "{what}: {request}");
    }
}

#[test]
fn invalid_requests_and_their_paths() {
    let long_arn = format!("{ARN}/queue/{}", "x".repeat(501));
    let arn = |from: &str, to: &str| json!(format!("{ARN}/queue/q").replace(from, to));
    let table = [
        // Forms
        ("nothing", "associations", json!({})),
        ("a list", "", json!([])),
        ("options alone", "associations", json!({ "instanceId": INSTANCE, "dryRun": true })),
        ("only empty strings", "associations", json!({ "queueId": "", "emailAddressId": "" })),
        ("no queue", "queueId", json!({ "emailAddressId": "e" })),
        ("no addresses", "emailAddressId", json!({ "queueId": "q" })),
        ("both names of a queue", "queueName", short([("queueName", json!("Billing"))])),
        ("two forms of addresses", "emailAddress", short([("emailAddress", json!("a@brand.example"))])),
        ("a list beside one", "emailAddressIds", short([("emailAddressIds", json!(["e"]))])),
        ("an entry without queue", "associations[0].queueId", long([], [json!({ "emailAddressId": "e" })])),
        ("an entry without addresses", "associations[1].emailAddressId", {
            long([], [entry([]), json!({ "queueId": "q" })])
        }),
        ("an empty entry", "associations[0].queueId", long([], [json!({})])),
        ("an entry with both names", "associations[0].queueName", {
            long([], [entry([("queueName", json!("Billing"))])])
        }),
        ("an entry with two lists", "associations[0].emailAddresses", {
            long(
                [],
                [json!({ "queueId": "q", "emailAddressIds": ["e"], "emailAddresses": ["a@brand.example"] })],
            )
        }),
        // Misplaced
        ("an option in an entry", "associations[0].dryRun", long([], [entry([("dryRun", json!(true))])])),
        ("failOnPermanent in an entry", "associations[0].failOnPermanent", {
            long([], [entry([("failOnPermanent", json!(true))])])
        }),
        ("failOnRetryable in an entry", "associations[0].failOnRetryable", {
            long([], [entry([("failOnRetryable", json!(true))])])
        }),
        ("associations in an entry", "associations[0].associations", {
            long([], [entry([("associations", json!([entry([])]))])])
        }),
        ("a queue beside associations", "queueId", long([("queueId", json!("q"))], [entry([])])),
        ("an address beside associations", "emailAddress", long([("emailAddress", json!(""))], [entry([])])),
        ("checkQueues in a live run", "checkQueues", short([("checkQueues", json!(true))])),
        ("checkQueues in an entry", "associations[0].checkQueues", {
            long([("dryRun", json!(true))], [entry([("checkQueues", json!(true))])])
        }),
        ("checkQueues beside a false dryRun", "checkQueues", {
            long([("checkQueues", json!(true)), ("dryRun", json!(false))], [entry([])])
        }),
        // Wrong types
        ("an entry that is text", "associations[0]", long([], [json!("q")])),
        ("associations that are text", "associations", json!({ "associations": "q" })),
        ("a single entry that is empty", "associations.queueId", json!({ "associations": {} })),
        ("a single entry with a wrong identifier", "associations.queueId", {
            json!({ "associations": entry([("queueId", json!("a/b"))]) })
        }),
        ("associations that are null", "associations", json!({ "associations": null })),
        ("an entry that is null", "associations[0]", long([], [json!(null)])),
        ("only nulls", "associations", json!({ "queueId": null, "emailAddressId": null })),
        ("no queue but null", "queueId", json!({ "queueId": null, "emailAddressId": "e" })),
        ("an option that is text", "dryRun", long([("dryRun", json!("true"))], [entry([])])),
        ("an option that is a number", "failOnRetryable", short([("failOnRetryable", json!(0))])),
        ("an empty option of the long form", "dryRun", long([("dryRun", json!(""))], [entry([])])),
        ("a queue that is a number", "queueId", short([("queueId", json!(7))])),
        ("a name that is a list", "queueName", json!({ "queueName": ["Billing"], "emailAddressId": "e" })),
        ("one address as a list", "emailAddressId", short([("emailAddressId", json!(["e"]))])),
        ("a list that is a number", "emailAddressIds", json!({ "queueId": "q", "emailAddressIds": 7 })),
        ("a single element that is no identifier", "emailAddressIds", {
            json!({ "queueId": "q", "emailAddressIds": "a b" })
        }),
        (
            "a single element that is no address",
            "emailAddresses",
            json!({ "queueId": "q", "emailAddresses": "a" }),
        ),
        (
            "an element that is null",
            "emailAddressIds[1]",
            json!({ "queueId": "q", "emailAddressIds": ["e", null] }),
        ),
        // Empty
        ("no associations", "associations", long([], [])),
        ("an empty list", "emailAddressIds", json!({ "queueId": "q", "emailAddressIds": [] })),
        ("an empty list of addresses", "associations[0].emailAddresses", {
            long([], [json!({ "queueId": "q", "emailAddresses": [] })])
        }),
        ("an empty element", "emailAddresses[0]", json!({ "queueId": "q", "emailAddresses": [""] })),
        (
            "an empty string in an entry",
            "associations[0].queueId",
            long([], [entry([("queueId", json!(""))])]),
        ),
        ("an empty instance of a request", "instanceId", long([("instanceId", json!(""))], [entry([])])),
        ("an empty name in an entry", "associations[0].queueName", {
            long([], [json!({ "queueName": "", "emailAddressId": "e" })])
        }),
        // Identifiers
        ("a dot", "queueId", short([("queueId", json!("."))])),
        ("two dots", "emailAddressId", short([("emailAddressId", json!(".."))])),
        ("a slash", "queueId", short([("queueId", json!("q/x"))])),
        ("a space", "queueId", short([("queueId", json!("Billing EU"))])),
        ("a letter that is not ASCII", "queueId", short([("queueId", json!("é"))])),
        ("a line's end", "queueId", short([("queueId", json!("q\n"))])),
        ("an address as identifier", "emailAddressId", short([("emailAddressId", json!("a@brand.example"))])),
        ("an instance of 101", "instanceId", short([("instanceId", json!("i".repeat(101)))])),
        ("a queue of 501", "queueId", short([("queueId", json!("x".repeat(501)))])),
        ("an address of 501", "emailAddressIds[0]", {
            json!({ "queueId": "q", "emailAddressIds": ["x".repeat(501)] })
        }),
        ("a name of 501", "queueName", json!({ "queueName": "é".repeat(501), "emailAddressId": "e" })),
        ("an email address of 256", "emailAddresses[1]", {
            let long = format!("{}@b.example", "é".repeat(246));
            json!({ "queueId": "q", "emailAddresses": ["a@b.example", long] })
        }),
        // Addresses that are none
        ("a word", "emailAddress", json!({ "queueId": "q", "emailAddress": "billing" })),
        (
            "a display name",
            "emailAddress",
            json!({ "queueId": "q", "emailAddress": "Billing <b@x.example>" }),
        ),
        ("angle brackets", "emailAddress", json!({ "queueId": "q", "emailAddress": "<b@x.example>" })),
        ("a comment", "emailAddress", json!({ "queueId": "q", "emailAddress": "b@x.example(Billing)" })),
        (
            "two addresses",
            "emailAddress",
            json!({ "queueId": "q", "emailAddress": "a@x.example;b@x.example" }),
        ),
        (
            "an address behind a comma",
            "emailAddress",
            json!({ "queueId": "q", "emailAddress": "a,b@x.example" }),
        ),
        ("a link", "emailAddress", json!({ "queueId": "q", "emailAddress": "mailto:b@x.example" })),
        ("outer white space", "emailAddress", json!({ "queueId": "q", "emailAddress": "b@x.example\u{a0}" })),
        (
            "a line's end behind it",
            "emailAddress",
            json!({ "queueId": "q", "emailAddress": "b@x.example\n" }),
        ),
        (
            "a zero-width space",
            "emailAddress",
            json!({ "queueId": "q", "emailAddress": "b\u{200b}@x.example" }),
        ),
        ("no dot in the domain", "emailAddress", json!({ "queueId": "q", "emailAddress": "a.b@localhost" })),
        ("nothing before the sign", "emailAddress", json!({ "queueId": "q", "emailAddress": "@x.example" })),
        // ARNs
        ("an ARN cut short", "queueId", short([("queueId", json!("arn:aws:connect"))])),
        ("an instance's ARN as queue", "queueId", short([("queueId", json!(ARN))])),
        ("a queue's ARN as instance", "instanceId", short([("instanceId", arn("", ""))])),
        ("a queue's ARN as address", "emailAddressId", short([("emailAddressId", arn("", ""))])),
        ("more behind the queue", "queueId", short([("queueId", arn("/queue/q", "/queue/q/x"))])),
        ("no identifier", "queueId", short([("queueId", arn("/queue/q", "/queue/"))])),
        ("another service", "queueId", short([("queueId", arn("connect", "s3"))])),
        ("an account of 11 digits", "queueId", short([("queueId", arn("111122223333", "11112222333"))])),
        ("no Region", "queueId", short([("queueId", arn("eu-central-1", ""))])),
        ("no partition", "queueId", short([("queueId", arn("arn:aws", "arn:"))])),
        ("ARN in capitals", "queueId", short([("queueId", arn("arn:", "ARN:"))])),
        ("a path as instance", "queueId", short([("queueId", arn(INSTANCE, ".."))])),
        ("a path as queue", "queueId", short([("queueId", arn("/queue/q", "/queue/."))])),
        ("an ARN's instance of 101", "queueId", short([("queueId", arn(INSTANCE, &"i".repeat(101)))])),
        ("an ARN's queue of 501", "queueId", short([("queueId", json!(long_arn))])),
        // Near misses
        ("case", "dryrun", long([("dryrun", json!(true))], [entry([])])),
        ("an underscore", "dry_run", short([("dry_run", json!(true))])),
        ("a hyphen and case", "Fail-On-Permanent", short([("Fail-On-Permanent", json!(true))])),
        ("a space", " queueId", short([(" queueId", json!("q"))])),
        ("a byte-order mark", "\u{feff}instanceId", short([("\u{feff}instanceId", json!("i"))])),
        ("an unusual space", "queueName\u{85}\u{a0}", short([("queueName\u{85}\u{a0}", json!("Billing"))])),
        ("an empty value is no excuse", "QUEUEID", short([("QUEUEID", json!(""))])),
        ("null is no excuse", "dryrun", short([("dryrun", json!(null))])),
        ("a zero-width space", "dryRun\u{200b}", short([("dryRun\u{200b}", json!(true))])),
        ("a soft hyphen", "dry\u{ad}Run", short([("dry\u{ad}Run", json!(true))])),
        ("a NUL", "dryRun\0", short([("dryRun\0", json!(true))])),
        ("punctuation", "\"dryRun\".", short([("\"dryRun\".", json!(true))])),
        ("a near miss of associations", "Associations", json!({ "Associations": [entry([])] })),
        ("in an entry", "associations[0].EmailAddressIDs", {
            long([], [json!({ "queueId": "q", "EmailAddressIDs": ["e"] })])
        }),
    ];
    for (what, path, request) in table {
        assert!(!validator().is_valid(&request), "the schema accepts {what}: {request}");
        assert_eq!(invalid_paths(&request.to_string(), Some(INSTANCE)), [path], "{what}: {request}");
    }
}

/// Rules about several members at once, or about something outside the request. The schema cannot express them, so it
/// accepts these requests, and the parser refuses them.
#[test]
fn rules_only_the_parser_knows() {
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
fn an_instance_may_come_from_outside_the_request() {
    for (path, request) in [
        ("instanceId", short([])),
        ("instanceId", short([("instanceId", json!(""))])),
        ("associations[0].instanceId", long([], [entry([])])),
    ] {
        assert_valid(&request, "a request that names no instance");
        assert_eq!(invalid_paths(&request.to_string(), None), [path], "{request}");
        assert_eq!(invalid_paths(&request.to_string(), Some(INSTANCE)), [""; 0], "{request}");
    }
}

#[test]
fn a_field_given_twice_is_seen_by_the_parser_alone() {
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

/// Compiled once: the patterns take far longer to compile than a request to check.
fn validator() -> &'static Validator {
    static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| draft202012::new(&schema()).unwrap());
    &VALIDATOR
}

fn assert_valid(request: &Value, what: &str) {
    if let Err(error) = validator().validate(request) {
        panic!("the schema refuses {what}: {error} at {}", error.instance_path());
    }
}

fn home() -> Home {
    Home::new("eu-central-1")
}

/// Where the parser finds a request invalid.
fn invalid_paths(request: &str, instance: Option<&str>) -> Vec<String> {
    let home = home();
    let instance = instance.map(|id| InstanceId::parse(id, &home).unwrap());
    let instance = instance.as_ref().map(InstanceId::borrowed);
    let context = Context { home: &home, instance, defaults: Defaults::default() };
    let json = Json::parse(request).unwrap();
    let read = Request::read(&json, Base::Root, &context);
    read.invalid.iter().map(|invalid| invalid.path_text().unwrap_or_default()).collect()
}

/// A request of the short form, with members more or others.
fn short<const N: usize>(members: [(&str, Value); N]) -> Value {
    with(json!({ "queueId": "q", "emailAddressId": "e" }), members)
}

/// An entry, with members more or others.
fn entry<const N: usize>(members: [(&str, Value); N]) -> Value {
    short(members)
}

/// A request of the long form, with members beside its entries.
fn long<const N: usize, const M: usize>(members: [(&str, Value); N], entries: [Value; M]) -> Value {
    with(json!({ "associations": Vec::from(entries) }), members)
}

fn with<'m>(mut request: Value, members: impl IntoIterator<Item = (&'m str, Value)>) -> Value {
    for (name, value) in members {
        request[name] = value;
    }
    request
}
