//! The request of a source as it stood, to find again what is invalid in it.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::payload::{Json, Members};
use crate::requests::{Field, Path};

/// A request as it stood.
#[derive(Clone, Copy)]
pub(super) struct Original<'j, 'a> {
    request: &'j Json<'a>,
    /// Looked up once: a request may have as many other members as it has invalid entries.
    associations: &'j [Json<'a>],
}

/// A list of which elements are invalid, and the entry that it stands in.
#[derive(Clone, Copy)]
pub(super) struct List<'j, 'a> {
    members: &'j Members<'a>,
    field: Field,
    elements: &'j [Json<'a>],
}

impl<'j, 'a> Original<'j, 'a> {
    pub(super) fn new(request: &'j Json<'a>) -> Self {
        let associations = match request.get(Field::Associations.name()) {
            Some(Json::Array(list)) => list,
            Some(entry @ Json::Object(_)) => std::slice::from_ref(entry),
            _ => &[][..],
        };
        Original { request, associations }
    }

    /// The instance that the request names for its entries.
    pub(super) fn instance(self) -> Option<&'j str> {
        self.request
            .get(Field::InstanceId.name())
            .and_then(Json::as_str)
            .filter(|instance| !instance.is_empty())
    }

    /// Whether it asks for a dry run.
    pub(super) fn is_dry_run(self) -> bool {
        self.request.get(Field::DryRun.name()) == Some(&Json::Bool(true))
    }

    /// The entry that a path leads into; of the short form, the request itself.
    pub(super) fn entry(self, path: Path) -> Option<&'j Json<'a>> {
        match path.entry_index() {
            None => Some(self.request),
            Some(index) => self.associations.get(index),
        }
    }

    /// The list that a path leads into, if it leads to an element of one.
    pub(super) fn list(self, path: Path) -> Option<List<'j, 'a>> {
        let (field, _) = path.list_element()?;
        let entry = self.entry(path)?;
        match (entry, entry.get(field.name())) {
            (Json::Object(members), Some(Json::Array(elements))) => Some(List { members, field, elements }),
            _ => None,
        }
    }

    /// The invalid entries as they stood; of an entry with a list, only the invalid elements.
    pub(super) fn invalid_entries(self, invalid: &[Path]) -> Vec<Box<RawValue>> {
        // The elements of one list stand side by side, and each list is looked up once: there may be a million of them.
        let mut entries = Vec::new();
        for paths in invalid.chunk_by(|a, b| of_one_list(*a, *b)) {
            if let Some(list) = self.list(paths[0]) {
                let bad = paths.iter().filter_map(|path| list.elements.get(path.list_element()?.1)).collect();
                entries.extend(to_raw_value(&WithElements { list, bad }));
            } else {
                entries.extend(paths.iter().filter_map(|path| to_raw_value(self.entry(*path)?).ok()));
            }
        }
        entries
    }
}

fn of_one_list(a: Path, b: Path) -> bool {
    let list = |path: Path| Some((path.entry_index(), path.list_element()?.0));
    list(a).is_some() && list(a) == list(b)
}

impl<'j, 'a> List<'j, 'a> {
    pub(super) fn elements(self) -> &'j [Json<'a>] {
        self.elements
    }

    /// The other members of the entry, without those that the function does not know, and without `null` and empty
    /// strings. In the short form an empty string counts as absent, and in an entry it would not.
    pub(super) fn others(self) -> impl Iterator<Item = (&'j str, &'j Json<'a>)> {
        let known = move |name: &str| Field::of_entry(name).is_some_and(|known| known != self.field);
        let members = self.members.iter().map(|(name, value)| (&**name, value));
        let is_absent = |value: &Json<'_>| *value == Json::Null || value.as_str() == Some("");
        members.filter(move |(name, value)| known(name) && !is_absent(value))
    }
}

/// An entry with other elements in its list.
struct WithElements<'j, 'a> {
    list: List<'j, 'a>,
    bad: Vec<&'j Json<'a>>,
}

impl Serialize for WithElements<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.list.others() {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry(self.list.field.name(), &self.bad)?;
        map.end()
    }
}
