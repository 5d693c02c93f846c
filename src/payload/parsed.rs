//! The first parse of a payload. It reads records into their fields, and everything else into a tree.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json::{Members, Text};
use super::record::Record;

/// A parsed payload. The fields of its records have the type `M`.
pub(super) enum Parsed<'p, M> {
    Array(Vec<Record<M>>),
    Object { records: Option<Records<M>>, members: Members<'p> },
    Other(&'static str),
}

pub(super) enum Records<M> {
    List(Vec<Record<M>>),
    Other(&'static str),
    Twice,
}

impl<'de, M: Deserialize<'de>> Deserialize<'de> for Parsed<'de, M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParsedVisitor(PhantomData))
    }
}

struct ParsedVisitor<M>(PhantomData<M>);

impl<'de, M: Deserialize<'de>> Visitor<'de> for ParsedVisitor<M> {
    type Value = Parsed<'de, M>;

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
        Ok(Parsed::Object { records, members })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut records = Vec::<Record<M>>::new();
        while let Some(record) = access.next_element()? {
            records.push(record);
            // The payload is rejected because of this element. Each further one would take a hundred times its size.
            if records.last().is_some_and(|record| !record.has_source()) {
                while access.next_element::<IgnoredAny>()?.is_some() {}
                break;
            }
        }
        Ok(Parsed::Array(records))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Parsed::Other("null"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Parsed::Other("a boolean"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Parsed::Other("a number"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Parsed::Other("a number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Parsed::Other("a number"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        let is_json = text.trim_start().starts_with(['{', '[']);
        Ok(Parsed::Other(if is_json { "a string that contains JSON (encoded twice?)" } else { "a string" }))
    }
}

impl<'de, M: Deserialize<'de>> Deserialize<'de> for Records<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match deserializer.deserialize_any(ParsedVisitor(PhantomData))? {
            Parsed::Array(records) => Records::List(records),
            Parsed::Object { .. } => Records::Other("an object"),
            Parsed::Other(kind) => Records::Other(kind),
        })
    }
}
