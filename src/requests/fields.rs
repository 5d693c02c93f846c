//! The known fields of one object, picked out of its members.

use crate::payload::Json;

use super::field::Name;
use super::identifier::Resource;
use super::instead::instead_of_value;
use super::{Base, Field, Home, Identifier, Invalid, Path};

/// The known fields of a request or an entry, each at most once. `null` counts as absent.
#[derive(Debug)]
pub(super) struct Fields<'j> {
    path: Path,
    values: [Option<&'j Json<'j>>; Field::ALL.len()],
}

impl<'j> Fields<'j> {
    /// Picks the known fields of an object.
    ///
    /// # Errors
    /// Refuses a value that is no object, and a name that is nearly a known one. Also refuses a known field that is
    /// given twice, because the caller may mean either value.
    pub(super) fn of(json: &'j Json<'j>, path: Path) -> Result<Self, Invalid> {
        let Json::Object(members) = json else {
            let what = if path.is_empty() { "the request".to_owned() } else { path.to_string() };
            let instead = match (path.entry_index(), path.base()) {
                (None, Base::Root | Base::Item(_)) => instead_of_value(json),
                (Some(_), _) | (None, Base::BatchInput) => "",
            };
            let message = format!("{what} is {}; an object is expected{instead}", json.kind());
            return Err(Invalid::new(path, message));
        };
        let mut values = [None; Field::ALL.len()];
        for (name, value) in members {
            match Field::of(name) {
                Name::Known(field) => {
                    let slot = &mut values[field as usize];
                    if slot.replace(value).is_some() {
                        return Err(Invalid::field(path, field, "is given twice; once is accepted"));
                    }
                }
                Name::Nearly(field) => return Err(Invalid::misspelled(path, field, name)),
                Name::Unknown => {}
            }
        }
        // This comes after the check for duplicates, because a field that is given twice is refused even if one value
        // is `null`.
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

    pub(super) fn path(&self) -> Path {
        self.path
    }

    pub(super) fn get(&self, field: Field) -> Option<&'j Json<'j>> {
        self.values[field as usize]
    }

    /// The first known field for which the test holds.
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
        home: &Home,
    ) -> Result<Option<Identifier<'j, Of>>, Invalid> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        Identifier::parse(text, home).map(Some).map_err(|reason| Invalid::field(self.path, field, reason))
    }

    pub(super) fn flag(&self, field: Field) -> Result<Option<bool>, Invalid> {
        match self.get(field) {
            None => Ok(None),
            Some(Json::Bool(value)) => Ok(Some(*value)),
            Some(other) => {
                let reason = format!("is {}; true or false is expected", other.kind());
                Err(Invalid::field(self.path, field, reason))
            }
        }
    }

    /// Reads a field that takes a list. A single value for which `is_element` holds counts as a list of one. `expected`
    /// names the accepted values in the message.
    pub(super) fn elements(
        &self,
        field: Field,
        is_element: impl Fn(&Json<'_>) -> bool,
        expected: &str,
    ) -> Result<Option<Elements<'j>>, Invalid> {
        let reason = match self.get(field) {
            None => return Ok(None),
            Some(Json::Array(list)) if list.is_empty() => {
                "is an empty list; at least one element is expected".to_owned()
            }
            Some(Json::Array(list)) => return Ok(Some(Elements::List(list))),
            Some(element) if is_element(element) => return Ok(Some(Elements::Single(element))),
            Some(other) => format!("is {}; {expected} is expected", other.kind()),
        };
        Err(Invalid::field(self.path, field, reason))
    }
}

/// The value of a field that takes a list.
pub(super) enum Elements<'j> {
    /// A list that is not empty.
    List(&'j [Json<'j>]),
    /// One element without a list around it, as JSONata writes a list of one.
    Single(&'j Json<'j>),
}

/// Returns a string that is not empty, or the reason why the value is none.
pub(super) fn non_empty_text<'j>(value: &'j Json<'j>) -> Result<&'j str, String> {
    match value {
        Json::String(text) if text.is_empty() => Err("is an empty string; a value is expected".to_owned()),
        Json::String(text) => Ok(text),
        other => Err(format!("is {}; a string is expected", other.kind())),
    }
}
