//! Which of the six envelopes a payload is, decided by its structure alone.

use std::borrow::Cow;

use serde_json::error::Category;
use serde_json::value::RawValue;

use super::delivery::Delivery;
use super::document::{Document, Records};
use super::json::{Json, Members, Text};
use super::record::{Member, NoText, Record, read, text};

/// The kinds of envelope that differ in what becomes of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvelopeKind {
    /// An SQS batch from an event source mapping.
    Sqs,
    /// An array of SQS records from EventBridge Pipes.
    Pipes,
    /// An EventBridge event, invoked asynchronously by a rule.
    EventBridge,
    /// SNS records, invoked asynchronously by a subscription.
    Sns,
    /// A batch of a Step Functions Distributed Map.
    DistributedMap,
    /// An association request by itself.
    Direct,
}

impl EnvelopeKind {
    /// Whether the answer lists messages (`batchItemFailures`) rather than being a report.
    pub fn is_batch(self) -> bool {
        matches!(self, EnvelopeKind::Sqs | EnvelopeKind::Pipes)
    }

    /// Whether nobody waits for the answer, so that a failure must be an error to be seen.
    pub fn is_asynchronous(self) -> bool {
        matches!(self, EnvelopeKind::EventBridge | EnvelopeKind::Sns)
    }
}

/// A payload, told apart and taken apart.
#[derive(Debug)]
pub struct Envelope<'p> {
    /// Which envelope it is.
    pub kind: EnvelopeKind,
    /// What asked for something, in the payload's order.
    pub sources: Vec<Source<'p>>,
    /// The members of an event or of a Distributed Map batch that are none of its requests.
    pub beside: Members<'p>,
}

/// One message of a batch, one event, or the invocation itself.
#[derive(Debug)]
pub struct Source<'p> {
    /// The identifier of the SQS or SNS message or of the EventBridge event; none for a direct invocation.
    pub id: Option<Cow<'p, str>>,
    /// What it asks for.
    pub body: Body<'p>,
    /// Of an SQS message, what SQS says of this delivery; empty for any other source.
    pub delivery: Delivery<'p>,
}

/// What a source asks for, as far as the envelope has read it.
#[derive(Debug)]
pub enum Body<'p> {
    /// Text of a message: the JSON of a request, an event or a notification.
    Text(Cow<'p, str>),
    /// A message whose body is no text, as it stands in the payload, and why.
    Unreadable {
        /// The JSON of the body, if there is one.
        raw: &'p str,
        /// What is wrong with it.
        reason: String,
    },
    /// An association request.
    Request(Json<'p>),
    /// The items of a Distributed Map batch, each an association request, and the defaults for them.
    Items {
        /// `Items`
        items: Vec<Json<'p>>,
        /// `BatchInput`
        batch_input: Option<Json<'p>>,
    },
}

/// Why a payload is no envelope. Displays as one line, without any of the payload's content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoEnvelope {
    /// It is no text, from this byte on.
    #[error("the payload is not valid JSON: what stands from byte {0} on is not UTF-8")]
    NotText(usize),
    /// It cannot be parsed.
    #[error("the payload is not valid JSON: {0}")]
    NotJson(String),
    /// It is a string, a number, `null`.
    #[error("the payload is {0}; accepted are an object or an array of SQS records")]
    NotAnObject(&'static str),
    /// `Records` holds something else than SQS or SNS records.
    #[error(
        "{0} is not a record of aws:sqs or aws:sns like the others; accepted are SQS records or SNS records, not mixed"
    )]
    OtherRecords(String),
    /// `Records` or `Items` is no list.
    #[error("{0} is {1}; a list is expected")]
    NotAList(&'static str, &'static str),
    /// A member that holds requests stands there twice: whichever were taken, the other's would be lost unseen.
    #[error("{0} is given twice; once is accepted")]
    Twice(&'static str),
    /// A record of SQS that could not be listed if it failed, so that nothing of the batch may be begun.
    #[error("{0}.messageId {1}, so a failure of that message could not be reported; nothing was called")]
    NoMessageId(String, String),
}

