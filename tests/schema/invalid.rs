//! Lists requests that the schema and the parser reject, each with the path in the parser's error.

use serde_json::json;

use crate::requests::{entry, long, short};
use crate::{ARN, INSTANCE, invalid_paths, validator};

#[test]
fn schema_and_parser_reject_invalid_requests() {
    let long_arn = format!("{ARN}/queue/{}", "x".repeat(501));
    let arn = |from: &str, to: &str| json!(format!("{ARN}/queue/q").replace(from, to));
    let address = |text: &str| json!({ "queueId": "q", "emailAddress": text });
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
        ("a list and one", "emailAddressIds", short([("emailAddressIds", json!(["e"]))])),
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
        ("a queue outside associations", "queueId", long([("queueId", json!("q"))], [entry([])])),
        ("an address outside associations", "emailAddress", long([("emailAddress", json!(""))], [entry([])])),
        ("checkQueues in a live run", "checkQueues", short([("checkQueues", json!(true))])),
        ("checkQueues in an entry", "associations[0].checkQueues", {
            long([("dryRun", json!(true))], [entry([("checkQueues", json!(true))])])
        }),
        ("checkQueues with a false dryRun", "checkQueues", {
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
        ("a single element that is not an identifier", "emailAddressIds", {
            json!({ "queueId": "q", "emailAddressIds": "a b" })
        }),
        (
            "a single element that is not an address",
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
        ("a line ending", "queueId", short([("queueId", json!("q\n"))])),
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
        // Invalid addresses
        ("a word", "emailAddress", address("billing")),
        ("a display name", "emailAddress", address("Billing <b@x.example>")),
        ("angle brackets", "emailAddress", address("<b@x.example>")),
        ("a comment", "emailAddress", address("b@x.example(Billing)")),
        ("two addresses", "emailAddress", address("a@x.example;b@x.example")),
        ("an address after a comma", "emailAddress", address("a,b@x.example")),
        ("a link", "emailAddress", address("mailto:b@x.example")),
        ("outer white space", "emailAddress", address("b@x.example\u{a0}")),
        ("a line ending after it", "emailAddress", address("b@x.example\n")),
        ("a zero-width space", "emailAddress", address("b\u{200b}@x.example")),
        ("no dot in the domain", "emailAddress", address("a.b@localhost")),
        ("nothing before the sign", "emailAddress", address("@x.example")),
        // ARNs
        ("an ARN cut short", "queueId", short([("queueId", json!("arn:aws:connect"))])),
        ("an instance's ARN as queue", "queueId", short([("queueId", json!(ARN))])),
        ("a queue's ARN as instance", "instanceId", short([("instanceId", arn("", ""))])),
        ("a queue's ARN as address", "emailAddressId", short([("emailAddressId", arn("", ""))])),
        ("more after the queue", "queueId", short([("queueId", arn("/queue/q", "/queue/q/x"))])),
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
