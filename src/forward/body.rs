//! The bodies of messages that are sent on: association requests of what failed, and nothing else.
//!
//! Pairs are written out with their instance, under the names that the caller used. What is invalid is written as it
//! stood in the request. A body that could not be read goes as a whole, as `{"unreadable": "…"}`.

use std::borrow::Cow;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::answer::{Failed, Origin, pair_entries};
use crate::pairs::Pairs;
use crate::payload::{Body, Json, Members};
use crate::requests::{Field, Path, with_request};

/// The largest message, body alone (SQS Developer Guide, "Amazon SQS message quotas": 1 MiB), with some room.
pub(super) const MAX_BYTES: usize = 1_000_000;

/// What is sent on of one source to one queue.
pub(super) struct Carried<'a> {
    /// The failures, by their number.
    pub(super) failures: &'a [(usize, &'a Failed)],
    /// The reasons go beside the pairs, for a person.
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
    let mut bodies = Vec::new();
    let mut part: Vec<(usize, &Failed)> = Vec::new();
    let mut size = 0;
    let original = invalid_size(carried.body) / carried.failures.len().max(1);
    for (number, failed) in carried.failures {
        // Entries of the same queue share its name when they are written, so the sum is an upper bound.
        let own = entry_size(failed, carried.with_reasons, original);
        if size + own > MAX_BYTES && !part.is_empty() {
            bodies.push(part_body(&part, carried, pairs));
            part.clear();
            size = 0;
        }
        size += own;
        part.push((*number, failed));
    }
    bodies.push(part_body(&part, carried, pairs));
    bodies
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
        Json::Object(members) => sendable(&WithReasons { members, reasons: reasons.as_ref() }),
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
    let inner = Json::parse(text).ok().and_then(|json| Some(json.get("unreadable")?.as_str()?.to_owned()));
    inner.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The members of a request as they stood there, those given twice too: with one of them gone it would be valid, and
/// mean what nobody has said.
struct WithReasons<'a> {
    members: &'a Members<'a>,
    reasons: Option<&'a Value>,
}

impl Serialize for WithReasons<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.members.iter().filter(|(name, _)| name != "failures") {
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
struct Request {
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_id: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
    associations: Vec<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<Value>,
}

fn part_body(part: &[(usize, &Failed)], carried: &Carried<'_>, pairs: &Pairs) -> (String, Vec<usize>) {
    let mut request = Request {
        associations: pair_entries(part.iter().map(|(_, failed)| *failed), pairs)
            .iter()
            .filter_map(|entry| to_raw_value(entry).ok())
            .collect(),
        ..Request::default()
    };
    let invalid: Vec<Path> = part
        .iter()
        .filter_map(|(_, failed)| match failed.origin {
            Origin::Invalid(path) => Some(path),
            Origin::Pair { .. } => None,
        })
        .collect();
    if !invalid.is_empty() {
        let mut of_request = |json: &Json<'_>| {
            let instance =
                json.get(Field::InstanceId.name()).and_then(Json::as_str).or(carried.default_instance);
            request.instance_id = instance.filter(|instance| !instance.is_empty()).map(str::to_owned);
            request.dry_run = json.get(Field::DryRun.name()) == Some(&Json::Bool(true));
            request.associations.extend(invalid_entries(&invalid, json));
        };
        match carried.body {
            Body::Text(text) => {
                // What was read before can be read again.
                let _ = with_request(text, of_request);
            }
            Body::Request(json) => of_request(json),
            Body::Unreadable { .. } | Body::Items { .. } => {}
        }
    }
    request.dry_run |=
        part.iter().any(|(_, failed)| matches!(failed.origin, Origin::Pair { dry_run: true, .. }));
    request.failures = carried.with_reasons.then(|| reasons(part));
    (sendable(&request), part.iter().map(|(number, _)| *number).collect())
}

/// The invalid entries of a request as they stood there; of an entry with a list, only the invalid elements.
fn invalid_entries(invalid: &[Path], request: &Json<'_>) -> Vec<Box<RawValue>> {
    let entry_of = |path: &Path| match (path.entry_index(), request.get(Field::Associations.name())) {
        (None, _) => Some(request),
        (Some(index), Some(Json::Array(list))) => list.get(index),
        (Some(_), _) => None,
    };
    // The elements of one list stand side by side, and each list is looked up once: there may be a million of them.
    let of_one_list = |a: &Path, b: &Path| {
        a.entry_index() == b.entry_index()
            && a.list_element().map(|(field, _)| field) == b.list_element().map(|(field, _)| field)
    };
    let mut entries = Vec::new();
    for paths in invalid.chunk_by(of_one_list) {
        let Some(entry) = entry_of(&paths[0]) else { continue };
        let (Some((field, _)), Json::Object(members)) = (paths[0].list_element(), entry) else {
            entries.extend(to_raw_value(entry));
            continue;
        };
        let Some(Json::Array(list)) = entry.get(field.name()) else { continue };
        let bad = paths.iter().filter_map(|path| list.get(path.list_element()?.1)).collect();
        entries.extend(to_raw_value(&OfList { members, field, bad }));
    }
    entries
}

/// An entry with other elements in its list, and without what the function does not know.
struct OfList<'a> {
    members: &'a Members<'a>,
    field: Field,
    bad: Vec<&'a Json<'a>>,
}

impl Serialize for OfList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let others = |name: &str| Field::of_entry(name).is_some_and(|known| known != self.field);
        for (name, value) in self.members.iter().filter(|(name, _)| others(name)) {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry(self.field.name(), &self.bad)?;
        map.end()
    }
}

fn reasons(part: &[(usize, &Failed)]) -> Value {
    part.iter().map(|(_, failed)| serde_json::to_value(failed).unwrap_or_default()).collect()
}

/// How many bytes a failure adds to a body, at most; `original` is what stood in the request for it, on average.
fn entry_size(failed: &Failed, with_reasons: bool, original: usize) -> usize {
    let reason = serde_json::to_vec(failed).map_or(0, |json| json.len());
    match (failed.origin, with_reasons) {
        // The pair's own entry repeats the names that stand in its reason.
        (Origin::Pair { .. }, true) => 2 * reason,
        (Origin::Pair { .. }, false) => reason,
        (Origin::Invalid(_), _) => 2 * reason + original,
    }
}

fn invalid_size(body: &Body<'_>) -> usize {
    match body {
        Body::Text(text) => text.len(),
        Body::Request(json) => serde_json::to_vec(json).map_or(0, |json| json.len()),
        Body::Unreadable { .. } | Body::Items { .. } => 0,
    }
}
