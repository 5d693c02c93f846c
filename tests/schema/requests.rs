//! Builds requests for the tests.

use serde_json::{Value, json};

/// Returns a request in the short form, with added or replaced fields.
pub(crate) fn short<const N: usize>(members: [(&str, Value); N]) -> Value {
    with(json!({ "queueId": "q", "emailAddressId": "e" }), members)
}

/// Returns an entry, with added or replaced fields.
pub(crate) fn entry<const N: usize>(members: [(&str, Value); N]) -> Value {
    short(members)
}

/// Returns a request in the long form, with additional top-level fields.
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
