//! Document: the first reading of a payload, which parses everything once: records stay raw, anything else is a tree.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::json::{Members, Text};
use super::record::RawRecord;

/// A payload as far as it is read at once: records raw, anything else a tree.
pub(super) enum Document<'p> {
    Array(Vec<RawRecord<'p>>),
    Object { records: Option<Records<'p>>, members: Members<'p> },
    Other(&'static str),
}

pub(super) enum Records<'p> {
    List(Vec<RawRecord<'p>>),
    Other(&'static str),
    Twice,
}

impl<'de> Deserialize<'de> for Document<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DocumentVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an envelope")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut records = None;
        let mut members = Vec::new();
        while let Some(Text(key)) = access.next_key()? {
            if key == "Records" {
                let value = access.next_value()?;
                records = Some(if records.is_some() { Records::Twice } else { value });
            } else {
                members.push((key, access.next_value()?));
            }
        }
        Ok(Document::Object { records, members })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut records = Vec::new();
        while let Some(record) = access.next_element()? {
            records.push(record);
        }
        Ok(Document::Array(records))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Document::Other("null"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Document::Other("a boolean"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Document::Other("a number"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Document::Other("a number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Document::Other("a number"))
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Document::Other("a string"))
    }
}

impl<'de> Deserialize<'de> for Records<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match deserializer.deserialize_any(DocumentVisitor)? {
            Document::Array(records) => Records::List(records),
            Document::Object { .. } => Records::Other("an object"),
            Document::Other(kind) => Records::Other(kind),
        })
    }
}
