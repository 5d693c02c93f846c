//! Reads the pairs of a payload independently of the function. Everything that a person would read as a pair is one, valid
//! or not.
//!
//! The same reader reads the messages that the function sends on, so the ledger compares the pairs that went in with the
//! pairs that came out.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use connect_simulator::Fixture;
use queue_email_associator::requests::Field;

use crate::hostile::FULL_WIDTH;
use crate::json::Json;

/// A queue and an address: the identifier if it is known, or else the name or the JSON as written. A text that cannot be
/// read has no queue.
pub(crate) type Pair = (Rc<str>, String);

/// The pairs of one source.
#[derive(Debug, Default)]
pub(crate) struct Requested {
    /// Each pair, and whether it may be associated. A dry run, a field given twice and a field with a similar name forbid
    /// it.
    pub(crate) pairs: BTreeMap<Pair, bool>,
    /// Whether the pairs need no trace, because it is a dry run.
    pub(crate) dry_run: bool,
}

type Names = BTreeMap<String, Option<String>>;

/// The identifiers by name, or `None` for a name of several. Addresses are in lower case.
#[derive(Default)]
pub(crate) struct Reader {
    queues: Names,
    addresses: Names,
}

impl Reader {
    pub(crate) fn new(fixture: &Fixture) -> Self {
        let mut reader = Reader::default();
        let add = |names: &mut Names, name, id: &String| {
            names.entry(name).and_modify(|known| *known = None).or_insert_with(|| Some(id.clone()));
        };
        for instance in fixture.instances.values() {
            for (id, queue) in &instance.queues {
                add(&mut reader.queues, queue.name.clone().unwrap_or_default(), id);
            }
            for (id, address) in &instance.email_addresses {
                add(&mut reader.addresses, address.to_lowercase(), id);
            }
        }
        reader
    }

    /// Returns whether a caller reads the report, and each source with its identifier, which only an SQS message has.
    /// Returns `None` if this reader does not understand the payload. The function may still be able to read it.
    pub(crate) fn payload(&self, payload: &[u8]) -> Option<(bool, Vec<(String, Requested)>)> {
        let json = Json::parse(without_mark(str::from_utf8(payload).ok()?))?;
        let unnamed = |requested| (String::new(), requested);
        let records = if let Json::List(_) = json { Some(&json) } else { json.get("Records") };
        if let Some(records) = records.map(Json::elements) {
            let is_sns = |record: &Json| record.get("EventSource").and_then(Json::text) == Some("aws:sns");
            let source = |record: &Json| {
                if is_sns(record) {
                    return Some(unnamed(
                        self.body(text(record.get("Sns").and_then(|sns| sns.get("Message")))),
                    ));
                }
                Some((record.get("messageId")?.text()?.to_owned(), self.body(text(record.get("body")))))
            };
            return Some((false, records.iter().map(source).collect::<Option<_>>()?));
        }
        if let Some(detail) = detail(&json) {
            return Some((false, vec![unnamed(self.body(detail.to_string()))]));
        }
        let nothing = Json::Object(Vec::new());
        let items = json.get("Items");
        let defaults = items.and_then(|_| json.get("BatchInput")).unwrap_or(&nothing);
        let item = |item: &Json| {
            let is_given = |value: &Json| !value.is_raw("null") && value.text() != Some("");
            let has_own = item.all("dryRun").any(is_given);
            let (defaults, is_clear) = fields(if has_own { &nothing } else { defaults });
            let mut requested = Requested { dry_run: is_dry_run(&defaults), ..Requested::default() };
            self.request(item, is_clear, &mut requested);
            unnamed(requested)
        };
        Some((true, items.unwrap_or(&json).elements().iter().map(item).collect()))
    }

    /// Reads a body with all its envelopes.
    pub(crate) fn body(&self, body: String) -> Requested {
        let mut requested = Requested::default();
        let (mut texts, mut may_associate) = (vec![body], true);
        while let Some(text) = texts.pop() {
            let text = without_mark(&text);
            let Some(json) = Json::parse(text) else {
                requested.pairs.insert((Rc::from(""), text.to_owned()), false);
                continue;
            };
            let inner = envelope(&json);
            if inner.is_empty() {
                self.request(&json, may_associate, &mut requested);
            }
            may_associate &= inner.len() < 2;
            texts.extend(inner);
        }
        requested
    }

    fn request(&self, request: &Json, may_associate: bool, requested: &mut Requested) {
        let (fields, is_clear) = fields(request);
        requested.dry_run |= is_dry_run(&fields);
        let lists = || fields.iter().filter(|(field, _)| *field == Field::Associations);
        // The fields after `Associations` are those of an entry.
        let is_entry = fields.iter().any(|(field, _)| *field > Field::Associations);
        let is_list = lists().count() > 0;
        let may_associate = may_associate && is_clear && !requested.dry_run && !(is_list && is_entry);
        for entry in lists().flat_map(|(_, list)| list.elements()) {
            self.entry(entry, may_associate, requested);
        }
        if is_entry || !is_list {
            self.entry(request, may_associate, requested);
        }
    }