impl<'p> Envelope<'p> {
    /// Tells apart and takes apart a payload.
    ///
    /// # Errors
    /// [`NoEnvelope`] where the payload is none of the six; the invocation then is an `InvalidRequest`.
    pub fn read(payload: &'p [u8]) -> Result<Self, NoEnvelope> {
        // Once for the whole, rather than for each string of it.
        let payload = str::from_utf8(payload).map_err(|error| NoEnvelope::NotText(error.valid_up_to()))?;
        if let Ok(document) = serde_json::from_str::<Document<'p, Text<'p>>>(payload) {
            return envelope(document);
        }
        let document = serde_json::from_str::<Document<'p, &'p RawValue>>(payload).map_err(|error| {
            NoEnvelope::NotJson(match error.classify() {
                // serde's words for a wrong type quote the value, which may be an email address.
                Category::Data => {
                    format!(
                        "not a record as SQS or SNS sends it at line {} column {}",
                        error.line(),
                        error.column()
                    )
                }
                Category::Io | Category::Syntax | Category::Eof => error.to_string(),
            })
        })?;
        envelope(document)
    }
}

fn envelope<'p, M: Member<'p>>(document: Document<'p, M>) -> Result<Envelope<'p>, NoEnvelope> {
    match document {
        Document::Array(records) => batch(EnvelopeKind::Pipes, "", records),
        Document::Object { records: Some(Records::List(records)), .. } => {
            let kind = match records.first() {
                Some(first) if text(first.sns_source.clone()).as_deref() == Some("aws:sns") => {
                    EnvelopeKind::Sns
                }
                _ => EnvelopeKind::Sqs,
            };
            batch(kind, "Records", records)
        }
        Document::Object { records: Some(Records::Other(kind)), .. } => {
            Err(NoEnvelope::NotAList("Records", kind))
        }
        Document::Object { records: Some(Records::Twice), .. } => Err(NoEnvelope::Twice("Records")),
        Document::Object { records: None, members } => object(members),
        Document::Other(kind) => Err(NoEnvelope::NotAnObject(kind)),
    }
}

fn batch<'p, M: Member<'p>>(
    kind: EnvelopeKind,
    name: &str,
    records: Vec<Record<M>>,
) -> Result<Envelope<'p>, NoEnvelope> {
    let sns = kind == EnvelopeKind::Sns;
    let foreign = |record: &Record<M>| match sns {
        true => text(record.sns_source.clone()).as_deref() != Some("aws:sns"),
        false => text(record.sqs_source.clone()).as_deref() != Some("aws:sqs"),
    };
    if let Some(index) = records.iter().position(foreign) {
        return Err(NoEnvelope::OtherRecords(format!("{name}[{index}]")));
    }
    let source = if sns { sns_source } else { sqs_source };
    let sources = records
        .into_iter()
        .enumerate()
        .map(|(index, record)| {
            source(record).map_err(|reason| NoEnvelope::NoMessageId(format!("{name}[{index}]"), reason))
        })
        .collect::<Result<_, _>>()?;
    Ok(Envelope { kind, sources, beside: Vec::new() })
}

fn sqs_source<'p, M: Member<'p>>(record: Record<M>) -> Result<Source<'p>, String> {
    let id = read(record.message_id).map_err(|no_text| no_text.reason)?;
    if id.is_empty() {
        return Err("is empty".to_owned());
    }
    let (receive_count, message_group) =
        record.attributes.map_or((None, None), |a| (text(a.receive_count), text(a.message_group_id)));
    Ok(Source {
        id: Some(id),
        body: body("body", record.body),
        delivery: Delivery {
            receive_count: receive_count.and_then(|count| count.parse().ok()),
            receipt_handle: text(record.receipt_handle),
            queue_arn: text(record.event_source_arn),
            message_group,
        },
    })
}

fn body<'p, M: Member<'p>>(name: &str, member: Option<M>) -> Body<'p> {
    read(member).map_or_else(
        |NoText { raw, reason }| Body::Unreadable { raw, reason: format!("{name} {reason}") },
        Body::Text,
    )
}

/// Unlike SQS, SNS lists no failures by identifier, so a notification without one is no danger.
fn sns_source<'p, M: Member<'p>>(record: Record<M>) -> Result<Source<'p>, String> {
    let (id, message) = record.sns.map_or((None, None), |sns| (text(sns.message_id), sns.message));
    Ok(Source { id, body: body("Sns.Message", message), delivery: Delivery::default() })
}

