//! Describes a payload without an envelope, or an element of its array that is not an SQS or SNS record like the others,
//! and says what to send instead.
//!
//! The payload is parsed again, because the first parse keeps only the fields of records.

use serde_json::value::RawValue;

use super::item::RawFields;
use super::json::Json;

/// The advice for other elements. A pipe with an input template sends only parts of its records.
const INSTEAD: &str = "send several requests as {\"Items\": [requests]} or as the associations of one request; if this \
                       comes from an EventBridge pipe, remove its input template";

/// Describes a payload that is not an object or an array.
pub(super) fn value(value: &Json<'_>) -> String {
    format!("the payload must be an object or an array of SQS or SNS records, not {}", kind(value))
}

pub(super) fn duplicate(name: &str) -> String {
    format!("duplicate field {name:?}")
}

fn kind(value: &Json<'_>) -> &'static str {
    match value.as_str() {
        Some(text) if text.trim_start().starts_with(['{', '[']) => {
            "a string that contains JSON (encoded twice?)"
        }
        _ => value.kind(),
    }
}

pub(super) fn element_path(payload: &str, position: usize) -> String {
    let name = if is_array(payload) { "" } else { "Records" };
    format!("{name}[{position}]")
}

pub(super) fn unrecognized_element(payload: &str, position: usize) -> String {
    let description = match elements(payload).get(position).map(|element| Json::parse(element.get())) {
        Some(Ok(json)) => describe(&json),
        Some(Err(_)) | None => "is not an SQS or SNS record".to_owned(),
    };
    format!("{} {description}", element_path(payload, position))
}

/// Describes `Records` if they are not one array, or else the first element that is not an object. Returns `None` if
/// there is no such mistake.
pub(super) fn mistake(payload: &str) -> Option<String> {
    match records(payload)[..] {
        [one] if !one.get().starts_with('[') => {
            let records = Json::parse(one.get()).ok()?;
            return Some(format!("Records must be an array, not {}", kind(&records)));
        }
        [_, _, ..] => return Some(duplicate("Records")),
        _ => {}
    }
    let is_value = |element: &&RawValue| !element.get().starts_with('{');
    let position = elements(payload).iter().position(is_value)?;
    Some(unrecognized_element(payload, position))
}

/// Whether an element is a message as the SQS API returns it, and `aws sqs receive-message` prints it.
pub(super) fn is_api_message(payload: &str, position: usize) -> bool {
    let element = elements(payload).get(position).copied();
    element
        .and_then(|element| Json::parse(element.get()).ok())
        .is_some_and(|json| looks_like_api_message(&json))
}

fn looks_like_api_message(json: &Json<'_>) -> bool {
    let has = |name: &str| json.get(name).is_some();
    has("Body") && !has("body") || has("MessageId") && !has("messageId")
}

/// The elements of the payload's array. Empty if the payload cannot be parsed.
fn elements(payload: &str) -> Vec<&RawValue> {
    if is_array(payload) {
        return serde_json::from_str(payload).unwrap_or_default();
    }
    let records = records(payload);
    records.last().and_then(|records| serde_json::from_str(records.get()).ok()).unwrap_or_default()
}

/// The value of each field `Records`. Empty if the payload is not an object.
fn records(payload: &str) -> Vec<&RawValue> {
    let fields = serde_json::from_str(payload).map(|RawFields(fields)| fields).unwrap_or_default();
    fields.into_iter().filter(|(name, _)| name == "Records").map(|(_, records)| records).collect()
}

fn is_array(payload: &str) -> bool {
    payload.trim_start().starts_with('[')
}

/// Returns a phrase that follows the element's path.
fn describe(json: &Json<'_>) -> String {
    let Json::Object(_) = json else {
        return format!("must be an SQS or SNS record, not {}; {INSTEAD}", json.kind());
    };
    if looks_like_api_message(json) {
        return "is a message from the SQS API (MessageId, Body), not a record; send it as {\"eventSource\": \
                \"aws:sqs\", \"messageId\": <its MessageId>, \"body\": <its Body>}"
            .to_owned();
    }
    if ["detail-type", "source", "detail"].into_iter().all(|name| json.get(name).is_some()) {
        return "is an EventBridge event, not a record; send each event alone".to_owned();
    }
    match json.get("eventSource").or(json.get("EventSource")).and_then(Json::as_str) {
        Some(source) if is_event_source(source) => {
            format!("is a record of {source}; expected only records of aws:sqs, or only of aws:sns")
        }
        _ => format!("is not an SQS or SNS record: eventSource is missing; {INSTEAD}"),
    }
}

/// Whether a text is the name of an AWS event source, such as `aws:kinesis`. Messages show no other text.
fn is_event_source(text: &str) -> bool {
    let name = text.strip_prefix("aws:").unwrap_or_default();
    (1..=30).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}
