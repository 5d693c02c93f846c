//! Foreign elements: describes an element of a list of records that is no record, for the message that refuses the
//! payload.
//!
//! Only a refused payload is read in this way, because it is read once more and one element at a time.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json::{Json, Text};

/// An element of a list of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Foreign {
    /// A message as the SQS API writes it, and `aws sqs receive-message` prints it.
    ApiMessage,
    /// An EventBridge event.
    Event,
    /// A record of this event source. It is another service's, or the other records have another source.
    OtherSource(String),
    /// Another object, such as a request or the body of a message.
    Object,
    /// A value that is no object.
    Value(&'static str),
    /// The element could not be read again.
    Unknown,
}

impl Foreign {
    /// The element at a position of the list, which is the payload itself or its `Records`.
    pub(super) fn at(payload: &str, position: usize) -> Self {
        let wanted = |index: usize, _: &Json<'_>| index == position;
        first(payload, wanted).map_or(Foreign::Unknown, |(_, foreign)| foreign)
    }

    /// The first element that is no object, and its position.
    pub(super) fn first_value(payload: &str) -> Option<(usize, Self)> {
        first(payload, |_, json| !matches!(json, Json::Object(_)))
    }

    fn of(json: &Json<'_>) -> Self {
        let Json::Object(_) = json else { return Foreign::Value(json.kind()) };
        let has = |name: &str| json.get(name).is_some();
        let source = json.get("eventSource").or(json.get("EventSource")).and_then(Json::as_str);
        if has("Body") && !has("body") || has("MessageId") && !has("messageId") {
            return Foreign::ApiMessage;
        }
        if ["detail-type", "source", "detail"].into_iter().all(has) {
            return Foreign::Event;
        }
        match source {
            Some(source) if is_event_source(source) => Foreign::OtherSource(source.to_owned()),
            _ => Foreign::Object,
        }
    }

    /// The advice that ends the message.
    fn instead(&self) -> &'static str {
        match self {
            Foreign::ApiMessage => {
                "; send each message as {\"eventSource\": \"aws:sqs\", \"messageId\": its MessageId, \"body\": its Body}"
            }
            Foreign::Event => "; send each event by itself",
            Foreign::Object | Foreign::Value(_) => {
                "; a pipe sends whole records if its target has no input template (InputTemplate); to send several \
                 requests at once, send {\"Items\": [requests]} or the associations of one request"
            }
            Foreign::OtherSource(_) | Foreign::Unknown => "",
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Foreign::ApiMessage => f.write_str("a message as the SQS API writes it (MessageId, Body)")?,
            Foreign::Event => f.write_str("an EventBridge event")?,
            Foreign::OtherSource(source) => write!(f, "a record of {source}")?,
            Foreign::Object => {
                f.write_str("an object without eventSource, like a request or the body of a message")?;
            }
            Foreign::Value(kind) => f.write_str(kind)?,
            Foreign::Unknown => f.write_str("something else")?,
        }
        write!(f, "; accepted are records of aws:sqs or of aws:sns, not mixed{}", self.instead())
    }
}

/// Whether a text is the name of an AWS event source, such as `aws:kinesis`. Messages show no other text.
fn is_event_source(text: &str) -> bool {
    let name = text.strip_prefix("aws:").unwrap_or_default();
    (1..=30).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Finds the first wanted element of the list. Returns `None` if an element before it cannot be read.
fn first(payload: &str, wanted: impl Fn(usize, &Json<'_>) -> bool) -> Option<(usize, Foreign)> {
    let mut search = Search { wanted, found: None };
    // The deserializer returns an error when the search stops before the end of a list. The element found by then
    // counts.
    let _ = search.deserialize(&mut serde_json::Deserializer::from_str(payload));
    search.found
}

struct Search<W> {
    wanted: W,
    found: Option<(usize, Foreign)>,
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
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let mut position = 0;
        while let Some(element) = access.next_element::<Json<'de>>()? {
            if (self.wanted)(position, &element) {
                self.found = Some((position, Foreign::of(&element)));
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