/// An object without `Records`: an event, a Distributed Map batch, or a request.
fn object(mut members: Members<'_>) -> Result<Envelope<'_>, NoEnvelope> {
    let has = |members: &Members<'_>, name: &str| members.iter().any(|(key, _)| key == name);
    let source = |id, body| Source { id, body, delivery: Delivery::default() };
    if ["detail-type", "source", "detail"].iter().all(|name| has(&members, name)) {
        let detail = take_one(&mut members, "detail")?.unwrap_or(Json::Null);
        let id = match take(&mut members, "id") {
            Some(Json::String(id)) => Some(id),
            _ => None,
        };
        return Ok(Envelope {
            kind: EnvelopeKind::EventBridge,
            sources: vec![source(id, Body::Request(detail))],
            beside: members,
        });
    }
    if has(&members, "Items") {
        let items = match take_one(&mut members, "Items")? {
            Some(Json::Array(items)) => items,
            other => return Err(NoEnvelope::NotAList("Items", other.as_ref().map_or("missing", Json::kind))),
        };
        let batch_input = take_one(&mut members, "BatchInput")?;
        let body = Body::Items { items, batch_input };
        let sources = vec![source(None, body)];
        return Ok(Envelope { kind: EnvelopeKind::DistributedMap, sources, beside: members });
    }
    let body = Body::Request(Json::Object(members));
    Ok(Envelope { kind: EnvelopeKind::Direct, sources: vec![source(None, body)], beside: Vec::new() })
}

fn take<'p>(members: &mut Members<'p>, name: &str) -> Option<Json<'p>> {
    let index = members.iter().rposition(|(key, _)| key == name)?;
    Some(members.remove(index).1)
}

fn take_one<'p>(members: &mut Members<'p>, name: &'static str) -> Result<Option<Json<'p>>, NoEnvelope> {
    let taken = take(members, name);
    match members.iter().any(|(key, _)| key == name) {
        true => Err(NoEnvelope::Twice(name)),
        false => Ok(taken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(payload: &str) -> Result<EnvelopeKind, String> {
        Envelope::read(payload.as_bytes()).map(|envelope| envelope.kind).map_err(|error| error.to_string())
    }

    #[test]
    fn envelopes_are_told_apart_by_structure() {
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
    fn what_is_no_envelope_says_why() {
        let mixed = "is not a record of aws:sqs or aws:sns like the others; \
                     accepted are SQS records or SNS records, not mixed";
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
            (r#"{"Records": [{"eventSource": "aws:s3"}]}"#, format!("Records[0] {mixed}")),
            (
                r#"{"Records": [{"eventSource": "aws:sqs", "messageId": "m"}, {"EventSource": "aws:sns"}]}"#,
                format!("Records[1] {mixed}"),
            ),
            ("[{}]", format!("[0] {mixed}")),
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
                "Records[0].messageId is missing, so a failure of that message could not be reported; \
                 nothing was called"
                    .to_owned(),
            ),
        ];
        for (payload, expected) in table {
            assert_eq!(kind(payload), Err(expected), "{payload}");
        }
    }

    #[test]
    fn a_record_of_a_wrong_type_is_refused_without_quoting_it() {
        let error = kind(r#"["someone@brand.example"]"#).unwrap_err();
        assert_eq!(
            error,
            "the payload is not valid JSON: not a record as SQS or SNS sends it at line 1 column 24"
        );
    }

    #[test]
    fn a_body_that_is_no_text_stays_with_its_record() {
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
                matches!(&envelope.sources[0].body, Body::Unreadable { reason: why, .. } if why == reason),
                "{envelope:?}"
            );
            assert!(matches!(&envelope.sources[1].body, Body::Text(text) if text == "{}"));
        }
    }

    #[test]
    fn nesting_in_members_nobody_reads_does_not_matter() {
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        let payload = format!(
            r#"{{"Records": [{{"eventSource": "aws:sqs", "messageId": "a", "body": "{{}}", "x": {deep}}}]}}"#
        );
        assert_eq!(kind(&payload), Ok(EnvelopeKind::Sqs));
        let payload = format!(r#"{{"associations": {deep}}}"#);
        assert!(kind(&payload).unwrap_err().contains("recursion limit exceeded"));
    }
}
