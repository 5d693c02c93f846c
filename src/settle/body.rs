//! Writes the association requests that contain the failures of a source.
//!
//! A body has each pair with its instance, as the caller named it. It repeats an invalid part of a request unchanged. A
//! body that could not be read is repeated as a whole, as `{"unreadable": "…"}`.

use std::borrow::Cow;

use serde::Serialize;

use crate::index::Index;
use crate::pairs::Pairs;
use crate::payload::{Json, Members};
use crate::requests::{Excerpt, Field, FieldMatch, Intent};
use crate::writer::{WrittenRequest, invalid_entries, json_size, pair_entries};

use super::reasons::{MergedReason, Reasons};
use super::{FailureEntry, Subject};

/// Maximum size of a body in bytes, unless it cannot be divided. SQS accepts 1 MiB, and escapes make a body slightly larger.
const PART_BYTES: usize = 1_000_000;

/// The failures of one source that are sent to one queue.
#[derive(Clone, Copy)]
pub(super) struct BodyInput<'a> {
    /// The failures. There is at least one.
    pub(super) entries: &'a [&'a FailureEntry],
    /// The failures are dead letters, and the body contains their reasons. Otherwise they are a continuation.
    pub(super) with_reasons: bool,
    /// The instance of requests that specify none.
    pub(super) default_instance: Option<&'a str>,
    pub(super) pairs: &'a Pairs,
}

/// Writes one body, or several if SQS would not accept a single one.
pub(super) fn bodies(input: &BodyInput<'_>) -> Vec<String> {
    let mut positions: Vec<usize> = (0..input.entries.len()).collect();
    let reasons = input.with_reasons.then(|| {
        let requested_bytes = json_size(&request(&positions, input, None));
        Reasons::new(input.entries, input.pairs, requested_bytes)
    });
    let excerpts = input.entries.iter().filter_map(|entry| excerpt(entry, input.pairs));
    // An invalid request is repeated as a whole, with all of its failures.
    let mut whole =
        excerpts.filter(|excerpt| matches!(excerpt, Excerpt::Request(_) | Excerpt::Unreadable(_)));
    if let Some(excerpt) = whole.next() {
        let reasons = reasons.map(|reasons| reasons.merged(&positions, input.entries));
        return whole_body(excerpt, input, reasons).into_iter().collect();
    }
    if let Some(reasons) = &reasons {
        // A reason that is in few parts is written few times.
        positions.sort_by_key(|position| reasons.of(*position));
    }
    part_bodies(&positions, input, reasons.as_ref())
}

/// Writes the bodies for the failures at some positions.
fn part_bodies(part: &[usize], input: &BodyInput<'_>, reasons: Option<&Reasons>) -> Vec<String> {
    let mut positions = part.to_vec();
    positions.sort_unstable();
    let merged = reasons.map(|reasons| reasons.merged(&positions, input.entries));
    let request = request(&positions, input, merged);
    let size = json_size(&request);
    if size <= PART_BYTES || part.len() == 1 {
        return vec![sendable(&request)];
    }
    let length = part.len().div_ceil(size.div_ceil(PART_BYTES));
    part.chunks(length).flat_map(|part| part_bodies(part, input, reasons)).collect()
}

/// The invalid part of a request, unchanged, or `None` for a pair.
pub(super) fn excerpt<'p>(entry: &FailureEntry, pairs: &'p Pairs) -> Option<&'p Excerpt> {
    match entry.subject {
        Subject::Invalid(index) => pairs.invalid[index.get()].1.excerpt.as_ref(),
        Subject::Pair { .. } => None,
    }
}

/// The body for a source with an invalid request: the original request, or the text that could not be read. `None` if
/// the excerpt is only a part of a request.
fn whole_body(
    excerpt: &Excerpt,
    input: &BodyInput<'_>,
    failures: Option<Vec<MergedReason<'_>>>,
) -> Option<String> {
    let members = match excerpt {
        Excerpt::Unreadable(text) => vec![("unreadable".into(), Json::String(Cow::Borrowed(text)))],
        Excerpt::Request(request) => completed(request.get(), input),
        Excerpt::Entry(..) | Excerpt::Element(..) => return None,
    };
    Some(sendable(&Whole { members: Json::Object(members), failures }))
}

