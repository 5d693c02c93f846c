//! The bodies of messages that are sent on: association requests of what failed, and nothing else.
//!
//! Pairs are written out with their instance, under the names that the caller used. What is invalid is written as it
//! stood in the request. A body that could not be read goes as a whole, as `{"unreadable": "…"}`.

use std::borrow::Cow;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::failures::{Failed, Origin};
use crate::pairs::Pairs;
use crate::payload::{Body, Json, Members};
use crate::requests::{Field, Name, Path, unwrapped, with_request};
use crate::writer::pair_entries;

use super::original::Original;
use super::parts::parts;

/// The largest message (SQS Developer Guide, "Amazon SQS message quotas": 1 MiB). Only what cannot be cut is larger.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// What is sent on of one source to one queue.
pub(super) struct Carried<'a> {
    /// The failures, by their number.
    pub(super) failures: &'a [(usize, &'a Failed)],
    /// They are dead letters, whose reasons go beside the pairs for a person. Otherwise they are a continuation.
    pub(super) with_reasons: bool,
    /// What the source asked for.
    pub(super) body: &'a Body<'a>,
    /// The instance of requests that name none.
    pub(super) default_instance: Option<&'a str>,
}

/// One or more bodies, each with the numbers of the failures that it carries.
pub(super) fn bodies(carried: &Carried<'_>, pairs: &Pairs) -> Vec<(String, Vec<usize>)> {
    let whole = carried.failures.iter().any(|(_, failed)| match failed.origin {
        Origin::Invalid(path) => is_whole(path),
        Origin::Pair { .. } => false,
    });
    if whole {
        let numbers = carried.failures.iter().map(|(number, _)| *number).collect();
        return vec![(whole_body(carried), numbers)];
    }
    let of_request = |original: Option<Original<'_, '_>>| {
        let parts = parts(carried.failures, carried.with_reasons, pairs, original);
        parts.iter().map(|part| part_body(part, carried, pairs, original)).collect()
    };
    match carried.body {
        // What was read before can be read again.
        Body::Text(text) => with_request(text, |json| of_request(Some(Original::new(json))))
            .unwrap_or_else(|_| of_request(None)),
        Body::Request(json) => of_request(Some(Original::new(json))),
        Body::Unreadable { .. } | Body::Items { .. } => of_request(None),
    }
}

/// Whether it is the request, or the body, as a whole that is invalid: neither an entry nor an element of a list.
fn is_whole(path: Path) -> bool {
    path.entry_index().is_none() && path.list_element().is_none()
}

/// A source whose request as a whole is invalid: the request as it was, or the text that could not be read.
fn whole_body(carried: &Carried<'_>) -> String {
    let reasons = carried.with_reasons.then(|| reasons(carried.failures));
    let unreadable = |text: &str| {
        let mut body = json!({ "unreadable": text });
        if let Some(reasons) = &reasons {
            body["failures"] = reasons.clone();
        }
        sendable(&body)
    };
    let request = |json: &Json<'_>| match json {
        Json::Object(members) => {
            let instance = carried.default_instance.filter(|_| takes_default_instance(members));
            let reference = carried.failures.first().map(|(_, failed)| &*failed.reference);
            let reference = reference.filter(|_| lacks(members, Field::Reference));
            let added = [(Field::InstanceId, instance), (Field::Reference, reference)];
            sendable(&Whole { members, added, reasons: reasons.as_ref() })
        }
        other => unreadable(&serde_json::to_string(other).unwrap_or_default()),
    };
    match carried.body {
        Body::Text(text) => with_request(text, request).unwrap_or_else(|_| unreadable(&innermost(text))),
        Body::Request(json) => request(json),
        Body::Unreadable { raw, .. } => unreadable(raw),
        Body::Items { .. } => unreadable(""),
    }
}

/// The text that could not be read, without the wrapping that it got when it could not be read before.
fn innermost(text: &str) -> Cow<'_, str> {
    match unwrapped(text) {
        Some(inner) => Cow::Owned(inner),
        None => Cow::Borrowed(text),
    }
}

/// Whether the default instance can be written into a request without changing what is meant: the request names no
/// instance itself, and no ARN of one.
fn takes_default_instance(members: &Members<'_>) -> bool {
    lacks(members, Field::InstanceId) && !members.iter().any(|(_, value)| holds_an_arn(value))
}

