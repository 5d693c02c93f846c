//! The first parse of a payload. It reads records into their fields, and everything else into a tree.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json::{Members, Text};
use super::record::Record;

/// A parsed payload. The fields of its records have the type `M`.
pub(super) enum Parsed<'p, M> {
    Array(Vec<Record<M>>),
    Object { records: Option<Vec<Record<M>>>, members: Members<'p> },
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
            if key != "Records" {
                members.push((key, access.next_value()?));
                continue;
            }
            match access.next_value()? {
                Parsed::Array(list) if records.is_none() => records = Some(list),
                // The description of the payload replaces this text.
                Parsed::Array(_) | Parsed::Object { .. } => return Err(A::Error::custom("Records")),
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
}