/// The members of an invalid request, after the default instance and the reference if the request lacks them.
fn completed<'a>(request: &'a str, input: &BodyInput<'a>) -> Members<'a> {
    let mut members = match Json::parse(request) {
        Ok(Json::Object(members)) => members,
        // An excerpt of a request is always an object.
        Ok(_) | Err(_) => Members::new(),
    };
    let takes_default = lacks(&members, Field::InstanceId) && !contains_arn(request);
    let instance = input.default_instance.filter(|_| takes_default);
    let reference = input.entries.first().map(|entry| &*entry.reference);
    let reference = reference.filter(|_| lacks(&members, Field::Reference));
    let added = [(Field::InstanceId, instance), (Field::Reference, reference)].into_iter();
    let mut completed: Members<'_> =
        added.filter_map(|(field, text)| Some((field.name().into(), Json::String(text?.into())))).collect();
    members.retain(|(name, _)| name != "failures" && completed.iter().all(|(added, _)| added != name));
    completed.append(&mut members);
    completed
}

/// An invalid request or an unreadable body. A duplicate member is written twice too. With only one of the two, the
/// request would be valid with a meaning that the caller did not choose.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    members: Json<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<Vec<MergedReason<'a>>>,
}

/// Whether a request has no value under the field's name or a similar name. A single `null` counts as no value.
fn lacks(members: &Members<'_>, field: Field) -> bool {
    let mut given = members.iter().filter(|(name, _)| match Field::of(name) {
        FieldMatch::Exact(known) | FieldMatch::Similar(known) => known == field,
        FieldMatch::None => false,
    });
    match (given.next(), given.next()) {
        (None, _) => true,
        (Some((name, value)), None) => name == field.name() && *value == Json::Null,
        (Some(_), Some(_)) => false,
    }
}

/// Whether JSON contains an ARN. The default instance must not be added to such a request, because the ARN may be of
/// another instance.
fn contains_arn(json: &str) -> bool {
    json.contains("\"arn:")
}

/// The text of a message. SQS does not accept the characters U+FFFE and U+FFFF (SQS API reference, SendMessage). It
/// rejects a whole batch that contains one of them. JSON can write them as escapes.
fn sendable(body: &impl Serialize) -> String {
    // Serializing a request cannot fail.
    let text = serde_json::to_string(body).unwrap_or_default();
    if text.contains(['\u{fffe}', '\u{ffff}']) {
        return text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff");
    }
    text
}

/// Creates an association request for the failures at some positions.
fn request<'a>(
    positions: &[usize],
    input: &BodyInput<'a>,
    reasons: Option<Vec<MergedReason<'a>>>,
) -> WrittenRequest<'a, MergedReason<'a>> {
    let entries = || positions.iter().map(|position| input.entries[*position]);
    let excerpts: Vec<&Excerpt> = entries().filter_map(|entry| excerpt(entry, input.pairs)).collect();
    let invalid_entries = invalid_entries(excerpts.iter().copied());
    let instance_id = match excerpts.first() {
        Some(Excerpt::Entry(instance, _)) => instance.as_deref(),
        Some(Excerpt::Element(list, _)) => list.instance.as_deref(),
        Some(Excerpt::Request(_) | Excerpt::Unreadable(_)) => None,
        None => entries().find_map(|entry| entry.instance_id.as_deref()),
    };
    let takes_default = || {
        let has_arn = |entry| serde_json::to_string(entry).is_ok_and(|json| contains_arn(&json));
        !excerpts.is_empty() && !invalid_entries.iter().any(has_arn)
    };
    let instance_id = instance_id.or_else(|| input.default_instance.filter(|_| takes_default()));
    let mut associations = pair_entries(entries().filter_map(FailureEntry::pair), input.pairs, instance_id);
    associations.extend(invalid_entries);
    // A source whose failures are forwarded contains one request, so it has one intent and one reference.
    let first = entries().next();
    let intent = first.map(|entry| entry.options.intent).unwrap_or_default();
    WrittenRequest {
        instance_id,
        reference: first.map(|entry| &*entry.reference),
        continued: !input.with_reasons,
        dry_run: intent.is_dry(),
        check_queues: intent == Intent::Check,
        associations,
        failures: reasons,
        fail_on_permanent: false,
        fail_on_retryable: None,
    }
}
