//! Requests as the tests write them.

use serde_json::{Value, json};

/// A request of the short form, with members more or others.
pub(crate) fn short<const N: usize>(members: [(&str, Value); N]) -> Value {
    with(json!({ "queueId": "q", "emailAddressId": "e" }), members)
}

/// An entry, with members more or others.
pub(crate) fn entry<const N: usize>(members: [(&str, Value); N]) -> Value {
    short(members)
}

/// A request of the long form, with members beside its entries.
pub(crate) fn long<const N: usize, const M: usize>(
    members: [(&str, Value); N],
    entries: [Value; M],
) -> Value {
    with(json!({ "associations": Vec::from(entries) }), members)
}

pub(crate) fn with<'m>(mut request: Value, members: impl IntoIterator<Item = (&'m str, Value)>) -> Value {
    for (name, value) in members {
        request[name] = value;
    }
    request
}
