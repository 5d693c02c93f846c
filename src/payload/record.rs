//! The fields of an SQS or SNS record that the function uses.
//!
//! AWS writes each of these fields as a string, so the first parse reads strings and is fast for a large batch. If a
//! field has another type, or invalid text such as a lone surrogate in a body, the function parses the payload again and
//! keeps these fields unparsed. So a bad field fails its own record and not the whole batch.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::Text;

/// An element of `Records`, or of the array that EventBridge Pipes sends.
#[derive(Debug, Deserialize)]
pub(super) struct Record<M> {
    #[serde(rename = "eventSource")]
    pub(super) sqs_source: Option<M>,
    #[serde(rename = "EventSource")]
    pub(super) sns_source: Option<M>,
    #[serde(rename = "messageId")]
    pub(super) message_id: Option<M>,
    pub(super) body: Option<M>,
    #[serde(rename = "eventSourceARN")]
    pub(super) event_source_arn: Option<M>,
    #[serde(rename = "receiptHandle")]
    pub(super) receipt_handle: Option<M>,
    pub(super) attributes: Option<Attributes<M>>,
    #[serde(rename = "Sns")]
    pub(super) sns: Option<Notification<M>>,
}

impl<M> Record<M> {
    /// Whether the element has an event source, as every record does.
    pub(super) fn has_source(&self) -> bool {
        self.sqs_source.is_some() || self.sns_source.is_some()
    }
}

/// `attributes` of an SQS record.
#[derive(Debug, Deserialize)]
pub(super) struct Attributes<M> {
    #[serde(rename = "MessageGroupId")]
    pub(super) message_group_id: Option<M>,
    #[serde(rename = "ApproximateReceiveCount")]
    pub(super) receive_count: Option<M>,
}

/// `Sns` of an SNS record.
#[derive(Debug, Deserialize)]
pub(super) struct Notification<M> {
    #[serde(rename = "MessageId")]
    pub(super) message_id: Option<M>,
    #[serde(rename = "Message")]
    pub(super) message: Option<M>,
}

/// A field of a record that should be a string.
pub(super) trait Member<'p>: Deserialize<'p> + Clone {
    fn read(self) -> Result<Cow<'p, str>, NotAString<'p>>;
}

#[derive(Debug)]
pub(super) struct NotAString<'p> {
    /// The field's JSON as in the payload. Empty if the field is missing.
    pub(super) raw: &'p str,
    /// The reason, as a phrase that follows the field's name: "is missing".
    pub(super) reason: String,
}

impl<'p> Member<'p> for Text<'p> {
    fn read(self) -> Result<Cow<'p, str>, NotAString<'p>> {
        Ok(self.0)
    }
}

impl<'p> Member<'p> for &'p RawValue {
    fn read(self) -> Result<Cow<'p, str>, NotAString<'p>> {
        let raw = self.get();
        let kind = match raw.as_bytes().first() {
            Some(b'"') => {
                return serde_json::from_str::<Text<'p>>(raw)
                    .map(|text| text.0)
                    .map_err(|error| NotAString { raw, reason: format!("is not valid text: {error}") });
            }
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b't' | b'f') => "a boolean",
            _ => "a number",
        };
        Err(NotAString { raw, reason: format!("must be a string, not {kind}") })
    }
}

/// Returns the string of a field, or an error if the field is missing or not a string.
pub(super) fn read<'p, M: Member<'p>>(member: Option<M>) -> Result<Cow<'p, str>, NotAString<'p>> {
    member.map_or_else(|| Err(NotAString { raw: "", reason: "is missing".to_owned() }), M::read)
}

/// Returns the string of a field, or `None` if the field is missing or not a string.
pub(super) fn text<'p, M: Member<'p>>(member: Option<M>) -> Option<Cow<'p, str>> {
    member.and_then(|member| member.read().ok())
}
