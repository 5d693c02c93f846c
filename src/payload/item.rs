//! The items of a Distributed Map batch.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::json::{Json, Members, Text};

/// One item of a Distributed Map batch.
#[derive(Debug)]
pub enum Item<'p> {
    /// An association request.
    Request(Json<'p>),
    /// The parser rejects the item, for example because of a lone surrogate. The text is its reason.
    Malformed(Box<str>),
}

// A batch may have millions of items.
const _: () = assert!(size_of::<Item<'_>>() == size_of::<Json<'_>>());

/// The fields of a batch, whose items are parsed one by one, so that a malformed item fails alone.
pub(super) struct ItemsApart<'p> {
    pub(super) items: Vec<Item<'p>>,
    pub(super) others: Members<'p>,
}

impl<'p> ItemsApart<'p> {
    /// Parses a batch. Returns `None` if the payload is not an object with one list of items, or another field is
    /// malformed.
    pub(super) fn read(payload: &'p str) -> Option<Self> {
        let RawFields(fields) = serde_json::from_str(payload).ok()?;
        let (mut items, mut others) = (None, Vec::new());
        for (name, value) in fields {
            if name != "Items" {
                others.push((name, Json::parse(value.get()).ok()?));
                continue;
            }
            let elements: Vec<&'p RawValue> = serde_json::from_str(value.get()).ok()?;
            if items.replace(elements.into_iter().map(Item::parse).collect()).is_some() {
                return None;
            }
        }
        items.map(|items| ItemsApart { items, others })
    }
}

impl<'p> Item<'p> {
    fn parse(raw: &'p RawValue) -> Self {
        match Json::parse(raw.get()) {
            Ok(json) => Item::Request(json),
            Err(error) => Item::Malformed(error.to_string().into()),
        }
    }
}

/// The fields of an object, with their values unparsed.
pub(super) struct RawFields<'p>(pub(super) Vec<(Cow<'p, str>, &'p RawValue)>);

impl<'de> Deserialize<'de> for RawFields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RawFieldsVisitor;
        impl<'de> Visitor<'de> for RawFieldsVisitor {
            type Value = RawFields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(Text(name)) = access.next_key()? {
                    fields.push((name, access.next_value()?));
                }
                Ok(RawFields(fields))
            }
        }
        deserializer.deserialize_map(RawFieldsVisitor)
    }
}
