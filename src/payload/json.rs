//! JSON values that borrow from their text.
//!
//! A batch contains thousands of small JSON texts, and each is read once. Keys and strings without escapes are slices of
//! the payload. An object is a list in the order of the text, so that a duplicate field can be rejected instead of
//! silently dropping one of its values.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// A JSON value. The parser rejects more than 128 levels of nesting.
#[derive(Debug, Clone, PartialEq)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// any number
    Number(serde_json::Number),
    /// a string
    String(Cow<'a, str>),
    /// an array
    Array(Vec<Json<'a>>),
    /// an object, with its members in the order of the text
    Object(Members<'a>),
}

/// The members of an object, in the order of the text. A name may occur twice.
pub type Members<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

impl<'a> Json<'a> {
    /// Parses one JSON text.
    ///
    /// # Errors
    /// Returns the problem with its line and column, but without any part of the text.
    pub fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Parses one JSON text, and ignores a byte-order mark before it (as RFC 8259, section 8.1, allows). Columns of errors
    /// are counted from after the mark.
    pub(crate) fn parse_after_mark(text: &'a str) -> Result<Self, serde_json::Error> {
        Json::parse(without_mark(text))
    }

    /// Whether a text starts with two JSON objects, as JSON Lines do.
    pub(crate) fn is_followed_by_another(text: &str) -> bool {
        let text = without_mark(text);
        let mut documents = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
        let first = documents.next().is_some_and(|first| first.is_ok());
        let rest = text.get(documents.byte_offset()..).unwrap_or_default();
        text.trim_start().starts_with('{') && first && rest.trim_start().starts_with('{')
    }

    /// Returns the last member with the given name, if the value is an object with such a member.
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        match self {
            Json::Object(members) => {
                members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// Returns the string, if the value is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// The type of the value with its article, for messages: "a number".
    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Number(_) => "a number",
            Json::String(_) => "a string",
            Json::Array(_) => "an array",
            Json::Object(_) => "an object",
        }
    }
}

/// Removes byte-order marks from the start of a text.
pub(super) fn without_mark(text: &str) -> &str {
    text.trim_start_matches('\u{feff}')
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(serde_json::Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = access.next_element()? {
            // A `Vec` starts with room for four elements. Nested arrays of one element would take three times the
            // memory.
            if list.is_empty() {
                list.reserve_exact(1);
            }
            list.push(value);
        }
        Ok(Json::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(Text(key)) = access.next_key()? {
            let value = access.next_value()?;
            if members.is_empty() {
                members.reserve_exact(2);
            }
            members.push((key, value));
        }
        Ok(Json::Object(members))
    }
}

/// A string that borrows from its input if possible. serde's own `Cow` borrows only in a field with this attribute.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Number(value) => value.serialize(serializer),
            Json::String(value) => serializer.serialize_str(value),
            Json::Array(list) => serializer.collect_seq(list),
            Json::Object(members) => serializer.collect_map(members.iter().map(|(key, value)| (key, value))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_without_escapes_borrow() {
        let json = Json::parse(r#"{"a": "plain", "b": "with \" escape"}"#).unwrap();
        assert!(matches!(json.get("a"), Some(Json::String(Cow::Borrowed("plain")))));
        assert!(matches!(json.get("b"), Some(Json::String(Cow::Owned(text))) if text == "with \" escape"));
    }

    #[test]
    fn writes_what_it_read() {
        let text = r#"{"b":[1,-2,2.5,null,true,"x"],"a":{"b":1,"b":2}}"#;
        assert_eq!(serde_json::to_string(&Json::parse(text).unwrap()).unwrap(), text);
    }

    #[test]
    fn deep_nesting_is_an_error() {
        let text = "[".repeat(100_000);
        assert!(Json::parse(&text).unwrap_err().to_string().starts_with("recursion limit exceeded"));
    }

    #[test]
    fn lone_surrogate_is_an_error() {
        assert!(Json::parse(r#""\ud800""#).is_err());
    }
}
