//! JSON documents with forms that `serde_json::Value` cannot represent: a field given twice, and text that is not JSON.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// Levels of nesting that are parsed. The deepest field of a request has six, in the envelope of an event.
const LEVELS: usize = 10;

/// One value.
#[derive(Debug, Clone)]
pub(crate) enum Json {
    /// Written unchanged: any other value, a value below the last level, or text that is not JSON.
    Raw(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Parses a document, however deeply it is nested.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str::<&RawValue>(text).ok().map(|raw| Json::of(raw.get(), LEVELS))
    }

    fn of(text: &str, levels: usize) -> Self {
        // The function writes a value in this form when it sends it on.
        let raw = || {
            Json::Raw(serde_json::from_str(text).map_or(text.to_owned(), |value: Value| value.to_string()))
        };
        let inner = |raw: &RawValue| Json::of(raw.get(), levels - 1);
        match (text.as_bytes().first(), levels) {
            (Some(b'"'), _) => serde_json::from_str(text).map_or_else(|_| raw(), Json::Text),
            (Some(b'['), 1..) => serde_json::from_str::<Vec<&RawValue>>(text)
                .map_or_else(|_| raw(), |list| Json::List(list.into_iter().map(inner).collect())),
            (Some(b'{'), 1..) => serde_json::from_str::<Members<'_>>(text).map_or_else(
                |_| raw(),
                |members| Json::Object(members.0.into_iter().map(|(name, raw)| (name, inner(raw))).collect()),
            ),
            _ => raw(),
        }
    }

    pub(crate) fn object<const N: usize>(members: [(&str, Json); N]) -> Self {
        Json::Object(members.map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// Returns every value of a field.
    pub(crate) fn all(&self, name: &'static str) -> impl Iterator<Item = &Json> {
        let members = if let Json::Object(members) = self { members.as_slice() } else { &[] };
        members.iter().filter(move |(known, _)| known == name).map(|(_, value)| value)
    }

    /// Returns the last value of a field.
    pub(crate) fn get(&self, name: &'static str) -> Option<&Json> {
        self.all(name).last()
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Json::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn is_raw(&self, token: &str) -> bool {
        matches!(self, Json::Raw(raw) if raw == token)
    }

    /// Returns the elements of an array, or any other value as an array of one.
    pub(crate) fn elements(&self) -> &[Json] {
        if let Json::List(list) = self { list } else { std::slice::from_ref(self) }
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        Json::of(&value.to_string(), LEVELS)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: &str| Value::from(text).to_string();
        match self {
            Json::Raw(text) => f.write_str(text),
            Json::Text(string) => f.write_str(&text(string)),
            Json::List(list) => write!(f, "[{}]", Vec::from_iter(list.iter().map(Json::to_string)).join(",")),
            Json::Object(members) => {
                let members = members.iter().map(|(name, value)| format!("{}:{value}", text(name)));
                write!(f, "{{{}}}", Vec::from_iter(members).join(","))
            }
        }
    }
}

/// The members of an object, in the order of the text.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
