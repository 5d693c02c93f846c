//! The bodies of messages that are sent on: association requests of what failed, and nothing else.
//!
//! Pairs are written out with their instance, under the names that the caller used. What is invalid is written as it
//! stood in the request. A body that could not be read goes as a whole, as `{"unreadable": "…"}`.

use serde_json::{Map, Value, json};

use crate::answer::{Failed, Origin, pair_entries};
use crate::pairs::Pairs;
use crate::payload::{Body, Json};
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
    for (number, failed) in carried.failures {
        // Entries of the same queue share its name when they are written, so the sum is an upper bound.
        let own = entry_size(failed, carried);
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
        body.to_string()
    };
    let request = |json: &Json<'_>| match serde_json::to_value(json) {
        Ok(Value::Object(mut request)) => {
            request.remove("failures");
            if let Some(reasons) = &reasons {
                request.insert("failures".to_owned(), reasons.clone());
            }
            Value::Object(request).to_string()
        }
        _ => unreadable(&serde_json::to_string(json).unwrap_or_default()),
    };
    match carried.body {
        Body::Text(text) => {
            with_request(text, request).unwrap_or_else(|_| unreadable(innermost(text).as_ref()))
        }
        Body::Request(json) => request(json),
        Body::Unreadable { raw, .. } => unreadable(raw),
        Body::Items { .. } => unreadable(""),
    }
}

/// The text that could not be read, without the wrapping that it got when it could not be read before.
fn innermost(text: &str) -> std::borrow::Cow<'_, str> {
    let inner = Json::parse(text).ok().and_then(|json| Some(json.get("unreadable")?.as_str()?.to_owned()));
    match inner {
        Some(inner) => innermost(&inner).into_owned().into(),
        None => text.into(),
    }
}

fn part_body(part: &[(usize, &Failed)], carried: &Carried<'_>, pairs: &Pairs) -> (String, Vec<usize>) {
    let mut entries = pair_entries(part.iter().map(|(_, failed)| *failed), pairs);
    let mut request = Map::new();
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
            if let Some(instance) = instance.filter(|instance| !instance.is_empty()) {
                request.insert(Field::InstanceId.name().to_owned(), instance.into());
            }
            if json.get(Field::DryRun.name()) == Some(&Json::Bool(true)) {
                request.insert(Field::DryRun.name().to_owned(), true.into());
            }
            entries.extend(invalid_entries(&invalid, json));
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
    if part.iter().any(|(_, failed)| matches!(failed.origin, Origin::Pair { dry_run: true, .. })) {
        request.insert(Field::DryRun.name().to_owned(), true.into());
    }
    request.insert(Field::Associations.name().to_owned(), entries.into());
    if carried.with_reasons {
        request.insert("failures".to_owned(), reasons(part));
    }
    (Value::Object(request).to_string(), part.iter().map(|(number, _)| *number).collect())
}

/// The invalid entries of a request as they stood there; of an entry with a list, only the invalid elements.
fn invalid_entries(invalid: &[Path], request: &Json<'_>) -> Vec<Value> {
    let mut entries: Vec<(Option<usize>, Value)> = Vec::new();
    for path in invalid {
        let original = match path.entry_index() {
            Some(index) => match request.get(Field::Associations.name()) {
                Some(Json::Array(list)) => list.get(index),
                _ => None,
            },
            None => Some(request),
        };
        let Some(original) = original.and_then(|json| serde_json::to_value(json).ok()) else { continue };
        let Some((field, element)) = path.list_element() else {
            entries.push((path.entry_index(), original));
            continue;
        };
        let Some(bad) = original.get(field.name()).and_then(|list| list.get(element)).cloned() else {
            continue;
        };
        match entries.last_mut() {
            Some((index, Value::Object(entry))) if *index == path.entry_index() => {
                if let Some(Value::Array(list)) = entry.get_mut(field.name()) {
                    list.push(bad);
                }
            }
            _ => {
                let Value::Object(mut entry) = original else { continue };
                entry.retain(|name, _| Field::of_entry(name).is_some_and(|known| known != field));
                entry.insert(field.name().to_owned(), Value::Array(vec![bad]));
                entries.push((path.entry_index(), Value::Object(entry)));
            }
        }
    }
    entries.into_iter().map(|(_, entry)| entry).collect()
}

fn reasons(part: &[(usize, &Failed)]) -> Value {
    part.iter().map(|(_, failed)| serde_json::to_value(failed).unwrap_or_default()).collect()
}

/// How many bytes a failure adds to a body, at most.
fn entry_size(failed: &Failed, carried: &Carried<'_>) -> usize {
    let reason = serde_json::to_vec(failed).map_or(0, |json| json.len());
    match (failed.origin, carried.with_reasons) {
        // The pair's own entry repeats the names that stand in its reason.
        (Origin::Pair { .. }, true) => 2 * reason,
        (Origin::Pair { .. }, false) => reason,
        (Origin::Invalid(_), _) => 2 * reason + invalid_size(carried.body) / carried.failures.len().max(1),
    }
}

fn invalid_size(body: &Body<'_>) -> usize {
    match body {
        Body::Text(text) => text.len(),
        Body::Request(json) => serde_json::to_vec(json).map_or(0, |json| json.len()),
        Body::Unreadable { .. } | Body::Items { .. } => 0,
    }
}
