//! A message of the dead-letter queue, with the reasons for its failure.

use std::collections::BTreeSet;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::queue::ReceivedMessage;

/// Error shown for a dead letter that SQS moved here after its last delivery. Such a message contains no reason.
pub(super) const USED_UP: &str = "DeliveriesUsedUp";
/// Error shown for a dead letter that EventBridge could not deliver, without a code.
pub(super) const UNDELIVERED: &str = "EventNotDelivered";
/// Error shown for a dead letter without any reason.
pub(super) const UNKNOWN: &str = "Unknown";

/// One dead letter. As JSON, a line of the option `--json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeadLetter {
    #[serde(rename = "messageId")]
    pub(super) id: String,
    /// Time at which it was sent, in milliseconds since 1970.
    pub(super) sent: Option<u64>,
    /// `ApproximateReceiveCount`: how often the message was received.
    pub(super) received: Option<u32>,
    /// Each error once, with its first message.
    pub(super) reasons: Vec<Reason>,
    /// The references of its requests. A request without a `reference` has the identifier of its source.
    pub(super) references: BTreeSet<String>,
    /// The queue identifiers in it.
    pub(super) queue_ids: BTreeSet<String>,
    /// The message, unchanged.
    #[serde(serialize_with = "as_json")]
    pub(super) body: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Reason {
    pub(super) error: String,
    pub(super) message: String,
}

impl Reason {
    pub(super) fn new(error: &str, message: &str) -> Self {
        Reason { error: error.to_owned(), message: message.to_owned() }
    }
}

/// Writes the document in a text, or else the text.
fn as_json<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)).serialize(serializer)
}

impl DeadLetter {
    pub(super) fn read(received: &ReceivedMessage) -> Self {
        let Message { body, attributes, .. } = &received.message;
        let system = |name| attributes.as_ref()?.get(&name);
        let mut letter = DeadLetter {
            id: received.id.clone(),
            sent: system(MessageSystemAttributeName::SentTimestamp).and_then(|sent| sent.parse().ok()),
            received: system(MessageSystemAttributeName::ApproximateReceiveCount)
                .and_then(|received| received.parse().ok()),
            body: body.clone().unwrap_or_default(),
            ..DeadLetter::default()
        };
        letter.add_request(&innermost(&letter.body));
        if letter.reasons.is_empty() {
            letter.reasons.push(reason_of_delivery(&received.message));
        }
        if letter.references.is_empty() {
            letter.references.insert(received.id.clone());
        }
        letter
    }

    /// Adds the failures, references and queue identifiers of a request.
    fn add_request(&mut self, request: &Value) {
        self.add_reference(request);
        self.add_queue(request);
        for entry in list(&request["associations"]) {
            self.add_queue(entry);
        }
        for failure in list(&request["failures"]) {
            self.add_queue(failure);
            self.add_reference(failure);
            let error = failure["error"].as_str().unwrap_or(UNKNOWN);
            if self.reasons.iter().all(|known| known.error != error) {
                self.reasons.push(Reason::new(error, failure["message"].as_str().unwrap_or_default()));
            }
        }
    }

    /// Adds the reference of a request or failure, or else the identifier of its message. [`innermost`] adds the
    /// identifier of an event as the reference.
    fn add_reference(&mut self, of: &Value) {
        let reference = of["reference"].as_str().or_else(|| of["messageId"].as_str());
        self.references.extend(reference.filter(|reference| !reference.is_empty()).map(str::to_owned));
    }

    fn add_queue(&mut self, of: &Value) {
        // The last part of an ARN, after the slash, is the identifier.
        let id = of["queueId"].as_str().and_then(|id| id.rsplit('/').next());
        self.queue_ids.extend(id.map(str::to_owned));
    }
}

/// Returns the elements of an array. A single object counts as an array of one.
fn list(json: &Value) -> &[Value] {
    match json {
        Value::Array(elements) => elements,
        Value::Object(_) => std::slice::from_ref(json),
        _ => &[],
    }
}

/// Returns the association request in a body, without its envelopes. A request without a `reference` gets the
/// identifier of its EventBridge event or SNS notification.
fn innermost(body: &str) -> Value {
    let read = |text: &str| serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or(Value::Null);
    let mut json: Value = read(body);
    // The deepest nesting is an event in a notification in an `unreadable` field.
    for _ in 0..3 {
        let (mut inner, id) = match &json {
            Value::Object(event) if event.contains_key("detail-type") => {
                (event.get("detail").cloned().unwrap_or_default(), event.get("id"))
            }
            Value::Object(note) if note.get("Type").is_some_and(|kind| kind == "Notification") => {
                (read(note.get("Message").and_then(Value::as_str).unwrap_or_default()), note.get("MessageId"))
            }
            _ => return json,
        };
        let has_none = inner.get("reference").is_none_or(Value::is_null);
        if let (true, Some(id), Value::Object(request)) = (has_none, id, &mut inner) {
            request.insert("reference".to_owned(), id.clone());
        }
        json = inner;
    }
    json
}

