//! Record: the members of an SQS or SNS record that the function uses.
//!
//! AWS writes each of these members as a string, so the first parse reads strings and is fast for a large batch. A
//! member may have another type, or hold invalid text such as a lone surrogate in a body. The function then parses the
//! payload again and keeps the members raw. So a bad member fails its own record and not the whole batch.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::Text;

/// A record as it stands in `Records`, or in the array that EventBridge Pipes sends.
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
    /// Whether the element names an event source, as every record does.
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

/// A member of a record that should hold a string.
pub(super) trait Member<'p>: Deserialize<'p> + Clone {
    /// Returns the string.
    ///
    /// # Errors
    /// [`NoText`] if the member holds no string.
    fn read(self) -> Result<Cow<'p, str>, NoText<'p>>;
}

/// A member that holds no string.
#[derive(Debug)]
pub(super) struct NoText<'p> {
    /// The member's JSON as it stands in the payload. Empty if the member is missing.
    pub(super) raw: &'p str,
    /// The reason, which follows the member's name in a message: "is missing".
    pub(super) reason: String,
}

impl<'p> Member<'p> for Text<'p> {
    fn read(self) -> Result<Cow<'p, str>, NoText<'p>> {
        Ok(self.0)
    }
}

impl<'p> Member<'p> for &'p RawValue {
    fn read(self) -> Result<Cow<'p, str>, NoText<'p>> {
        let raw = self.get();
        let kind = match raw.as_bytes().first() {
            Some(b'"') => {
                return serde_json::from_str::<Text<'p>>(raw)
                    .map(|text| text.0)
                    .map_err(|error| NoText { raw, reason: format!("is not valid text: {error}") });
            }
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b't' | b'f') => "a boolean",
            _ => "a number",
        };
        Err(NoText { raw, reason: format!("is {kind}; a string is expected") })
    }
}

/// Returns the string that a member holds.
///
/// # Errors
/// [`NoText`] if the member is missing or holds no string.
pub(super) fn read<'p, M: Member<'p>>(member: Option<M>) -> Result<Cow<'p, str>, NoText<'p>> {
    member.map_or_else(|| Err(NoText { raw: "", reason: "is missing".to_owned() }), M::read)
}

/// Returns the string that a member holds. `None` if the member is missing or holds no string.
pub(super) fn text<'p, M: Member<'p>>(member: Option<M>) -> Option<Cow<'p, str>> {
    member.and_then(|member| member.read().ok())
}
