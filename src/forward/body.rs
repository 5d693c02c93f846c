//! Bodies: the association requests that carry the failures of a source.
//!
//! A body names each pair with its instance and the caller's names. It repeats an invalid part of a request unchanged.
//! A body that could not be read is carried as a whole, as `{"unreadable": "…"}`.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::failures::{Failed, Origin};
use crate::pairs::Pairs;
use crate::payload::{Json, Members};
use crate::requests::{Excerpt, Field, Intent, Name};
use crate::writer::{WrittenRequest, invalid_entries, pair_entries};

use super::parts::parts;

/// Size limit of a message in bytes (SQS Developer Guide, "Amazon SQS message quotas": 1 MiB). Only a body that cannot
/// be divided can be larger.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// The failures of one source that go to one queue.
pub(super) struct Carried<'a> {
    /// The failures with their numbers.
    pub(super) failures: &'a [(usize, &'a Failed)],
    /// The failures are dead letters, and the body gives a person the reason of each. Otherwise they are a
    /// continuation.
    pub(super) with_reasons: bool,
    /// The instance of requests that name no instance.
    pub(super) default_instance: Option<&'a str>,
}

/// Writes one or more bodies. Each comes with the numbers of the failures that it carries.
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

/// The invalid part of a request, unchanged, or `None` for a pair.
fn excerpt<'p>(failed: &Failed, pairs: &'p Pairs) -> Option<&'p Excerpt> {
    match failed.origin {
        Origin::Invalid(number) => pairs.invalid[number].1.excerpt.as_ref(),
        Origin::Pair { .. } => None,
    }
}

/// The body for a source with an invalid request: the original request, or the text that could not be read.
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
                // An excerpt of a request is always an object.
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

/// Whether the body may add the default instance without a change of meaning. The request must name no instance itself
/// and hold no ARN of one.
fn takes_default_instance(members: &Members<'_>) -> bool {
    lacks(members, Field::InstanceId) && !members.iter().any(|(_, value)| holds_an_arn(value))
}

/// Whether a request has no value under the field's name or a similar name. A single `null` counts as no value.
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

/// The members of an invalid request, unchanged. A member that is given twice stays twice. With only one of the two,
/// the request would be valid with a meaning that the caller did not choose.
struct Whole<'a> {
    members: &'a Members<'a>,
    /// Members that the request lacks. They come first in the body.
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

/// The text of a message. SQS does not accept the characters U+FFFE and U+FFFF (SQS API reference, SendMessage). It
/// refuses a whole batch that holds one of them. JSON can write them as escapes.
fn sendable(body: &impl Serialize) -> String {
    // Serializing a request cannot fail.
    let text = serde_json::to_string(body).unwrap_or_default();
    if text.contains(['\u{fffe}', '\u{ffff}']) {
        return text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff");
    }
    text
}

/// Writes an association request for some of the failures.
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
    // A source that is sent on holds one request, so it has one intent.
    let intent = failed().map(intent_of).next().unwrap_or_default();
    let mut associations = pair_entries(failed().filter_map(Failed::pair), pairs, instance_id);
    associations.extend(invalid_entries);
    let request = WrittenRequest {
        instance_id,
        // A source that is sent on holds one request, so it has one reference.
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