/// Whether a request has no value under a field, nor under a name that is nearly the field's. A single `null` is none.
fn lacks(members: &Members<'_>, field: Field) -> bool {
    let mut given = members.iter().filter(|(name, _)| match Field::of(name) {
        Name::Known(known) | Name::Nearly(known) => known == field,
        Name::Unknown => false,
    });
    match (given.next(), given.next()) {
        (None, _) => true,
        (Some((name, value)), None) => name == field.name() && *value == Json::Null,
        (Some(_), Some(_)) => false,
    }
}

fn holds_an_arn(json: &Json<'_>) -> bool {
    match json {
        Json::String(text) => text.starts_with("arn:"),
        Json::Array(list) => list.iter().any(holds_an_arn),
        Json::Object(members) => members.iter().any(|(_, value)| holds_an_arn(value)),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

/// The members of a request as they stood there, those given twice too: with one of them gone it would be valid, and
/// mean what nobody has said.
struct Whole<'a> {
    members: &'a Members<'a>,
    /// What the request does not say itself, written before it.
    added: [(Field, Option<&'a str>); 2],
    reasons: Option<&'a Value>,
}

impl Serialize for Whole<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let added = self.added.iter().filter_map(|(field, value)| Some((field.name(), (*value)?)));
        for (name, value) in added.clone() {
            map.serialize_entry(name, value)?;
        }
        let is_replaced = |name: &str| name == "failures" || added.clone().any(|(known, _)| known == name);
        for (name, value) in self.members.iter().filter(|(name, _)| !is_replaced(name)) {
            map.serialize_entry(name, value)?;
        }
        if let Some(reasons) = self.reasons {
            map.serialize_entry("failures", reasons)?;
        }
        map.end()
    }
}

/// The text of a message. SQS takes neither of these two characters (SQS API reference, SendMessage), and refuses the
/// whole batch of messages for one of them; in JSON they can be written otherwise.
fn sendable(body: &impl Serialize) -> String {
    // Nothing in a request can fail to be written.
    let text = serde_json::to_string(body).unwrap_or_default();
    if text.contains(['\u{fffe}', '\u{ffff}']) {
        return text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff");
    }
    text
}

/// An association request of what failed.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_id: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    continued: bool,
    associations: Vec<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<Value>,
}

fn part_body(
    part: &[(usize, &Failed)],
    carried: &Carried<'_>,
    pairs: &Pairs,
    original: Option<Original<'_, '_>>,
) -> (String, Vec<usize>) {
    let invalid: Vec<Path> = part
        .iter()
        .filter_map(|(_, failed)| match failed.origin {
            Origin::Invalid(path) => Some(path),
            Origin::Pair { .. } => None,
        })
        .collect();
    // All requests of a source that is sent on have one reference, as it holds one request.
    let reference = part.first().map(|(_, failed)| &*failed.reference);
    let mut request = Request { reference, continued: !carried.with_reasons, ..Request::default() };
    let mut invalid_entries = Vec::new();
    match original.filter(|_| !invalid.is_empty()) {
        Some(original) => {
            request.instance_id = original.instance().map(str::to_owned);
            request.dry_run = original.is_dry_run();
            invalid_entries = original.invalid_entries(&invalid);
            if request.instance_id.is_none()
                && !invalid_entries.iter().any(|entry| entry.get().contains("\"arn:"))
            {
                request.instance_id = carried.default_instance.map(str::to_owned);
            }
        }
        None => {
            let instance = part.iter().find_map(|(_, failed)| failed.instance_id.as_deref());
            request.instance_id = instance.map(str::to_owned);
        }
    }
    let entries = pair_entries(
        part.iter().filter_map(|(_, failed)| failed.pair()),
        pairs,
        request.instance_id.as_deref(),
    );
    request.associations = entries.iter().filter_map(|entry| to_raw_value(entry).ok()).collect();
    request.associations.extend(invalid_entries);
    request.dry_run |=
        part.iter().any(|(_, failed)| matches!(failed.origin, Origin::Pair { dry_run: true, .. }));
    request.failures = carried.with_reasons.then(|| reasons(part));
    (sendable(&request), part.iter().map(|(number, _)| *number).collect())
}

fn reasons(part: &[(usize, &Failed)]) -> Value {
    part.iter().map(|(_, failed)| serde_json::to_value(failed).unwrap_or_default()).collect()
}
