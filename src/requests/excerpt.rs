//! Copies of the invalid parts of a request, so that a person can fix them and send them again.

use std::sync::Arc;

use serde_json::value::{RawValue, to_raw_value};

use crate::payload::{Json, Members};

use super::{Field, Path};

/// A copy of an invalid part of a body. It is created when the part is read, because the JSON of the body is dropped after
/// that.
#[derive(Debug, Clone)]
pub(crate) enum Excerpt {
    /// A text that is not a request.
    Unreadable(Box<str>),
    /// A request that is invalid as a whole.
    Request(Box<RawValue>),
    /// An entry of a request, and the instance of the request.
    Entry(Option<Arc<str>>, Box<RawValue>),
    /// An element of an array of addresses.
    Element(Arc<List>, Box<RawValue>),
}

/// An array of addresses with invalid elements, and the other fields of its entry. The excerpts of the elements share it,
/// because there may be a hundred thousand of them.
#[derive(Debug)]
pub struct List {
    /// The instance of the request.
    pub instance: Option<Arc<str>>,
    /// The field of the array.
    pub field: Field,
    /// The other fields of the entry, without those whose value counts as absent.
    pub others: Vec<(Field, Box<RawValue>)>,
}

/// Creates the excerpts of a request. It keeps the array of the last element, because one array may have many invalid
/// elements.
pub(super) struct Excerpts<'j, 'a> {
    request: &'j Json<'a>,
    instance: Option<Arc<str>>,
    associations: &'j [Json<'a>],
    last: Option<(Option<usize>, Arc<List>, &'j [Json<'a>])>,
}

impl<'j, 'a> Excerpts<'j, 'a> {
    pub(super) fn new(request: &'j Json<'a>) -> Self {
        let instance = request.get(Field::InstanceId.name()).and_then(Json::as_str);
        let associations = match request.get(Field::Associations.name()) {
            Some(Json::Array(list)) => list,
            Some(entry @ Json::Object(_)) => std::slice::from_ref(entry),
            _ => &[][..],
        };
        let instance = instance.filter(|instance| !instance.is_empty()).map(Arc::from);
        Excerpts { request, instance, associations, last: None }
    }

    /// Copies the part at a path, or the whole request if the path leads to no entry.
    pub(super) fn at(&mut self, path: Path) -> Option<Excerpt> {
        if !matches!(self.request, Json::Object(_)) {
            return Some(Excerpt::Unreadable(raw(self.request)?.get().into()));
        }
        let entry = match path.entry_index() {
            Some(index) => self.associations.get(index)?,
            None => self.request,
        };
        match (path.list_element(), path.entry_index()) {
            (Some((field, index)), number) => {
                let (list, elements) = self.list(entry, number, field)?;
                Some(Excerpt::Element(list, raw(elements.get(index)?)?))
            }
            (None, Some(_)) => Some(Excerpt::Entry(self.instance.clone(), raw(entry)?)),
            (None, None) => Some(Excerpt::Request(raw(entry)?)),
        }
    }

    fn list(
        &mut self,
        entry: &'j Json<'a>,
        number: Option<usize>,
        field: Field,
    ) -> Option<(Arc<List>, &'j [Json<'a>])> {
        match &self.last {
            Some((last, list, elements)) if (*last, list.field) == (number, field) => {
                Some((list.clone(), elements))
            }
            _ => {
                let (Json::Object(members), Some(Json::Array(elements))) = (entry, entry.get(field.name()))
                else {
                    return None;
                };
                let list = List { instance: self.instance.clone(), field, others: others(members, field) };
                let (_, list, elements) = self.last.insert((number, Arc::new(list), elements));
                Some((list.clone(), elements))
            }
        }
    }
}

/// Copies the fields of an entry other than its array. An empty string counts as absent in the short form but not in an
/// entry, so it is omitted.
fn others(members: &Members<'_>, list: Field) -> Vec<(Field, Box<RawValue>)> {
    let other = |name: &str| Field::of_entry(name).filter(|field| *field != list);
    let is_absent = |value: &Json<'_>| *value == Json::Null || value.as_str() == Some("");
    let given = members.iter().filter(|(_, value)| !is_absent(value));
    given.filter_map(|(name, value)| Some((other(name)?, raw(value)?))).collect()
}

/// Writes a value as JSON. A parsed value can always be written.
fn raw(json: &Json<'_>) -> Option<Box<RawValue>> {
    to_raw_value(json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each excerpt as text: the instance, the other fields, and the part itself.
    fn excerpts(request: &str, paths: &[Path]) -> Vec<String> {
        let json = Json::parse(request).unwrap();
        let mut excerpts = Excerpts::new(&json);
        let text = |excerpt| match excerpt {
            Excerpt::Unreadable(text) => format!("unreadable {text}"),
            Excerpt::Request(json) => format!("request {json}"),
            Excerpt::Entry(instance, json) => format!("entry {instance:?} {json}"),
            Excerpt::Element(list, json) => {
                let others: Vec<String> =
                    list.others.iter().map(|(field, value)| format!("{field}: {value}")).collect();
                format!("element {:?} {} {}: {json}", list.instance, others.join(", "), list.field)
            }
        };
        paths.iter().map(|path| text(excerpts.at(*path).unwrap())).collect()
    }

    #[test]
    fn invalid_parts_are_kept_unchanged() {
        let root = Path::default();
        let list = Field::EmailAddressIds;
        let request = r#"{"instanceId": "i", "associations": [
            {"queueId": "q", "queueName": "", "note": 1, "emailAddressIds": ["a", 7.50]}, {"queueId": [1 ]}]}"#;
        assert_eq!(
            excerpts(request, &[root.entry(0).field(list).element(1), root.entry(1).field(Field::QueueId)]),
            [r#"element Some("i") queueId: "q" emailAddressIds: 7.5"#, r#"entry Some("i") {"queueId":[1]}"#]
        );
        let short = r#"{"queueId": "q", "queueId": "p", "emailAddressIds": [""]}"#;
        assert_eq!(
            excerpts(short, &[root.field(list).element(0), root.field(Field::QueueId)]),
            [
                r#"element None queueId: "q", queueId: "p" emailAddressIds: """#,
                r#"request {"queueId":"q","queueId":"p","emailAddressIds":[""]}"#
            ]
        );
        assert_eq!(excerpts("[1, 2]", &[root]), ["unreadable [1,2]"]);
    }

    #[test]
    fn elements_of_one_list_share_their_entry() {
        let json = Json::parse(r#"{"queueId": "q", "emailAddresses": ["a b", "c d"]}"#).unwrap();
        let mut excerpts = Excerpts::new(&json);
        let path = |index| Path::default().field(Field::EmailAddresses).element(index);
        let (Some(Excerpt::Element(one, _)), Some(Excerpt::Element(other, _))) =
            (excerpts.at(path(0)), excerpts.at(path(1)))
        else {
            panic!("two elements")
        };
        assert!(Arc::ptr_eq(&one, &other));
    }
}
