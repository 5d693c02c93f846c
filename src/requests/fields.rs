//! The known fields of one object, picked out of its members.

use crate::payload::Json;

use super::field::Name;
use super::{Field, Invalid, Path};

/// The known fields of a request or an entry, each at most once.
#[derive(Debug)]
pub(super) struct Fields<'j> {
    path: Path,
    values: [Option<&'j Json<'j>>; Field::ALL.len()],
}

impl<'j> Fields<'j> {
    /// Picks the known fields of an object.
    ///
    /// # Errors
    /// A value that is no object; a name that is nearly a known one; a known field given twice, since either
    /// value might be the one that was meant.
    pub(super) fn of(json: &'j Json<'j>, path: Path) -> Result<Self, Invalid> {
        let Json::Object(members) = json else {
            let what = if path.is_empty() { "the request".to_owned() } else { path.to_string() };
            return Err(Invalid::new(path, format!("{what} is {}; an object is expected", json.kind())));
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
        Ok(Fields { path, values })
    }

    /// Drops the fields that hold an empty string.
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

    /// A string that is not empty.
    pub(super) fn text(&self, field: Field) -> Result<Option<&'j str>, Invalid> {
        let Some(value) = self.get(field) else { return Ok(None) };
        non_empty_text(value).map(Some).map_err(|reason| Invalid::field(self.path, field, reason))
    }

    /// A boolean.
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

    /// A list that is not empty.
    pub(super) fn list(&self, field: Field) -> Result<Option<&'j [Json<'j>]>, Invalid> {
        let reason = match self.get(field) {
            None => return Ok(None),
            Some(Json::Array(list)) if !list.is_empty() => return Ok(Some(list)),
            Some(Json::Array(_)) => "is an empty list; at least one element is expected".to_owned(),
            Some(other) => format!("is {}; a list is expected", other.kind()),
        };
        Err(Invalid::field(self.path, field, reason))
    }
}

/// The string that a value is, if it is one and not empty; else why not.
pub(super) fn non_empty_text<'j>(value: &'j Json<'j>) -> Result<&'j str, String> {
    match value {
        Json::String(text) if text.is_empty() => Err("is an empty string".to_owned()),
        Json::String(text) => Ok(text),
        other => Err(format!("is {}; a string is expected", other.kind())),
    }
}
