//! What is invalid in a file: lines of its own, so that the function refuses it and says why.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use queue_email_associator::payload::{Json, Members};
use queue_email_associator::requests::{Field, Name, Path};

use super::{Lines, MAX_LINE_BYTES};
use crate::asked::{Asked, ROWS, with_member};
use crate::error::FileError;

/// Writes one line for each record in which something is invalid.
///
/// # Errors
/// A record is too long to be refused by the function, or gives a field twice: whatever reads the lines next might
/// take one of the two for what was meant.
pub(super) fn write(
    asked: &Asked<'_>,
    row: impl Fn(usize) -> u64,
    lines: &mut Lines<'_>,
) -> Result<(), FileError> {
    let invalid = &asked.pairs.invalid;
    // All of one request stand together.
    for of_request in invalid.chunk_by(|(one, _), (other, _)| one == other) {
        let Some((number, first)) = of_request.first() else { continue };
        let Some(request) = asked.request(*number) else { continue };
        let row = row(*number);
        let paths: Vec<Path> = of_request.iter().map(|(_, invalid)| invalid.path()).collect();
        let line = excerpt(request, &paths);
        if let Some(field) = given_twice(&line) {
            return Err(FileError::InvalidFile(format!(
                "{}: line {row}: {field} is given twice; once is accepted",
                lines.key
            )));
        }
        let line = with_member(&line, ROWS, Json::Array(vec![Json::Number(row.into())]));
        // Nothing in a line can fail to be written.
        let text = serde_json::to_string(&line).unwrap_or_default();
        if text.len() > MAX_LINE_BYTES {
            return Err(lines.too_long(row, &format!("and is invalid: {}", first.message)));
        }
        lines.push(&text);
    }
    Ok(())
}

/// The request without what is valid in it.
fn excerpt<'a>(request: &Json<'a>, paths: &[Path]) -> Json<'a> {
    let Json::Object(members) = request else { return request.clone() };
    let whole = paths.iter().any(|path| path.entry_index().is_none() && path.list_element().is_none());
    let members = match whole {
        true => members.clone(),
        false => without_valid(members, paths),
    };
    Json::Object(members.into_iter().filter(|(name, value)| !ends_the_batch(name, value)).collect())
}

/// `failOnPermanent` and `failOnRetryable` say how an invocation ends. One row must not end that of its whole batch.
fn ends_the_batch(name: &str, value: &Json<'_>) -> bool {
    let flags = [Field::FailOnPermanent.name(), Field::FailOnRetryable.name()];
    flags.contains(&name) && (matches!(value, Json::Bool(_)) || value.as_str() == Some(""))
}

fn without_valid<'a>(members: &Members<'a>, paths: &[Path]) -> Members<'a> {
    let mut elements: HashMap<Option<usize>, HashSet<usize>> = HashMap::new();
    let mut entries: HashSet<usize> = HashSet::new();
    let mut whole_entries: HashSet<usize> = HashSet::new();
    for path in paths {
        entries.extend(path.entry_index());
        match path.list_element() {
            Some((_, element)) => {
                elements.entry(path.entry_index()).or_default().insert(element);
            }
            None => whole_entries.extend(path.entry_index()),
        }
    }
    let narrowed = |entry: &Json<'a>, index: Option<usize>| match (entry, elements.get(&index)) {
        (Json::Object(members), Some(kept)) => Json::Object(with_elements(members, kept)),
        _ => entry.clone(),
    };
    let member = |(name, value): &(Cow<'a, str>, Json<'a>)| {
        let Json::Array(list) = value else { return (name.clone(), value.clone()) };
        if name != Field::Associations.name() {
            return (name.clone(), value.clone());
        }
        let kept = list.iter().enumerate().filter(|(index, _)| entries.contains(index));
        let kept = kept.map(|(index, entry)| match whole_entries.contains(&index) {
            true => entry.clone(),
            false => narrowed(entry, Some(index)),
        });
        (name.clone(), Json::Array(kept.collect()))
    };
    let members = members.iter().map(member).collect();
    match elements.get(&None) {
        Some(kept) => with_elements(&members, kept),
        None => members,
    }
}

/// An entry whose list of addresses has only some of its elements.
fn with_elements<'a>(members: &Members<'a>, kept: &HashSet<usize>) -> Members<'a> {
    let lists = [Field::EmailAddressIds.name(), Field::EmailAddresses.name()];
    members
        .iter()
        .map(|(name, value)| match value {
            Json::Array(list) if lists.contains(&&**name) => {
                let kept = list.iter().enumerate().filter(|(index, _)| kept.contains(index));
                (name.clone(), Json::Array(kept.map(|(_, element)| element.clone()).collect()))
            }
            _ => (name.clone(), value.clone()),
        })
        .collect()
}

/// The known field that an object, or an entry in it, gives twice.
fn given_twice(json: &Json<'_>) -> Option<Field> {
    let Json::Object(members) = json else { return None };
    let mut known = HashSet::new();
    for (name, value) in members {
        let Name::Known(field) = Field::of(name) else { continue };
        if !known.insert(field) {
            return Some(field);
        }
        if let (Field::Associations, Json::Array(entries)) = (field, value)
            && let Some(twice) = entries.iter().find_map(given_twice)
        {
            return Some(twice);
        }
    }
    None
}
