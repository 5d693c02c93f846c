//! Payloads whose envelope is recognised. `messages.txt` lists the others with their messages.

use crate::index::{Index, SourceIndex};

use super::*;

fn kind(payload: &str) -> Result<EnvelopeKind, String> {
    Envelope::read(payload.as_bytes()).map(|envelope| envelope.kind)
}

#[test]
fn envelope_follows_from_the_structure() {
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
fn identifiers_have_at_most_256_characters() {
    for (length, accepted) in [(256, true), (257, false)] {
        let id = "é".repeat(length);
        let payload = format!(r#"[{{"eventSource":"aws:sqs","messageId":"{id}","body":"{{}}"}}]"#);
        assert_eq!(kind(&payload).is_ok(), accepted);
    }
}
