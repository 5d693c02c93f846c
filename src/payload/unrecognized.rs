//! Describes an element of an array of records that is not a record, for the message that rejects the payload.
//!
//! Runs only on rejected payloads, because it parses them again element by element.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json::{Json, Text};

/// An element of an array of records that is not a record, or not of the same source as the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnrecognizedRecord {
    /// A message as the SQS API returns it, and `aws sqs receive-message` prints it.
    ApiMessage,
    /// An EventBridge event.
    Event,
    /// A record of this event source.
    OtherSource(String),
    /// Another object, such as a request or the body of a message.
    Object,
    /// A value that is not an object, by its type.
    Value(&'static str),
    /// The element could not be parsed again.
    Unknown,
}

impl UnrecognizedRecord {
    /// Describes the element at a position of the array, which is the payload itself or its `Records`.
    pub(super) fn at(payload: &str, position: usize) -> Self {
        let wanted = |index: usize, _: &Json<'_>| index == position;
        first(payload, wanted).map_or(UnrecognizedRecord::Unknown, |(_, foreign)| foreign)
    }

    /// Finds the first element that is not an object, and its position.
    pub(super) fn first_value(payload: &str) -> Option<(usize, Self)> {
        first(payload, |_, json| !matches!(json, Json::Object(_)))
    }

    fn of(json: &Json<'_>) -> Self {
        let Json::Object(_) = json else { return UnrecognizedRecord::Value(json.kind()) };
        let has = |name: &str| json.get(name).is_some();
        let source = json.get("eventSource").or(json.get("EventSource")).and_then(Json::as_str);
        if has("Body") && !has("body") || has("MessageId") && !has("messageId") {
            return UnrecognizedRecord::ApiMessage;
        }
        if ["detail-type", "source", "detail"].into_iter().all(has) {
            return UnrecognizedRecord::Event;
        }
        match source {
            Some(source) if is_event_source(source) => UnrecognizedRecord::OtherSource(source.to_owned()),
            _ => UnrecognizedRecord::Object,
        }
    }
}

/// Displays as a phrase that follows the element's place: "must be an SQS or SNS record, not a number".
impl fmt::Display for UnrecognizedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnrecognizedRecord::ApiMessage => f.write_str(
                "is a message from the SQS API (MessageId, Body), not a record; send it as {\"eventSource\": \
                 \"aws:sqs\", \"messageId\": its MessageId, \"body\": its Body}",
            ),
            UnrecognizedRecord::Event => {
                f.write_str("is an EventBridge event, not a record; send each event alone")
            }
            UnrecognizedRecord::OtherSource(source) => {
                write!(f, "is a record of {source}; expected only records of aws:sqs, or only of aws:sns")
            }
            UnrecognizedRecord::Object => {
                write!(f, "is not an SQS or SNS record: eventSource is missing; {INSTEAD}")
            }
            UnrecognizedRecord::Value(kind) => {
                write!(f, "must be an SQS or SNS record, not {kind}; {INSTEAD}")
            }
            UnrecognizedRecord::Unknown => f.write_str("is not an SQS or SNS record"),
        }
    }
}

/// The advice for other elements. A pipe with an input template sends only parts of its records.
const INSTEAD: &str = "send several requests as {\"Items\": [requests]} or as the associations of one request, and do not \
                       set an input template (InputTemplate) for a pipe";

/// Whether a text is the name of an AWS event source, such as `aws:kinesis`. Messages show no other text.
fn is_event_source(text: &str) -> bool {
    let name = text.strip_prefix("aws:").unwrap_or_default();
    (1..=30).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Finds the first wanted element of the array. Returns `None` if an element before it cannot be parsed.
fn first(payload: &str, wanted: impl Fn(usize, &Json<'_>) -> bool) -> Option<(usize, UnrecognizedRecord)> {
    let mut search = Search { wanted, found: None };
    // The deserializer returns an error if the search stops before the end of an array. The element found by then
    // counts.
    let _ = search.deserialize(&mut serde_json::Deserializer::from_str(payload));
    search.found
}

struct Search<W> {
    wanted: W,
    found: Option<(usize, UnrecognizedRecord)>,
}

impl<'de, W: Fn(usize, &Json<'_>) -> bool> DeserializeSeed<'de> for &mut Search<W> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, W: Fn(usize, &Json<'_>) -> bool> Visitor<'de> for &mut Search<W> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let mut position = 0;
        while let Some(element) = access.next_element::<Json<'de>>()? {
            if (self.wanted)(position, &element) {
                self.found = Some((position, UnrecognizedRecord::of(&element)));
                return Ok(());
            }
            position += 1;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = access.next_key()? {
            match &*key {
                "Records" => access.next_value_seed(&mut *self)?,
                _ => drop(access.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}
