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
fn no_envelope_gives_a_reason() {
    let refused = "the payload is no batch of records: ";
    let accepted = "accepted are records of aws:sqs or of aws:sns, not mixed";
    let object = "an object without eventSource, like a request or the body of a message";
    let pipe = "a pipe sends whole records if its target has no input template (InputTemplate); to send several \
                requests at once, send {\"Items\": [requests]} or the associations of one request";
    let message = "a message as the SQS API writes it (MessageId, Body)";
    let as_record = "send each message as {\"eventSource\": \"aws:sqs\", \"messageId\": its MessageId, \"body\": its Body}";
    let table = [
        ("", "the payload is not valid JSON: EOF while parsing a value at line 1 column 0".to_owned()),
        ("{} x", "the payload is not valid JSON: trailing characters at line 1 column 4".to_owned()),
        (
            r#""text""#,
            "the payload is a string; accepted are an object or an array of SQS records".to_owned(),
        ),
        ("null", "the payload is null; accepted are an object or an array of SQS records".to_owned()),
        (r#"{"Records": 5}"#, "Records is a number; a list is expected".to_owned()),
        (r#"{"Records": {}}"#, "Records is an object; a list is expected".to_owned()),
        (
            r#"{"Records": [{"eventSource": "aws:s3"}]}"#,
            format!("{refused}Records[0] is a record of aws:s3; {accepted}"),
        ),
        (
            r#"{"Records": [{"eventSource": "aws:sqs", "messageId": "m"}, {"EventSource": "aws:sns"}]}"#,
            format!("{refused}Records[1] is a record of aws:sns; {accepted}"),
        ),
        (
            r#"{"Records": [{"eventSource": "someone@brand.example"}]}"#,
            format!("{refused}Records[0] is {object}; {accepted}; {pipe}"),
        ),
        (
            r#"{"Records": [{"MessageId": "m", "Body": "{}"}]}"#,
            format!("{refused}Records[0] is {message}; {accepted}; {as_record}"),
        ),
        (
            r#"{"Records": [{"eventSource": "aws:sqs", "MessageId": "m", "Body": "{}"}]}"#,
            format!("{refused}Records[0] is {message}; {accepted}; {as_record}"),
        ),
        (
            r#"[{"MessageId": "m", "ReceiptHandle": "h", "Body": "{}"}]"#,
            format!("{refused}[0] is {message}; {accepted}; {as_record}"),
        ),
        (
            r#"[{"detail-type": "t", "source": "s", "detail": {}}]"#,
            format!("{refused}[0] is an EventBridge event; {accepted}; send each event by itself"),
        ),
        ("[{}]", format!("{refused}[0] is {object}; {accepted}; {pipe}")),
        (
            r#"[{"queueId": "q", "emailAddressId": "e"}, {"queueId": "p", "emailAddressId": "e"}]"#,
            format!("{refused}[0] is {object}; {accepted}; {pipe}"),
        ),
        (r#"["someone@brand.example"]"#, format!("{refused}[0] is a string; {accepted}; {pipe}")),
        (
            r#"[{"messageId": "m", "eventSource": "aws:sqs", "body": "{}"}, 7]"#,
            format!("{refused}[1] is a number; {accepted}; {pipe}"),
        ),
        (r#"{"Records": [[]]}"#, format!("{refused}Records[0] is a list; {accepted}; {pipe}")),
        (
            r#" "{\"queueId\": \"q\"}""#,
            "the payload is a string that holds JSON, which was encoded twice; accepted are an object or an array \
             of SQS records"
                .to_owned(),
        ),
        (
            "{\"queueId\": \"q\"}\n{\"queueId\": \"p\"}",
            "the payload is not valid JSON: trailing characters at line 2 column 1; several JSON documents stand in \
             it, one after the other, as in a file of JSON lines: send them as {\"Items\": [requests]}, or give such \
             a file to associate-emails under a name that ends in .jsonl"
                .to_owned(),
        ),
        (r#"{"Items": {}}"#, "Items is an object; a list is expected".to_owned()),
        (r#"{"Records": [], "Records": []}"#, "Records is given twice; once is accepted".to_owned()),
        (r#"{"Items": [], "Items": []}"#, "Items is given twice; once is accepted".to_owned()),
        (
            r#"{"BatchInput": {}, "Items": [], "BatchInput": {}}"#,
            "BatchInput is given twice; once is accepted".to_owned(),
        ),
        (
            r#"{"id": "i", "detail-type": "t", "source": "s", "detail": {}, "detail": {}}"#,
            "detail is given twice; once is accepted".to_owned(),
        ),
        (
            r#"{"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}"#,
            "Records[0].messageId is missing; nothing was called, because a failure of that message could not be \
             reported"
                .to_owned(),
        ),
    ];
    for (payload, expected) in table {
        assert_eq!(kind(payload), Err(expected), "{payload}");
    }
}

#[test]
fn wrong_record_is_refused_without_a_quote() {
    let error = kind(r#"[{"attributes": "someone@brand.example"}]"#).unwrap_err();
    assert_eq!(
        error,
        "the payload is not valid JSON: not a record as SQS or SNS sends it at line 1 column 39"
    );
}

#[test]
fn byte_order_marks_are_passed_over() {
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
        ("5", "body is a number; a string is expected"),
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
