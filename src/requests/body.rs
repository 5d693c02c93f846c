//! The body of a message: a request, or one of the wrappings that a request travels in.

use crate::payload::Json;

use super::{Invalid, Path};

/// Parses the body of an SQS message or an SNS notification, takes the wrappings off, and hands the request on.
///
/// The wrappings: an SNS notification around a request or an event, an EventBridge event around a request, and
/// `{"unreadable": "…"}` around a body that could not be read when it was met before.
///
/// # Errors
/// Why the body cannot be read. It has no path: the body as a whole is at fault.
pub fn with_request<T>(body: &str, then: impl FnOnce(&Json<'_>) -> T) -> Result<T, Invalid> {
    let json = parse(body)?;
    // Each round is inside a string of the one before, and every level of escaping doubles: the depth is bounded
    // by the logarithm of the body's size.
    if let Some(text) = json.get("unreadable").and_then(Json::as_str) {
        return with_request(text, then);
    }
    if json.get("Type").and_then(Json::as_str) == Some("Notification") {
        let Some(message) = json.get("Message").and_then(Json::as_str) else {
            return Err(whole("the notification has no text as its Message".to_owned()));
        };
        let inner = parse(message)
            .map_err(|invalid| whole(format!("the Message of the notification: {}", invalid.message)))?;
        return Ok(then(event_detail(&inner)));
    }
    Ok(then(event_detail(&json)))
}

/// The detail of an EventBridge event, or the document itself where it is none.
fn event_detail<'j, 'a>(json: &'j Json<'a>) -> &'j Json<'a> {
    match (json.get("detail-type"), json.get("source"), json.get("detail")) {
        (Some(_), Some(_), Some(detail)) => detail,
        _ => json,
    }
}

fn parse(text: &str) -> Result<Json<'_>, Invalid> {
    Json::parse(text).map_err(|error| whole(format!("the body is not valid JSON: {error}")))
}

fn whole(message: String) -> Invalid {
    Invalid::new(Path::default(), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &str) -> Result<String, String> {
        with_request(body, |json| serde_json::to_string(json).unwrap()).map_err(|invalid| invalid.message)
    }

    #[test]
    fn wrappings_come_off() {
        let request_text = r#"{"queueId":"q","emailAddressId":"e"}"#;
        let event = format!(r#"{{"source":"s","detail-type":"t","detail":{request_text}}}"#);
        let notification = |text: &str| {
            format!(r#"{{"Type":"Notification","Message":{}}}"#, Json::String(text.into()).text())
        };
        let unreadable =
            |text: &str| format!(r#"{{"unreadable":{},"failures":[]}}"#, Json::String(text.into()).text());
        for body in [
            request_text.to_owned(),
            event.clone(),
            notification(request_text),
            notification(&event),
            unreadable(request_text),
            unreadable(&notification(&event)),
            unreadable(&unreadable(&event)),
        ] {
            assert_eq!(request(&body).as_deref(), Ok(request_text), "{body}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        for (body, message) in [
            ("", "the body is not valid JSON: EOF while parsing a value at line 1 column 0"),
            ("{\n  nope", "the body is not valid JSON: key must be a string at line 2 column 3"),
            (r#"{"Type":"Notification"}"#, "the notification has no text as its Message"),
            (
                r#"{"Type":"Notification","Message":"{"}"#,
                "the Message of the notification: the body is not valid JSON: EOF while parsing an object at line 1 \
                 column 1",
            ),
            (r#"{"unreadable":"nope"}"#, "the body is not valid JSON: expected ident at line 1 column 2"),
        ] {
            assert_eq!(request(body), Err(message.to_owned()), "{body}");
        }
    }

    impl Json<'_> {
        fn text(&self) -> String {
            serde_json::to_string(self).unwrap()
        }
    }
}
