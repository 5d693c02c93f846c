//! The known fields of a request, and how their names and values are read.

use std::fmt;

use crate::payload::Json;

use super::identifier::Resource;
use super::mistakes::{hint_for_value, is_similar};
use super::{ArnScope, Base, Identifier, Invalid, Path};

macro_rules! fields {
    ($($field:ident $name:literal of $place:literal)*) => {
        /// A known field of an association request. Other fields are ignored, unless their name is nearly a known one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field {
            $(#[doc = concat!("`", $name, "`, of ", $place)] $field,)*
        }

        impl Field {
            /// Every known field.
            pub const ALL: [Field; [$($name),*].len()] = [$(Field::$field),*];

            /// The field's name in JSON.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Field::$field => $name,)*
                }
            }
        }
    };
}

fields! {
    InstanceId "instanceId" of "a request or an entry"
    DryRun "dryRun" of "a request"
    CheckQueues "checkQueues" of "a request"
    FailOnPermanent "failOnPermanent" of "a request"
    FailOnRetryable "failOnRetryable" of "a request"
    Reference "reference" of "a request"
    Continued "continued" of "a request"
    Associations "associations" of "a request"
    QueueId "queueId" of "an entry"
    QueueName "queueName" of "an entry"
    EmailAddressId "emailAddressId" of "an entry"
    EmailAddressIds "emailAddressIds" of "an entry"
    EmailAddress "emailAddress" of "an entry"
    EmailAddresses "emailAddresses" of "an entry"
}

impl Field {
    /// Whether the field specifies a queue or email addresses, and so belongs in an entry (or the short form).
    pub(crate) fn specifies_pair(self) -> bool {
        !matches!(
            self,
            Field::InstanceId
                | Field::DryRun
                | Field::CheckQueues
                | Field::FailOnPermanent
                | Field::FailOnRetryable
                | Field::Reference
                | Field::Continued
                | Field::Associations
        )
    }

    /// Whether an object with the field is a request and not an envelope.
    pub(crate) fn requests_pairs(self) -> bool {
        self == Field::Associations || self.specifies_pair()
    }

    /// Returns the field of an entry with the given name, if there is one.
    pub(crate) fn of_entry(name: &str) -> Option<Field> {
        Field::ALL
            .into_iter()
            .find(|field| field.name() == name && (field.specifies_pair() || *field == Field::InstanceId))
    }

    /// Reads the name of a field, or of a column of a CSV file.
    pub fn of(name: &str) -> FieldMatch {
        // A name outside ASCII may be similar to any.
        let candidates = if name.is_ascii() {
            let first = name.bytes().find(u8::is_ascii_alphanumeric).unwrap_or_default();
            Field::starting_with(first.to_ascii_lowercase())
        } else {
            &Field::ALL
        };
        let mut candidates = candidates.iter().copied();
        if let Some(field) = candidates.clone().find(|field| field.name() == name) {
            return FieldMatch::Exact(field);
        }
        let similar = candidates.find(|field| is_similar(name, field.name()));
        similar.map_or(FieldMatch::None, FieldMatch::Similar)
    }

    /// The fields whose names start with a letter. Most names in an event or a notification start like no field, so they
    /// are compared with few or none.
    fn starting_with(letter: u8) -> &'static [Field] {
        match letter {
            b'a' => &[Field::Associations],
            b'c' => &[Field::CheckQueues, Field::Continued],
            b'd' => &[Field::DryRun],
            b'e' => {
                &[Field::EmailAddressId, Field::EmailAddressIds, Field::EmailAddress, Field::EmailAddresses]
            }
            b'f' => &[Field::FailOnPermanent, Field::FailOnRetryable],
            b'i' => &[Field::InstanceId],
            b'q' => &[Field::QueueId, Field::QueueName],
            b'r' => &[Field::Reference],
            _ => &[],
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The field that a name refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldMatch {
    /// The name of this field.
    Exact(Field),
    /// A person would read the name as this field, but it is spelled differently (see `mistakes/similar.rs`).
    Similar(Field),
    /// No known field. The function ignores it.
    None,
}

/// The known fields of a request or an entry, each at most once. `null` counts as absent.
#[derive(Debug)]
pub(super) struct Fields<'j> {
    pub(super) path: Path,
    values: [Option<&'j Json<'j>>; Field::ALL.len()],
}

impl<'j> Fields<'j> {
    /// Picks the known fields of an object. Rejects a value that is not an object, a name that is nearly a known one, and a
    /// duplicate field, because the caller may mean either value.
    pub(super) fn of(json: &'j Json<'j>, path: Path) -> Result<Self, Invalid> {
        let Json::Object(members) = json else {
            let what = if path.is_empty() { "the request".to_owned() } else { path.to_string() };
            let hint = match (path.entry_index(), path.base()) {
                (None, Base::Root | Base::Item(_)) => hint_for_value(json),
                (Some(_), _) | (None, Base::BatchInput) => "",
            };
            let message = format!("{what} must be an object, not {}{hint}", json.kind());
            return Err(Invalid::new(path, message));
        };
        let mut values = [None; Field::ALL.len()];
        for (name, value) in members {
            match Field::of(name) {
                FieldMatch::Exact(field) => {
                    let slot = &mut values[field as usize];
                    if slot.replace(value).is_some() {
                        return Err(Invalid::new(path.field(field), format!("duplicate field \"{field}\"")));
                    }
                }
                FieldMatch::Similar(field) => return Err(Invalid::misspelled(path, field, name)),
                FieldMatch::None => {}
            }
        }
        // After the check for duplicates, because a duplicate field is rejected even if one of its values is `null`.
        for value in &mut values {
            value.take_if(|value| **value == Json::Null);
        }
        Ok(Fields { path, values })
    }

