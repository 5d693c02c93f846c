//! Changes a payload in a few places: in its JSON, in the JSON within its strings, or in its bytes.

use fastrand::Rng;
use queue_email_associator::requests::Field;

use crate::hostile::{self, one_of};
use crate::json::Json;

/// Changes a document in one place.
pub(crate) fn mutate(json: &mut Json, rng: &mut Rng) {
    match json {
        // A body is a document in a string.
        Json::Text(text) if is_document(text) && rng.u8(0..8) > 0 => {
            if let Some(mut inner) = Json::parse(text) {
                mutate(&mut inner, rng);
                *text = inner.to_string();
                return;
            }
        }
        Json::List(list) if !list.is_empty() && rng.u8(0..8) > 0 => {
            let at = rng.usize(0..list.len());
            return mutate(&mut list[at], rng);
        }
        Json::Object(members) if !members.is_empty() && rng.u8(0..3) > 0 => {
            let body = members
                .iter()
                .position(|(_, value)| value.text().is_some_and(is_document))
                .filter(|_| rng.bool());
            let at = body.unwrap_or_else(|| rng.usize(0..members.len()));
            return mutate(&mut members[at].1, rng);
        }
        _ => {}
    }
    match (rng.u8(0..10), json) {
        // Removes the array around a single element, or adds one.
        (0, json) => {
            *json = match &mut *json {
                Json::List(list) if list.len() == 1 => list.remove(0),
                other => Json::List(vec![other.clone()]),
            }
        }
        (_, Json::List(list)) => change_list(list, rng),
        (_, Json::Object(members)) => change_members(members, rng),
        (1..=5, Json::Text(text)) => change_text(text, rng),
        (_, json) => *json = hostile::value(rng),
    }
}

fn is_document(text: &str) -> bool {
    text.starts_with(['{', '['])
}

fn change_text(text: &mut String, rng: &mut Rng) {
    let at = text.char_indices().map(|(at, _)| at).nth(rng.usize(0..=text.len().min(40))).unwrap_or(0);
    match rng.u8(0..4) {
        0 => text.insert(at, rng.char(..)),
        1 => text.insert_str(at, &hostile::text(rng)),
        2 => text.truncate(at),
        _ => *text = hostile::text(rng),
    }
}

fn change_list(list: &mut Vec<Json>, rng: &mut Rng) {
    if list.is_empty() || rng.u8(0..3) == 0 {
        return list.insert(rng.usize(0..=list.len()), hostile::value(rng));
    }
    let at = rng.usize(0..list.len());
    match rng.u8(0..4) {
        0 => drop(list.remove(at)),
        1 => list.push(list[at].clone()),
        2 => rng.shuffle(list),
        _ => {
            // Enough for several chunks, and now and then for many.
            let times = if rng.u8(0..20) == 0 { 3_000 } else { 60 };
            let again = list[at].clone();
            if again.to_string().len() * times < 200_000 {
                list.extend(std::iter::repeat_n(again, times));
            }
        }
    }
}

fn change_members(members: &mut Vec<(String, Json)>, rng: &mut Rng) {
    if members.is_empty() || rng.u8(0..4) == 0 {
        return members.push((hostile::name(rng), hostile::value(rng)));
    }
    let at = rng.usize(0..members.len());
    let (name, value) = members[at].clone();
    match rng.u8(0..9) {
        0 => drop(members.remove(at)),
        1 => members.push((name, hostile::value(rng))),
        2 | 3 => members.push((name, value)),
        4 | 5 => members.push((hostile::similar(&name, rng), value)),
        6 => members[at].0 = hostile::name(rng),
        // A typed serialiser writes an unused field as `null`.
        7 => members.push((one_of(&Field::ALL, rng).to_string(), Json::Raw("null".to_owned()))),
        _ => members[at].1 = hostile::value(rng),
    }
}

/// Changes one byte.
pub(crate) fn mutate_bytes(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let at = rng.usize(0..=bytes.len());
    match rng.u8(0..4) {
        0 => bytes.truncate(at),
        1 if at < bytes.len() => drop(bytes.remove(at)),
        _ => bytes.insert(at, one_of(b"\"\\{}[],:\xff\xed", rng)),
    }
}
