//! Reads the text of a message, which is a request or an envelope around one.

use std::borrow::Cow;

use crate::payload::{Json, Members};

use super::mistakes::{misplaced, misplaced_field};
use super::{Invalid, Path};

/// Maximum number of envelopes around one request. An unreadable dead letter has one, and an SNS notification adds one
/// more. Each envelope contains a copy of the text, so a body of nothing but envelopes would take memory that grows with
/// more than the square of its size.
const MAX_ENVELOPES: usize = 8;

/// A body, or the content of the envelope around it.
enum Opened<'a> {
    /// A request without an envelope, or the detail of an EventBridge event.
    Request(Json<'a>),
    /// `{"unreadable": "…"}`: the text of a body that the function could not read earlier.
    Unreadable(Cow<'a, str>),
    /// An SNS notification: the text of its message.
    Notification(Cow<'a, str>),
}

/// Parses the body of an SQS message or an SNS notification, removes its envelopes, and passes the request to `then`.
///
/// The envelopes are an SNS notification around a request or an event, an EventBridge event around a request, and
/// `{"unreadable": "…"}` around a body that the function could not read earlier.
///
/// # Errors
/// Returns the reason why the body cannot be read. It has no path, because it concerns the whole body.
pub fn with_request<T>(body: &str, then: impl FnOnce(&Json<'_>) -> T) -> Result<T, Invalid> {
    let mut text = Cow::Borrowed(body);
    let mut subject = "the body";
    for _ in 0..=MAX_ENVELOPES {
        let json = Json::parse_after_mark(&text).map_err(|error| whole(not_json(subject, &text, &error)))?;
        let inner = match open(json)? {
            Opened::Request(request) => return Ok(then(&request)),
            Opened::Unreadable(text) => text,
            Opened::Notification(message) => {
                subject = "the Message of the notification";
                message
            }
        };
        // A text with JSON in it has escapes, so it is owned already and is not copied.
        text = Cow::Owned(inner.into_owned());
    }
    Err(whole(format!(
        "the request is nested in more than {MAX_ENVELOPES} envelopes; at most {MAX_ENVELOPES} are allowed"
    )))
}

/// Returns an unreadable body without the `unreadable` envelope that the function added earlier.
pub(crate) fn innermost(body: &str) -> Cow<'_, str> {
    match Json::parse_after_mark(body).map(open) {
        Ok(Ok(Opened::Unreadable(text))) => text,
        Ok(_) | Err(_) => Cow::Borrowed(body),
    }
}

fn not_json(subject: &str, text: &str, error: &serde_json::Error) -> String {
    let hint = if Json::is_followed_by_another(text) {
        "; it contains several JSON documents: send each as its own message, or all of them as the associations of one \
         request"
    } else {
        ""
    };
    format!("{subject} is not valid JSON: {error}{hint}")
}

/// Removes an envelope. An object with pairs is a request, because removing an envelope would drop those pairs.
fn open(json: Json<'_>) -> Result<Opened<'_>, Invalid> {
    let Json::Object(mut members) = json else { return Ok(Opened::Request(json)) };
    let Some(content_field) = content_field(&members) else {
        return Ok(Opened::Request(Json::Object(members)));
    };
    match misplaced_field(&members) {
        Some(field) if field.requests_pairs() => return Ok(Opened::Request(Json::Object(members))),
        Some(field) => {
            return Err(misplaced(field, content_field, &format!("the request in {content_field}")));
        }
        None => {}
    }
    let is_content = |(name, _): &(Cow<'_, str>, Json<'_>)| name == content_field;
    let content = members.iter().rposition(is_content).map(|place| members.swap_remove(place).1);
    // Either choice of two such fields would silently drop the other.
    if members.iter().any(is_content) {
        return Err(whole(format!("duplicate field \"{content_field}\"")));
    }
    match (content_field, content) {
        ("unreadable", Some(Json::String(text))) => Ok(Opened::Unreadable(text)),
        ("Message", Some(Json::String(text))) => Ok(Opened::Notification(text)),
        ("detail", Some(detail)) => Ok(Opened::Request(detail)),
        _ => {
            let message =
                "the Message of the notification must be a string with the JSON of a request or an event";
            Err(whole(message.to_owned()))
        }
    }
}

/// Returns the field that contains the request, if the object is an envelope.
fn content_field(members: &Members<'_>) -> Option<&'static str> {
    let member = |name: &str| members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value);
    let text = |name| member(name).and_then(Json::as_str);
    if text("unreadable").is_some() {
        Some("unreadable")
    } else if text("Type") == Some("Notification") {
        Some("Message")
    } else if ["detail-type", "source", "detail"].into_iter().all(|name| member(name).is_some()) {
        Some("detail")
    } else {
        None
    }
}

fn whole(message: String) -> Invalid {
    Invalid::new(Path::default(), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &str) -> Result<String, String> {
        with_request(body, |json| serde_json::to_string(json).unwrap())
            .map_err(|invalid| invalid.message.to_string())
    }

    #[test]
    fn request_with_pairs_is_not_an_envelope() {
        for body in [
            r#"{"unreadable":"nope","associations":[]}"#,
            r#"{"unreadable":"nope","Associations":[]}"#,
            r#"{"Type":"Notification","Message":"nope","queueId":"q"}"#,
            r#"{"detail-type":"t","source":"s","detail":{},"emailAddressIds":[]}"#,
        ] {
            assert_eq!(request(body).as_deref(), Ok(body));
        }
    }

    /// A backslash that is escaped as `\\u005c` does not double with each envelope, so a message can have hundreds of
    /// envelopes. Without the limit, the function had all of their texts in memory: 100 MB for a message of 1 MB.
    #[test]
    fn body_of_envelopes_alone_is_rejected() {
        let mut body = "{}".to_owned();
        for envelopes in 1..60 {
            let escaped = body.replace('\\', "\\u005c").replace('"', "\\u0022");
            body = format!(r#"{{"unreadable":"{escaped}"}}"#);
            assert_eq!(request(&body).is_ok(), envelopes <= 8);
        }
    }
}
