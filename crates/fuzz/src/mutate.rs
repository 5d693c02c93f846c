//! Changes a payload in a few places: in its JSON, in the JSON within its strings, or in its bytes.

use fastrand::Rng;

use crate::hostile;
use crate::tree::Tree;

/// Changes a document in one to four places.
pub(crate) fn mutate(tree: &mut Tree, others: &[Tree], rng: &mut Rng) {
    for _ in 0..=rng.usize(0..4) {
        mutate_once(tree, others, rng, 3);
    }
}

fn mutate_once(tree: &mut Tree, others: &[Tree], rng: &mut Rng, depth: u8) {
    let number = rng.usize(0..tree.size());
    let Some(node) = tree.node(number) else { return };
    // Bodies are documents within strings, so most fields worth changing are in strings.
    if let Tree::Text(text) = node
        && depth > 0
        && text.starts_with(['{', '['])
        && rng.u8(0..8) > 0
        && let Some(mut inner) = Tree::parse(text)
    {
        mutate_once(&mut inner, others, rng, depth - 1);
        *text = inner.write();
        return;
    }
    match (rng.u8(0..10), node) {
        (0..=2, node) => *node = hostile::value(rng),
        (3, node) => *node = spliced(others, rng).unwrap_or_else(|| hostile::value(rng)),
        (4, node) => *node = in_a_list_or_out_of_it(node),
        (_, Tree::Text(text)) => change_text(text, rng),
        (_, Tree::List(list)) => change_list(list, rng),
        (_, Tree::Object(members)) => change_members(members, rng),
        (_, node) => *node = hostile::value(rng),
    }
}

/// Removes the array around a single element, or adds one.
fn in_a_list_or_out_of_it(node: &Tree) -> Tree {
    match node {
        Tree::List(list) if list.len() == 1 => list[0].clone(),
        other => Tree::List(vec![other.clone()]),
    }
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

fn change_list(list: &mut Vec<Tree>, rng: &mut Rng) {
    if list.is_empty() || rng.u8(0..3) == 0 {
        let at = rng.usize(0..=list.len());
        list.insert(at, hostile::value(rng));
        return;
    }
    let at = rng.usize(0..list.len());
    match rng.u8(0..4) {
        0 => drop(list.remove(at)),
        1 => {
            let again = list[at].clone();
            list.push(again);
        }
        2 => {
            let other = rng.usize(0..list.len());
            list.swap(at, other);
        }
        _ => {
            let again = list[at].clone();
            // Enough for several chunks, and now and then for many.
            let times = if rng.u8(0..20) == 0 { 3_000 } else { 60 };
            if again.size() * times < 20_000 {
                list.extend(std::iter::repeat_n(again, times));
            }
        }
    }
}

fn change_members(members: &mut Vec<(String, Tree)>, rng: &mut Rng) {
    if members.is_empty() || rng.u8(0..4) == 0 {
        members.push((hostile::name(rng), hostile::value(rng)));
        return;
    }
    let at = rng.usize(0..members.len());
    match rng.u8(0..5) {
        0 => drop(members.remove(at)),
        1 => members.push((members[at].0.clone(), hostile::value(rng))),
        2 => members[at].0 = hostile::nearly(&members[at].0, rng),
        3 => members[at].0 = hostile::name(rng),
        _ => members[at].1 = hostile::value(rng),
    }
}

/// Returns a piece of another document.
fn spliced(others: &[Tree], rng: &mut Rng) -> Option<Tree> {
    let mut other = rng.choice(others)?.clone();
    let number = rng.usize(0..other.size());
    other.node(number).map(|node| node.clone())
}

/// Changes a few bytes.
pub(crate) fn mutate_bytes(bytes: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..=rng.usize(0..3) {
        let at = rng.usize(0..=bytes.len());
        match rng.u8(0..5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, rng.u8(..)),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(0..8),
            _ => {
                let token = [&b"\""[..], b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\xff", b"\xed\xa0\x80"]
                    [rng.usize(0..10)];
                bytes.splice(at..at, token.iter().copied());
            }
        }
    }
}
