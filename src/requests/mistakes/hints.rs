//! Hints for well-known mistakes, if a payload or body contains no request.

use crate::payload::{Json, Members};
use crate::requests::Field;
use crate::requests::invalid::shortened;

use super::misplaced::misplaced_field;
use super::similar::is_similar;

/// Describes an object that specifies no pairs, and says what to send instead.
pub(in crate::requests) fn hint_for_object(members: &Members<'_>) -> Option<String> {
    let member = |name: &str| members.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let has = |names: &[&str]| names.iter().all(|name| member(name).is_some());
    if matches!(member("Messages"), Some(Json::Array(_))) {
        return Some(format!(
            "the request looks like the output of aws sqs receive-message (Messages); {AS_RECORDS}"
        ));
    }
    if has(&["MessageId", "Body"]) {
        return Some(format!(
            "the request looks like a message from the SQS API (MessageId, Body); {AS_RECORDS}"
        ));
    }
    if has(&["messageId", "body"]) {
        return Some(
            "the request looks like one record of an SQS batch; send it as {\"Records\": [record]}"
                .to_owned(),
        );
    }
    if member("detail").is_some() {
        let missing = ["detail-type", "source"].into_iter().find(|name| member(name).is_none())?;
        return Some(format!(
            "the request looks like an EventBridge event without {missing}; expected detail-type, source and detail"
        ));
    }
    let envelope = |name: &str| ["Records", "Items"].into_iter().find(|known| is_similar(name, known));
    if let Some((name, known)) = members.iter().find_map(|(name, _)| Some((name, envelope(name)?))) {
        return Some(if name == known {
            format!(
                "the request has {known}, like an envelope; expected associations, or queueId and emailAddressId"
            )
        } else {
            format!("unknown field {:?}; did you mean {known:?}?", shortened(name))
        });
    }
    let (name, _) = members.iter().find(|(_, value)| contains_request(value))?;
    Some(format!(
        "the request is wrapped in a field {:?}; send only the value of that field",
        shortened(name)
    ))
}

/// Says what to send instead of a value that is not an object. The phrase ends a message.
pub(in crate::requests) fn hint_for_value(value: &Json<'_>) -> &'static str {
    match value {
        Json::Array(_) => {
            "; send each element as its own request, or all of them as the associations of one request"
        }
        Json::String(text) if is_json(text) => "; it is JSON that was encoded twice: send the object itself",
        _ => "",
    }
}

const AS_RECORDS: &str = "send each message as a record of an SQS batch, {\"Records\": [{\"eventSource\": \"aws:sqs\", \
                          \"messageId\": <its MessageId>, \"body\": <its Body>}]}";

/// Whether a value is a request, or has one as its first element or as its text.
fn contains_request(value: &Json<'_>) -> bool {
    match value {
        Json::Object(members) => has_pairs(members),
        Json::Array(list) => matches!(list.first(), Some(Json::Object(members)) if has_pairs(members)),
        Json::String(text) if is_json(text) => {
            matches!(Json::parse(text), Ok(Json::Object(members)) if has_pairs(&members))
        }
        Json::String(_) | Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

fn has_pairs(members: &Members<'_>) -> bool {
    misplaced_field(members).is_some_and(Field::requests_pairs)
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(json: &str) -> String {
        match Json::parse(json).unwrap() {
            Json::Object(members) => hint_for_object(&members).unwrap_or_default(),
            other => hint_for_value(&other).to_owned(),
        }
    }

    #[test]
    fn nested_requests_are_recognised() {
        for json in [
            r#"{"Payload":{"queueId":"q"}}"#,
            r#"{"Payload":[{"queueId":"q"},{"queueId":"p"}]}"#,
            r#"{"Payload":"{\"queueId\":\"q\"}"}"#,
        ] {
            assert!(hint(json).contains("wrapped in a field \"Payload\""), "{json}: {}", hint(json));
        }
    }

    #[test]
    fn other_input_has_no_hint() {
        for json in
            ["{}", r#"{"instanceId":"i","dryRun":true}"#, r#"{"note":{"x":1},"text":"{"}"#, "5", r#""text""#]
        {
            assert_eq!(hint(json), "", "{json}");
        }
    }
}
