//! One record of an SQS or SNS batch, kept as raw as it came.
//!
//! Only the members that the function acts on are kept, and those stay text until their own record is handled:
//! a body with a lone surrogate, or one that is no string, is that record's failure and not the batch's.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::Text;

/// A record as it stands in `Records`, or in the array that EventBridge Pipes sends.
#[derive(Debug, Deserialize)]
pub(super) struct RawRecord<'p> {
    #[serde(borrow, rename = "eventSource")]
    pub(super) sqs_source: Option<&'p RawValue>,
    #[serde(borrow, rename = "EventSource")]
    pub(super) sns_source: Option<&'p RawValue>,
    #[serde(borrow, rename = "messageId")]
    pub(super) message_id: Option<&'p RawValue>,
    #[serde(borrow)]
    pub(super) body: Option<&'p RawValue>,
    #[serde(borrow, rename = "eventSourceARN")]
    pub(super) event_source_arn: Option<&'p RawValue>,
    #[serde(borrow)]
    pub(super) attributes: Option<Attributes<'p>>,
    #[serde(borrow, rename = "Sns")]
    pub(super) sns: Option<Notification<'p>>,
}

/// `attributes` of an SQS record.
#[derive(Debug, Deserialize)]
pub(super) struct Attributes<'p> {
    #[serde(borrow, rename = "MessageGroupId")]
    pub(super) message_group_id: Option<&'p RawValue>,
    #[serde(borrow, rename = "ApproximateReceiveCount")]
    pub(super) receive_count: Option<&'p RawValue>,
}

/// `Sns` of an SNS record.
#[derive(Debug, Deserialize)]
pub(super) struct Notification<'p> {
    #[serde(borrow, rename = "MessageId")]
    pub(super) message_id: Option<&'p RawValue>,
    #[serde(borrow, rename = "Message")]
    pub(super) message: Option<&'p RawValue>,
}

/// The string that a member holds, if it is there and is one.
pub(super) fn text<'p>(member: Option<&'p RawValue>) -> Option<Cow<'p, str>> {
    read(member).ok()
}

/// The string that a member holds.
///
/// # Errors
/// Why there is none, to stand behind the member's name: "is missing".
pub(super) fn read<'p>(member: Option<&'p RawValue>) -> Result<Cow<'p, str>, String> {
    let Some(raw) = member else { return Err("is missing".to_owned()) };
    let kind = match raw.get().as_bytes().first() {
        Some(b'"') => {
            return serde_json::from_str::<Text<'p>>(raw.get())
                .map(|text| text.0)
                .map_err(|error| format!("is not valid text: {error}"));
        }
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "a boolean",
        _ => "a number",
    };
    Err(format!("is {kind}; a string is expected"))
}
