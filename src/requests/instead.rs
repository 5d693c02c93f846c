//! Instead: advice for well-known mistakes, if a payload or body holds no request.

use crate::payload::{Json, Members};

use super::beside::names_pairs;
use super::folded::is_nearly;
use super::invalid::shown;

/// Describes an object that names no pairs, and the form to send instead. The phrase follows "the request".
pub(super) fn instead_of_object(members: &Members<'_>) -> Option<String> {
    let member = |name: &str| members.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let has = |names: &[&str]| names.iter().all(|name| member(name).is_some());
    if matches!(member("Messages"), Some(Json::Array(_))) {
        return Some(format!("looks like the output of aws sqs receive-message (Messages); {AS_RECORDS}"));
    }
    if has(&["MessageId", "Body"]) {
        return Some(format!(
            "looks like a message as the SQS API writes it (MessageId, Body); {AS_RECORDS}"
        ));
    }
    if has(&["messageId", "body"]) {
        return Some("looks like one record of an SQS batch; send it as {\"Records\": [record]}".to_owned());
    }
    if member("detail").is_some() {
        let missing = ["detail-type", "source"].into_iter().find(|name| member(name).is_none())?;
        return Some(format!(
            "looks like an EventBridge event without {missing}; an event has detail-type, source and detail"
        ));
    }
    let envelope = |name: &str| ["Records", "Items"].into_iter().find(|known| is_nearly(name, known));
    if let Some((name, known)) = members.iter().find_map(|(name, _)| Some((name, envelope(name)?))) {
        return Some(if name == known {
            format!(
                "has {known}, as an envelope has; a request has associations, or queueId and emailAddressId"
            )
        } else {
            format!("has {:?}, which no envelope has; {known} was meant", shown(name))
        });
    }
    let (name, _) = members.iter().find(|(_, value)| holds_request(value))?;
    Some(format!("holds another request in {:?}; send that one by itself", shown(name)))
}

/// Names the form to send instead of a value that is no object. The phrase ends a message.
pub(super) fn instead_of_value(value: &Json<'_>) -> &'static str {
    match value {
        Json::Array(_) => {
            "; send each of its elements as a request by itself, or all of them as the associations of one request"
        }
        Json::String(text) if is_json(text) => {
            "; the string holds JSON, so the request was encoded twice: send the object itself"
        }
        _ => "",
    }
}

const AS_RECORDS: &str = "send each message as a record of an SQS batch, {\"Records\": [{\"eventSource\": \"aws:sqs\", \
                          \"messageId\": its MessageId, \"body\": its Body}]}";

/// Whether a value is a request, or has one as its first element or as its text.
fn holds_request(value: &Json<'_>) -> bool {
    match value {
        Json::Object(members) => names_pairs(members),
        Json::Array(list) => matches!(list.first(), Some(Json::Object(members)) if names_pairs(members)),
        Json::String(text) if is_json(text) => {
            matches!(Json::parse(text), Ok(Json::Object(members)) if names_pairs(&members))
        }
        Json::String(_) | Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instead(json: &str) -> String {
        match Json::parse(json).unwrap() {
            Json::Object(members) => instead_of_object(&members).unwrap_or_default(),
            other => instead_of_value(&other).to_owned(),
        }
    }

    #[test]
    fn mistakes_are_recognised() {
        for (json, words) in [
            (r#"{"Messages":[{"MessageId":"m","Body":"{}"}]}"#, "the output of aws sqs receive-message"),
            (r#"{"MessageId":"m","ReceiptHandle":"h","Body":"{}"}"#, "a message as the SQS API writes it"),
            (
                r#"{"messageId":"m","body":"{}","eventSource":"aws:sqs"}"#,
                r#"send it as {"Records": [record]}"#,
            ),
            (r#"{"detail":{"queueId":"q"},"source":"s"}"#, "an EventBridge event without detail-type"),
            (r#"{"records":[]}"#, r#"has "records", which no envelope has; Records was meant"#),
            (r#"{"items":[{"queueId":"q"}]}"#, r#"has "items", which no envelope has; Items was meant"#),
            (r#"{"Records":[{"eventSource":"aws:s3"}]}"#, "has Records, as an envelope has"),
            (r#"{"Payload":{"queueId":"q"}}"#, r#"holds another request in "Payload""#),
            (r#"{"requests":[{"queueId":"q"},{"queueId":"p"}]}"#, r#"holds another request in "requests""#),
            (r#"{"body":"{\"queueId\":\"q\"}"}"#, r#"holds another request in "body""#),
            (r#"[{"queueId":"q"}]"#, "send each of its elements as a request by itself"),
            (r#""{\"queueId\":\"q\"}""#, "the request was encoded twice"),
        ] {
            assert!(instead(json).contains(words), "{json}: {}", instead(json));
        }
    }

    #[test]
    fn nothing_is_guessed() {
        for json in
            ["{}", r#"{"instanceId":"i","dryRun":true}"#, r#"{"note":{"x":1},"text":"{"}"#, "5", r#""text""#]
        {
            assert_eq!(instead(json), "", "{json}");
        }
    }
}