/// Returns the reason for a dead letter without `failures`, as far as its delivery shows it.
///
/// EventBridge writes its reason into the message's attributes (EventBridge User Guide, "Using dead-letter queues to
/// process undelivered events").
fn reason_of_delivery(message: &Message) -> Reason {
    let text = |name| message.message_attributes.as_ref()?.get(name)?.string_value.as_deref();
    let source = MessageSystemAttributeName::DeadLetterQueueSourceArn;
    if text("RULE_ARN").or(text("ERROR_CODE")).is_some() {
        let message = text("ERROR_MESSAGE").unwrap_or("EventBridge could not deliver the event");
        Reason::new(text("ERROR_CODE").unwrap_or(UNDELIVERED), message)
    } else if message.attributes.as_ref().is_some_and(|attributes| attributes.contains_key(&source)) {
        Reason::new(USED_UP, "every delivery of the message failed")
    } else {
        Reason::new(UNKNOWN, "the message contains no reason")
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::types::MessageAttributeValue;
    use serde_json::json;

    use super::*;

    fn letter(body: &str, change: impl FnOnce(&mut Message)) -> DeadLetter {
        let mut message = Message::builder()
            .message_id("m")
            .receipt_handle("h")
            .body(body)
            .attributes(MessageSystemAttributeName::SentTimestamp, "1700000000000")
            .attributes(MessageSystemAttributeName::ApproximateReceiveCount, "2")
            .build();
        change(&mut message);
        DeadLetter::read(&ReceivedMessage { id: "m".to_owned(), handle: "h".to_owned(), message })
    }

    fn texts(set: &BTreeSet<String>) -> Vec<&str> {
        set.iter().map(String::as_str).collect()
    }

    fn errors(letter: &DeadLetter) -> Vec<&str> {
        letter.reasons.iter().map(|reason| reason.error.as_str()).collect()
    }

    #[test]
    fn request_with_failures_has_their_reasons() {
        let body = json!({
            "instanceId": "i", "reference": "import-17",
            "associations": [{ "queueId": "arn:aws:connect:eu-central-1:1:instance/i/queue/q1", "emailAddressId": "e" }],
            "failures": [
                { "queueId": "q1", "emailAddressId": "e", "error": "QueueFull", "message": "full", "messageId": "m0" },
                { "queueId": "q2", "error": "NameNotFound", "message": "no such name", "reference": "import-18" },
                { "queueId": "q2", "error": "QueueFull", "message": "also full" },
            ],
        });
        let letter = letter(&body.to_string(), |_| {});
        assert_eq!(errors(&letter), ["QueueFull", "NameNotFound"]);
        assert_eq!(letter.reasons[0].message, "full");
        assert_eq!(texts(&letter.queue_ids), ["q1", "q2"]);
        assert_eq!(texts(&letter.references), ["import-17", "import-18", "m0"]);
        assert_eq!((letter.sent, letter.received), (Some(1_700_000_000_000), Some(2)));
    }

    #[test]
    fn unreadable_body_has_its_reason() {
        let failures = json!([{ "error": "InvalidRequest", "message": "not JSON", "messageId": "m0" }]);
        let letter = letter(&json!({ "unreadable": "{", "failures": failures }).to_string(), |_| {});
        assert_eq!((errors(&letter), texts(&letter.references)), (vec!["InvalidRequest"], vec!["m0"]));
    }

    #[test]
    fn message_moved_by_sqs_has_no_reason() {
        let body = json!({ "queueId": "q", "emailAddressId": "e" }).to_string();
        let source = "arn:aws:sqs:eu-central-1:1:associations".to_owned();
        let moved = letter(&body, |message| {
            let attributes = message.attributes.get_or_insert_default();
            attributes.insert(MessageSystemAttributeName::DeadLetterQueueSourceArn, source);
        });
        assert_eq!((errors(&moved), texts(&moved.references)), (vec![USED_UP], vec!["m"]));
        assert_eq!(texts(&moved.queue_ids), ["q"]);
        assert_eq!(errors(&letter("no JSON", |_| {})), [UNKNOWN]);
    }

    #[test]
    fn undelivered_event_has_its_reason_in_attributes() {
        let event = json!({ "id": "event-1", "detail-type": "t", "source": "s",
                            "detail": { "queueId": "q", "emailAddressId": "e" } });
        let text = |value: &str| {
            MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
        };
        let undelivered = letter(&event.to_string(), |message| {
            let attributes = message.message_attributes.get_or_insert_default();
            attributes.insert("RULE_ARN".to_owned(), text("arn:aws:events:eu-central-1:1:rule/r"));
            attributes.insert("ERROR_CODE".to_owned(), text("NO_PERMISSIONS"));
            attributes.insert("ERROR_MESSAGE".to_owned(), text("not allowed"));
        });
        assert_eq!(undelivered.reasons, [Reason::new("NO_PERMISSIONS", "not allowed")]);
        assert_eq!(texts(&undelivered.references), ["event-1"]);
        assert_eq!(texts(&undelivered.queue_ids), ["q"]);
        let notification = json!({ "Type": "Notification", "MessageId": "n", "Message": event.to_string() });
        assert_eq!(texts(&letter(&notification.to_string(), |_| {}).references), ["event-1"]);
    }
}