    pub(super) fn without_empty_text(mut self) -> Self {
        for value in &mut self.values {
            value.take_if(|value| value.as_str() == Some(""));
        }
        self
    }

    pub(super) fn get(&self, field: Field) -> Option<&'j Json<'j>> {
        self.values[field as usize]
    }

    /// Returns the first known field for which the test is true.
    pub(super) fn find(&self, test: impl Fn(Field) -> bool) -> Option<Field> {
        Field::ALL.into_iter().find(|field| self.get(*field).is_some() && test(*field))
    }

    /// Reads a string that is not empty.
    pub(super) fn text(&self, field: Field) -> Result<Option<&'j str>, Invalid> {
        let Some(value) = self.get(field) else { return Ok(None) };
        non_empty_text(value).map(Some).map_err(|reason| Invalid::field(self.path, field, reason))
    }

    pub(super) fn identifier<Of: Resource>(
        &self,
        field: Field,
        scope: &ArnScope,
    ) -> Result<Option<Identifier<'j, Of>>, Invalid> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        Identifier::parse(text, scope).map(Some).map_err(|reason| Invalid::field(self.path, field, reason))
    }

    pub(super) fn flag(&self, field: Field) -> Result<Option<bool>, Invalid> {
        match self.get(field) {
            None => Ok(None),
            Some(Json::Bool(value)) => Ok(Some(*value)),
            Some(other) => {
                let reason = format!("must be true or false, not {}", other.kind());
                Err(Invalid::field(self.path, field, reason))
            }
        }
    }

    /// Reads an array. A single value for which `is_element` is true counts as an array of one. `expected` describes both
    /// in the message.
    pub(super) fn elements(
        &self,
        field: Field,
        is_element: impl Fn(&Json<'_>) -> bool,
        expected: &str,
    ) -> Result<Option<Elements<'j>>, Invalid> {
        let reason = match self.get(field) {
            None => return Ok(None),
            Some(Json::Array(list)) if list.is_empty() => "must not be empty".to_owned(),
            Some(Json::Array(list)) => return Ok(Some(Elements::List(list))),
            Some(element) if is_element(element) => return Ok(Some(Elements::Single(element))),
            Some(other) => format!("must be {expected}, not {}", other.kind()),
        };
        Err(Invalid::field(self.path, field, reason))
    }
}

/// The value of a field that is an array.
pub(super) enum Elements<'j> {
    /// An array that is not empty.
    List(&'j [Json<'j>]),
    /// One element without an array around it, as JSONata writes an array of one.
    Single(&'j Json<'j>),
}

/// Returns the non-empty string, or the reason why the value is not one.
pub(super) fn non_empty_text<'j>(value: &'j Json<'j>) -> Result<&'j str, String> {
    match value {
        Json::String(text) if text.is_empty() => Err("must not be empty".to_owned()),
        Json::String(text) => Ok(text),
        other => Err(format!("must be a string, not {}", other.kind())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_names_are_recognised() {
        for field in Field::ALL {
            assert_eq!(Field::of(field.name()), FieldMatch::Exact(field));
            assert_eq!(Field::of(&field.name().to_uppercase()), FieldMatch::Similar(field));
        }
        for name in ["queue", "d", "", "failOnRetryables", "queueIdentifier"] {
            assert_eq!(Field::of(name), FieldMatch::None, "{name:?}");
        }
    }
}
