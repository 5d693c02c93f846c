//! Envelopes that are recognised, and the messages for refused payloads.

use crate::index::{Index, SourceIndex};

use super::*;

fn kind(payload: &str) -> Result<EnvelopeKind, String> {
    Envelope::read(payload.as_bytes()).map(|envelope| envelope.kind).map_err(|error| error.to_string())
}

#[test]
fn structure_tells_envelopes_apart() {
    use EnvelopeKind::{Direct, DistributedMap, EventBridge, Pipes, Sns, Sqs};
    let table = [
        (r#"{"Records": []}"#, Sqs),
        (r#"{"Records": [{"eventSource": "aws:sqs", "messageId": "m", "body": "{}"}]}"#, Sqs),
        (r#"{"Items": [], "Records": []}"#, Sqs),
        ("[]", Pipes),
        (r#"[{"messageId": "m", "eventSource": "aws:sqs", "body": "{}"}]"#, Pipes),
        (r#"{"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "{}"}}]}"#, Sns),
        (r#"{"detail-type": "t", "source": "s", "detail": {}}"#, EventBridge),
        (r#"{"source": "s", "detail": {}}"#, Direct),
        (r#"{"Items": []}"#, DistributedMap),
        (r#"{"Items": [{}], "BatchInput": {}}"#, DistributedMap),
        ("{}", Direct),
        (r#"{"associations": []}"#, Direct),
    ];
    for (payload, expected) in table {
        assert_eq!(kind(payload), Ok(expected), "{payload}");
    }
}

#[test]
fn other_payloads_are_rejected_with_a_reason() {
    let object = "is not an SQS or SNS record: eventSource is missing";
    let instead = "send several requests as {\"Items\": [requests]} or as the associations of one request, and do not set \
                   an input template (InputTemplate) for a pipe";
    let message = "is a message from the SQS API (MessageId, Body), not a record; send it as {\"eventSource\": \
                   \"aws:sqs\", \"messageId\": its MessageId, \"body\": its Body}";
    let other = "expected only records of aws:sqs, or only of aws:sns";
    let table = [
        ("", "the payload is not valid JSON: EOF while parsing a value at line 1 column 0".to_owned()),
        ("{} x", "the payload is not valid JSON: trailing characters at line 1 column 4".to_owned()),
        (r#""text""#, "the payload must be an object or an array of SQS or SNS records, not a string".to_owned()),
        ("null", "the payload must be an object or an array of SQS or SNS records, not null".to_owned()),
        (r#"{"Records": 5}"#, "Records must be an array, not a number".to_owned()),
        (r#"{"Records": {}}"#, "Records must be an array, not an object".to_owned()),
        (r#"{"Records": [{"eventSource": "aws:s3"}]}"#, format!("Records[0] is a record of aws:s3; {other}")),
        (
            r#"{"Records": [{"eventSource": "aws:sqs", "messageId": "m"}, {"EventSource": "aws:sns"}]}"#,
            format!("Records[1] is a record of aws:sns; {other}"),
        ),
        (
            r#"{"Records": [{"eventSource": "someone@brand.example"}]}"#,
            format!("Records[0] {object}; {instead}"),
        ),
        (r#"{"Records": [{"MessageId": "m", "Body": "{}"}]}"#, format!("Records[0] {message}")),
        (
            r#"{"Records": [{"eventSource": "aws:sqs", "MessageId": "m", "Body": "{}"}]}"#,
            format!("Records[0] {message}"),
        ),
        (r#"[{"MessageId": "m", "ReceiptHandle": "h", "Body": "{}"}]"#, format!("[0] {message}")),
        (
            r#"[{"detail-type": "t", "source": "s", "detail": {}}]"#,
            "[0] is an EventBridge event, not a record; send each event alone".to_owned(),
        ),
        ("[{}]", format!("[0] {object}; {instead}")),
        (
            r#"[{"queueId": "q", "emailAddressId": "e"}, {"queueId": "p", "emailAddressId": "e"}]"#,
            format!("[0] {object}; {instead}"),
        ),
        (
            r#"["someone@brand.example"]"#,
            format!("[0] must be an SQS or SNS record, not a string; {instead}"),
        ),
        (
            r#"[{"messageId": "m", "eventSource": "aws:sqs", "body": "{}"}, 7]"#,
            format!("[1] must be an SQS or SNS record, not a number; {instead}"),
        ),
        (
            r#"{"Records": [[]]}"#,
            format!("Records[0] must be an SQS or SNS record, not an array; {instead}"),
        ),
        (
            r#" "{\"queueId\": \"q\"}""#,
            "the payload must be an object or an array of SQS or SNS records, not a string that contains JSON (encoded twice?)"
                .to_owned(),
        ),
        (
            "{\"queueId\": \"q\"}\n{\"queueId\": \"p\"}",
            "the payload contains several JSON documents (JSON Lines?), the second at line 2 column 1; send them as \
             {\"Items\": [requests]}, or pass the file to associate-emails with a name that ends in .jsonl"
                .to_owned(),
        ),
        (r#"{"Items": {}}"#, "Items must be an array, not an object".to_owned()),
        (r#"{"Records": [], "Records": []}"#, r#"duplicate field "Records""#.to_owned()),
        (r#"{"Items": [], "Items": []}"#, r#"duplicate field "Items""#.to_owned()),
        (r#"{"BatchInput": {}, "Items": [], "BatchInput": {}}"#, r#"duplicate field "BatchInput""#.to_owned()),
        (
            r#"{"id": "i", "detail-type": "t", "source": "s", "detail": {}, "detail": {}}"#,
            r#"duplicate field "detail""#.to_owned(),
        ),
        (
            r#"{"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}"#,
            "Records[0].messageId is missing; no call was made, because a failure of this message could not be reported"
                .to_owned(),
        ),
    ];
    for (payload, expected) in table {
        assert_eq!(kind(payload), Err(expected), "{payload}");
    }
}

#[test]
fn message_about_a_wrong_type_does_not_quote_the_value() {
    let error = kind(r#"[{"attributes": "someone@brand.example"}]"#).unwrap_err();
    assert_eq!(error, "the payload has a record with a field of the wrong type at line 1 column 39");
}

#[test]
fn byte_order_marks_are_ignored() {
    assert_eq!(kind("\u{feff}{}"), Ok(EnvelopeKind::Direct));
    assert_eq!(kind("\u{feff}[]"), Ok(EnvelopeKind::Pipes));
    assert!(kind("\u{feff}{}\n{}").unwrap_err().contains("several JSON documents"));
}

#[test]
fn replayed_event_has_a_new_identifier() {
    let ids = |payload: &str| {
        let envelope = Envelope::read(payload.as_bytes()).unwrap();
        envelope.source_ids("request").iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let event = |members: &str| format!(r#"{{{members}"detail-type":"t","source":"s","detail":{{}}}}"#);
    assert_eq!(ids(&event(r#""id":"e","#)), ["e"]);
    assert_eq!(ids(&event(r#""id":"e","replay-name":"after","#)), ["e/after"]);
    assert_eq!(ids(&event(r#""id":"e","replay-name":null,"#)), ["e"]);
    assert_eq!(ids(&event(r#""replay-name":"after","#)), ["request"]);
    assert_eq!(ids(r#"{"Items":[],"replay-name":"after"}"#), ["request"]);
    assert_eq!(ids("{}"), ["request"]);
}

#[test]
fn body_without_text_stays_with_its_record() {
    for (body, reason) in [
        ("5", "body must be a string, not a number"),
        (r#""\ud800""#, "body is not valid text: unexpected end of hex escape at line 1 column 8"),
    ] {
        let payload = format!(
            r#"{{"Records": [{{"eventSource": "aws:sqs", "messageId": "a", "body": {body}}},
                             {{"eventSource": "aws:sqs", "messageId": "b", "body": "{{}}"}}]}}"#
        );
        let envelope = Envelope::read(payload.as_bytes()).unwrap();
        assert!(
            matches!(&envelope.sources[SourceIndex::new(0)].body, Body::Unreadable { reason: why, .. } if why == reason),
            "{envelope:?}"
        );
        assert!(matches!(&envelope.sources[SourceIndex::new(1)].body, Body::Text(text) if text == "{}"));
    }
}

#[test]
fn unread_members_may_nest() {
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let payload = format!(
        r#"{{"Records": [{{"eventSource": "aws:sqs", "messageId": "a", "body": "{{}}", "x": {deep}}}]}}"#
    );
    assert_eq!(kind(&payload), Ok(EnvelopeKind::Sqs));
    let payload = format!(r#"{{"associations": {deep}}}"#);
    assert!(kind(&payload).unwrap_err().contains("recursion limit exceeded"));
}

#[test]
fn long_identifiers_are_rejected() {
    let (most, long) = ("i".repeat(256), "i".repeat(257));
    let sqs =
        |id: &str| format!(r#"{{"Records":[{{"eventSource":"aws:sqs","messageId":"{id}","body":"{{}}"}}]}}"#);
    let sns = |id: &str| {
        format!(
            r#"{{"Records":[{{"EventSource":"aws:sns","Sns":{{"MessageId":"{id}","Message":"{{}}"}}}}]}}"#
        )
    };
    let event = |id: &str| format!(r#"{{"id":"{id}","detail-type":"t","source":"s","detail":{{}}}}"#);
    let replay = |id: &str| event("e").replace("}}", &format!(r#"}},"replay-name":"{id}"}}"#));
    let reason = "has 257 characters; expected at most 256";
    for (payload, field) in [
        (&sqs as &dyn Fn(&str) -> String, "Records[0].messageId"),
        (&sns, "Records[0].Sns.MessageId"),
        (&event, "id"),
        (&replay, "replay-name"),
    ] {
        assert!(kind(&payload(&most)).is_ok(), "{field}");
        let error = kind(&payload(&long)).unwrap_err();
        assert!(error.starts_with(&format!("{field} {reason}")), "{error}");
    }
}