    /// Reads an entry, or a failure in a report or a message.
    pub(crate) fn entry(&self, entry: &Json, may_associate: bool, requested: &mut Requested) {
        let (fields, is_clear) = fields(entry);
        let address = |name| named(name, &self.addresses, str::to_lowercase);
        let (mut queues, mut addresses) = (BTreeSet::new(), Vec::new());
        for (field, value) in fields {
            let values = value.elements().iter();
            match field {
                Field::QueueId => drop(queues.insert(id(value))),
                Field::QueueName => drop(queues.insert(named(value, &self.queues, str::to_owned))),
                Field::EmailAddressId | Field::EmailAddressIds => addresses.extend(values.map(id)),
                Field::EmailAddress | Field::EmailAddresses => addresses.extend(values.map(address)),
                _ => {}
            }
        }
        // An empty string counts as absent in the short form.
        queues.remove("");
        let may_associate = may_associate && is_clear && queues.len() == 1;
        let queue: Rc<str> = Vec::from_iter(queues).join(" ").into();
        if addresses.is_empty() {
            addresses.push(if let Json::Object(_) = entry { String::new() } else { entry.to_string() });
        }
        for address in addresses {
            *requested.pairs.entry((queue.clone(), address)).or_default() |= may_associate;
        }
    }
}

/// Returns the text of a body, or the JSON of a body that is not a string.
fn text(body: Option<&Json>) -> String {
    match body {
        Some(Json::Text(text)) => text.clone(),
        Some(other) if !other.is_raw("null") => other.to_string(),
        _ => String::new(),
    }
}

/// Returns the texts of the requests in an envelope, or none if the object is a request.
fn envelope(json: &Json) -> Vec<String> {
    let texts = |name| json.all(name).filter_map(Json::text).map(str::to_owned).collect::<Vec<_>>();
    let unreadable = texts("unreadable");
    if fields(json).0.iter().any(|(field, _)| *field >= Field::Associations) {
        Vec::new()
    } else if !unreadable.is_empty() {
        unreadable
    } else if json.get("Type").and_then(Json::text) == Some("Notification") {
        texts("Message")
    } else {
        detail(json).map_or_else(Vec::new, |_| json.all("detail").map(Json::to_string).collect())
    }
}

fn detail(json: &Json) -> Option<&Json> {
    json.get("detail-type").and(json.get("source")).and(json.get("detail"))
}

fn without_mark(text: &str) -> &str {
    text.trim_start_matches('\u{feff}')
}

/// Returns the fields of an object that a person reads as known ones, and whether each is spelled correctly and given once.
fn fields(json: &Json) -> (Vec<(Field, &Json)>, bool) {
    let Json::Object(members) = json else { return (Vec::new(), true) };
    let (mut fields, mut is_clear, mut seen) = (Vec::new(), true, BTreeSet::new());
    for (name, value) in members {
        let letters = letters(name);
        let is_meant = |field: &Field| field.name().eq_ignore_ascii_case(&letters);
        let Some(field) = Field::ALL.into_iter().find(is_meant) else { continue };
        is_clear &= name == field.name() && seen.insert(field);
        if name != field.name() || !value.is_raw("null") {
            fields.push((field, value));
        }
    }
    (fields, is_clear)
}

fn is_dry_run(fields: &[(Field, &Json)]) -> bool {
    fields.iter().any(|(field, value)| *field == Field::DryRun && value.is_raw("true"))
}

/// Returns the letters of a name as a person reads them. Ignores width, case, and characters between letters. Keeps
/// combining marks, because a mark can turn the letter before it into another one.
fn letters(name: &str) -> String {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - FULL_WIDTH).unwrap_or(c),
        c => c,
    };
    let is_letter = |c: &char| c.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(c);
    name.chars().map(narrow).filter(is_letter).flat_map(char::to_lowercase).collect()
}

/// Returns an identifier, which may be the last part of an ARN.
fn id(value: &Json) -> String {
    match value.text() {
        Some(text) if text.starts_with("arn:") => text.rsplit('/').next().unwrap_or_default().to_owned(),
        Some(text) => text.to_owned(),
        None => value.to_string(),
    }
}

fn named(value: &Json, ids: &Names, folded: fn(&str) -> String) -> String {
    match value.text() {
        Some("") => String::new(),
        Some(name) => ids.get(&folded(name)).cloned().flatten().unwrap_or_else(|| format!("named {name}")),
        None => value.to_string(),
    }
}
