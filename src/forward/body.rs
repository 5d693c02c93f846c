//! The bodies of messages that are sent on: association requests of what failed, and nothing else.
//!
//! Pairs are written out with their instance, under the names that the caller used. What is invalid is written as it
//! stood in the request. A body that could not be read goes as a whole, as `{"unreadable": "…"}`.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::failures::{Failed, Origin};
use crate::pairs::Pairs;
use crate::payload::{Json, Members};
use crate::requests::{Excerpt, Field, Intent, Name};
use crate::writer::{WrittenRequest, invalid_entries, pair_entries};

use super::parts::parts;

/// The largest message (SQS Developer Guide, "Amazon SQS message quotas": 1 MiB). Only what cannot be cut is larger.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// What is sent on of one source to one queue.
pub(super) struct Carried<'a> {
    /// The failures, by their number.
    pub(super) failures: &'a [(usize, &'a Failed)],
    /// They are dead letters, whose reasons go beside the pairs for a person. Otherwise they are a continuation.
    pub(super) with_reasons: bool,
    /// The instance of requests that name none.
    pub(super) default_instance: Option<&'a str>,
}

/// One or more bodies, each with the numbers of the failures that it carries.
pub(super) fn bodies(carried: &Carried<'_>, pairs: &Pairs) -> Vec<(String, Vec<usize>)> {
    let excerpts = carried.failures.iter().filter_map(|(_, failed)| excerpt(failed, pairs));
    let mut whole = excerpts.filter_map(|excerpt| whole_body(excerpt, carried));
    if let Some(body) = whole.next() {
        let numbers = carried.failures.iter().map(|(number, _)| *number).collect();
        return vec![(body, numbers)];
    }
    let parts = parts(carried.failures, carried.with_reasons, pairs);
    parts.iter().map(|part| part_body(part, carried, pairs)).collect()
}

/// What failed as it stood, if it is invalid.
fn excerpt<'p>(failed: &Failed, pairs: &'p Pairs) -> Option<&'p Excerpt> {
    match failed.origin {
        Origin::Invalid(number) => pairs.invalid[number].1.excerpt.as_ref(),
        Origin::Pair { .. } => None,
    }
}

/// The body for a source whose request as a whole is invalid: the request as it was, or the text that could not be read.
fn whole_body(excerpt: &Excerpt, carried: &Carried<'_>) -> Option<String> {
    let reasons = || carried.with_reasons.then(|| reasons(carried.failures));
    match excerpt {
        Excerpt::Unreadable(text) => {
            let mut body = json!({ "unreadable": text });
            if let Some(reasons) = reasons() {
                body["failures"] = reasons;
            }
            Some(sendable(&body))
        }
        Excerpt::Request(request) => {
            let members: Members<'_> = match Json::parse(request.get()) {
                Ok(Json::Object(members)) => members,
                // An excerpt of a request is an object.
                Ok(_) | Err(_) => Members::new(),
            };
            let instance = carried.default_instance.filter(|_| takes_default_instance(&members));
            let reference = carried.failures.first().map(|(_, failed)| &*failed.reference);
            let reference = reference.filter(|_| lacks(&members, Field::Reference));
            let added = [(Field::InstanceId, instance), (Field::Reference, reference)];
            Some(sendable(&Whole { members: &members, added, reasons: reasons().as_ref() }))
        }
        Excerpt::Entry(..) | Excerpt::Element(..) => None,
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
fn part_body(part: &[(usize, &Failed)], carried: &Carried<'_>, pairs: &Pairs) -> (String, Vec<usize>) {
    let failed = || part.iter().map(|(_, failed)| *failed);
    let excerpts: Vec<&Excerpt> = failed().filter_map(|failed| excerpt(failed, pairs)).collect();
    let invalid_entries = invalid_entries(excerpts.iter().copied());
    let instance_id = match excerpts.first() {
        Some(Excerpt::Entry(instance, _)) => instance.as_deref(),
        Some(Excerpt::Element(list, _)) => list.instance.as_deref(),
        Some(Excerpt::Request(_) | Excerpt::Unreadable(_)) => None,
        None => failed().find_map(|failed| failed.instance_id.as_deref()),
    };
    let takes_default = || {
        let holds_an_arn = |entry| serde_json::to_string(entry).is_ok_and(|json| json.contains("\"arn:"));
        !excerpts.is_empty() && !invalid_entries.iter().any(holds_an_arn)
    };
    let instance_id = instance_id.or_else(|| carried.default_instance.filter(|_| takes_default()));
    let intent_of = |failed: &Failed| match failed.origin {
        Origin::Pair { intent, .. } => intent,
        Origin::Invalid(number) => pairs.requests[pairs.invalid[number].0].options.intent,
    };
    // A source that is sent on holds one request, which has one intent.
    let intent = failed().map(intent_of).next().unwrap_or_default();
    let mut associations = pair_entries(failed().filter_map(Failed::pair), pairs, instance_id);
    associations.extend(invalid_entries);
    let request = WrittenRequest {
        instance_id,
        // All requests of a source that is sent on have one reference, as it holds one request.
        reference: failed().next().map(|failed| &*failed.reference),
        continued: !carried.with_reasons,
        dry_run: intent.is_dry(),
        check_queues: intent == Intent::Check,
        associations,
        failures: carried.with_reasons.then(|| reasons(part)),
        ..WrittenRequest::default()
    };
    (sendable(&request), part.iter().map(|(number, _)| *number).collect())
}

fn reasons(part: &[(usize, &Failed)]) -> Value {
    part.iter().map(|(_, failed)| serde_json::to_value(failed).unwrap_or_default()).collect()
}
